import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { InputFiles } from "@gradlab/studies";
import { Failure, messageOf } from "./failure.js";
import { isFolder, readInput, readPieces, readStart } from "./files.js";
import { readPicture } from "./pictures.js";

/** Files by the paths that were given, and what lies beside the first. */
export function filesInput(paths: readonly string[]): InputFiles {
  const known = new Set(paths);
  const place = (name: string) => (known.has(name) ? name : join(dirname(paths[0]!), name));
  return {
    label: paths[0]!,
    names: paths,
    read: (name) => readInput(place(name)),
    pieces: (name) => readPieces(place(name)),
    start: (name, length) => readStart(place(name), length),
    decode: (name, options) => readPicture(place(name), options),
  };
}

/** A file, or that of a name in a folder. */
export async function fileInput(path: string, inFolder?: string): Promise<InputFiles> {
  const isIn = inFolder !== undefined && (await isFolder(path));
  return filesInput([isIn ? join(path, inFolder) : path]);
}

/**
 * All files of a folder, those of folders in it too, by their paths in it.
 *
 * @param flag Begins the message where there is no such folder; without one it may be missing.
 */
export async function folderInput(folder: string, flag: string | null): Promise<InputFiles> {
  const all = await namesIn(folder, 3).catch((error: NodeJS.ErrnoException) => {
    const { code } = error;
    if (flag === null && code === "ENOENT") return [];
    const reason =
      code === "ENOENT" ? "no such folder" : code === "ENOTDIR" ? "not a folder" : messageOf(error);
    throw new Failure("runtime", `${flag === null ? "" : `${flag}: `}${folder}: ${reason}`, { cause: error });
  });
  const place = (name: string) => join(folder, name);
  return {
    label: folder,
    names: all.filter((name) => !name.endsWith("/")).sort(),
    emptyFolders: all.flatMap((name) => (name.endsWith("/") ? [name.slice(0, -1)] : [])).sort(),
    read: (name) => readInput(place(name)),
    start: (name, length) => readStart(place(name), length),
    decode: (name, options) => readPicture(place(name), options),
  };
}

/** A folder without files is its name with a slash. */
async function namesIn(folder: string, depth: number): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = await Promise.all(
    entries.map(async (entry) => {
      // What systems and notebooks leave behind: .DS_Store, ._0.png, .ipynb_checkpoints.
      if (entry.name.startsWith(".")) return [];
      const inner = join(folder, entry.name);
      const isInner = entry.isDirectory() || (entry.isSymbolicLink() && (await isFolder(inner)));
      if (!isInner) return [entry.name];
      if (depth === 0) return [];
      const found = await namesIn(inner, depth - 1);
      return (found.length === 0 ? [""] : found).map((name) => `${entry.name}/${name}`);
    }),
  );
  return names.flat();
}
