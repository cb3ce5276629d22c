import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { defaultClientConditions, defineConfig } from "vite";
import { firstResults } from "./scripts/first-results-plugin.js";
import { wasmThreads } from "./scripts/threads-plugin.js";

/** Threads in WASM need a page that is isolated from others; `npm run lab` serves it so. */
const headers = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

const versionOf = (name: string): string => {
  const file = createRequire(import.meta.url).resolve(`${name}/package.json`);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
};

export default defineConfig({
  // Relative addresses: the built folder may lie anywhere.
  base: "./",
  resolve: { conditions: ["gradlab-source", ...defaultClientConditions] },
  define: { LAB_VERSIONS: JSON.stringify({ "@tensorflow/tfjs-core": versionOf("@tensorflow/tfjs-core") }) },
  plugins: [firstResults()],
  worker: { format: "es", plugins: () => [wasmThreads()] },
  build: { target: "es2022", sourcemap: true, assetsInlineLimit: 0, chunkSizeWarningLimit: 4096 },
  server: { headers, port: 5173 },
  preview: { headers, port: 4173, open: false },
});
