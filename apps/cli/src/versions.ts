import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

interface Manifest {
  readonly name?: string;
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

/** The manifest of this command; the bundle lies in `dist/`, the sources in `src/`, both one below it. */
const folder = join(dirname(fileURLToPath(import.meta.url)), "..");
const own = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;

export const version = own.version;

/** Versions of the command, of Node, of tfjs and of the gradlab packages that it stands on. */
export function versions(): Record<string, string> {
  const require = createRequire(join(folder, "package.json"));
  const found: Record<string, string> = { gradlab: own.version, node: process.versions.node };
  for (const name of Object.keys(own.dependencies)) {
    if (!name.startsWith("@gradlab/") && name !== "@tensorflow/tfjs-core") continue;
    // Packages do not export their manifest; it lies above the file that `require` resolves to.
    let at = dirname(require.resolve(name));
    while (at !== dirname(at)) {
      const manifest = readManifest(join(at, "package.json"));
      if (manifest?.name === name) {
        found[name] = manifest.version;
        break;
      }
      at = dirname(at);
    }
  }
  return found;
}

function readManifest(file: string): Manifest | null {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Manifest;
  } catch {
    return null;
  }
}
