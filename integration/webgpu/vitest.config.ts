import { defineConfig } from "vitest/config";

/** `npm run test:webgpu`: the backend for GPUs in Node, on Dawn. */
export default defineConfig({
  resolve: { conditions: ["gradlab-source"] },
  ssr: { resolve: { conditions: ["gradlab-source"] } },
  test: {
    root: import.meta.dirname,
    include: ["*.test.ts"],
    // Dawn reads the environment of the process, which a worker thread cannot change.
    pool: "forks",
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
