import { defineConfig } from "tsup";

export default defineConfig({
  entry: ["src/gradlab.ts"],
  format: "esm",
  platform: "node",
  target: "node20",
  outDir: "dist",
  clean: true,
  sourcemap: true,
  splitting: true,
  silent: true,
});
