import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type BuildOptions, build, type Metafile } from "esbuild";

export interface BundledPage {
  /** Holds `index.html`, `page.js` and its chunks, and the binaries of WASM in `wasm/`. */
  readonly folder: string;
  readonly metafile: Metafile;
  /** What esbuild warned of. */
  readonly warnings: readonly string[];
  readonly remove: () => void;
}

/**
 * Bundles a page as users do; Node's modules are not within its reach.
 *
 * @param source A module of the workspace, compiled from its sources (with one for a worker, `worker.js`), or code as it stands in a consumer's folder.
 */
export async function bundlePage(
  source:
    | { readonly file: string; readonly worker?: string }
    | { readonly code: string; readonly consumer: string },
): Promise<BundledPage> {
  const folder = mkdtempSync(join(tmpdir(), "gradlab-page-"));
  const entry: BuildOptions =
    "file" in source
      ? {
          entryPoints: { page: source.file, ...(source.worker && { worker: source.worker }) },
          conditions: ["gradlab-source"],
        }
      : { stdin: { contents: source.code, resolveDir: source.consumer, loader: "ts" }, entryNames: "page" };
  const { metafile, warnings } = await build({
    ...entry,
    outdir: folder,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "browser",
    metafile: true,
    logLevel: "silent",
  });
  const from = "file" in source ? source.file : join(source.consumer, "index.js");
  const wasm = createRequire(from).resolve("@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm");
  mkdirSync(join(folder, "wasm"));
  for (const name of readdirSync(dirname(wasm)).filter((file) => file.endsWith(".wasm"))) {
    copyFileSync(join(dirname(wasm), name), join(folder, "wasm", name));
  }
  writeFileSync(
    join(folder, "index.html"),
    '<!doctype html><link rel="icon" href="data:,"><body></body><script type="module" src="page.js"></script>',
  );
  return {
    folder,
    metafile,
    warnings: warnings.map(({ text }) => text),
    remove: () => rmSync(folder, { recursive: true }),
  };
}
