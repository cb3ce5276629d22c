import { defineConfig } from "vitest/config";

/** `npm run test:browser`: packed packages in a bundle, in headless Chromium. */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ["*.test.ts"],
    globalSetup: "../packed/pack-all.ts",
    testTimeout: 120_000,
    hookTimeout: 600_000,
    update: "none",
  },
});
