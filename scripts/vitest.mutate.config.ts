import { defineConfig } from "vitest/config";
import base from "../vitest.config.js";

/** The tests of one package, for `npm run mutate`: code with all changes in it, to be switched on, is several times slower. */
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: [`packages/${process.env.GRADLAB_MUTATE}/test/**/*.test.ts`],
    testTimeout: 300_000,
  },
});
