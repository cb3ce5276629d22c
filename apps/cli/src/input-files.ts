import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { InputFiles } from "@gradlab/studies";
import { readInput } from "./files.js";
import { readPicture } from "./pictures.js";

/** Files by the paths that were given, and what lies beside the first. */
export function filesInput(paths: readonly string[]): InputFiles {
  const known = new Set(paths);
  const place = (name: string) => (known.has(name) ? name : join(dirname(paths[0]!), name));
  return {
    label: paths[0]!,
    names: paths,
    read: (name) => readInput(place(name)),
    decode: (name, options) => readPicture(place(name), options),
  };
}

/** All files of a folder, those of folders in it too, by their paths in it. */
export async function folderInput(folder: string): Promise<InputFiles> {
  const names = await namesIn(folder, 3);
  return {
    label: folder,
    names: names.sort(),
    read: (name) => readInput(join(folder, name)),
    decode: (name, options) => readPicture(join(folder, name), options),
  };
}

async function namesIn(folder: string, depth: number): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = await Promise.all(
    entries.map(async (entry) => {
      const inner = join(folder, entry.name);
      if (!entry.isDirectory()) return [entry.name];
      if (depth === 0) return [];
      return (await namesIn(inner, depth - 1)).map((name) => `${entry.name}/${name}`);
    }),
  );
  return names.flat();
}
