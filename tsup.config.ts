import { readFileSync } from "node:fs";
import { defineConfig } from "tsup";

/**
 * One build for every package: each entry of `exports` names its source under
 * the condition `gradlab-source` (`./src/measure.ts`) and becomes
 * `dist/measure.js`. Types are written by `tsc --emitDeclarationOnly`.
 */
const manifest = JSON.parse(readFileSync("package.json", "utf8")) as {
  exports: Record<string, { "gradlab-source"?: string }>;
};

export default defineConfig({
  entry: Object.values(manifest.exports).flatMap((target) => target["gradlab-source"] ?? []),
  format: "esm",
  platform: "neutral",
  target: "es2022",
  outDir: "dist",
  clean: true,
  sourcemap: true,
  splitting: true,
  silent: true,
});
