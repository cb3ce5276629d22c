import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { conditions: ["gradlab-source"] },
  ssr: { resolve: { conditions: ["gradlab-source"] } },
  test: {
    include: ["packages/*/test/**/*.test.ts", "apps/*/test/**/*.test.ts", "integration/test/**/*.test.ts"],
    // Of `npm run test:webgpu` and `npm run test:tfjs-node`, which bring them what they need.
    exclude: ["**/node_modules/**", "apps/cli/test/{webgpu,tfjs-node}.test.ts"],
    // Library code is silent: a line on the console fails the test that caused it.
    onConsoleLog(log) {
      throw new Error(`unexpected console output: ${log}`);
    },
    testTimeout: 20_000,
    // All processors: most of the time one test waits for one of them.
    maxWorkers: "100%",
    globalSetup: "scripts/property-seed.ts",
    setupFiles: "scripts/property-seed.ts",
    // What is missing is a failure; `-u` writes it.
    update: "none",
  },
});
