import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { swiftShader } from "./swift-shader.js";

/** `npm run test:webgpu`: the backend for GPUs in Node, on Dawn. */
export default defineConfig({
  resolve: { conditions: ["gradlab-source"] },
  ssr: { resolve: { conditions: ["gradlab-source"] } },
  test: {
    root: join(import.meta.dirname, "../.."),
    include: ["integration/webgpu/*.test.ts", "apps/cli/test/webgpu.test.ts"],
    env: {
      VK_ICD_FILENAMES: process.env.VK_ICD_FILENAMES || swiftShader,
      // About windows; without it the Vulkan loader complains.
      XDG_RUNTIME_DIR: process.env.XDG_RUNTIME_DIR || tmpdir(),
    },
    // Dawn reads the environment of the process, which a worker thread cannot change.
    pool: "forks",
    testTimeout: 60_000,
    hookTimeout: 60_000,
    update: "none",
  },
});
