import { join } from "node:path";
import { defineConfig } from "vitest/config";

/** `npm run test:tfjs-node`: TensorFlow's C library in Node, built by `build.mjs`. */
export default defineConfig({
  resolve: { conditions: ["gradlab-source"] },
  ssr: { resolve: { conditions: ["gradlab-source"] } },
  test: {
    root: join(import.meta.dirname, "../.."),
    include: ["integration/tfjs-node/*.test.ts", "apps/cli/test/tfjs-node.test.ts"],
    globalSetup: "integration/tfjs-node/global-setup.ts",
    // The library starts threads of its own, and a worker thread cannot unload it.
    pool: "forks",
    maxWorkers: 1,
    testTimeout: 60_000,
    hookTimeout: 300_000,
  },
});
