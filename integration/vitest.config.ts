import { defineConfig } from "vitest/config";

/** `npm run test:packages`: what is published, installed as users install it. */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ["packed/**/*.test.ts"],
    globalSetup: "packed/pack-all.ts",
    testTimeout: 300_000,
    hookTimeout: 600_000,
    fileParallelism: false,
    update: "none",
  },
});
