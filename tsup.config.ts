import { defineConfig } from "tsup";

/**
 * One build for every package: each file of `src` becomes a file of `dist`, so
 * that bundlers leave out whatever is not used. Types are written by
 * `tsc --emitDeclarationOnly`.
 */
export default defineConfig({
  entry: ["src/**/*.ts"],
  bundle: false,
  format: "esm",
  platform: "neutral",
  target: "es2022",
  outDir: "dist",
  clean: true,
  sourcemap: true,
  silent: true,
});
