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
  // Private: they are part of the command.
  noExternal: [/^@gradlab\/(studies|experiments)$/],
  silent: true,
});
