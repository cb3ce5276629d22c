import { flagName } from "@gradlab/studies";
import { isFolder, prepareFolder } from "./files.js";
import { type FolderHold, holdFolder } from "./folder-hold.js";

/** The folder that files of a study go to, held while it runs; there may be none. */
export interface KeptFolder {
  readonly path: string | null;
  /** Makes the folder, when the work begins. */
  readonly prepare: () => Promise<void>;
  readonly release: () => Promise<void>;
}

/**
 * A folder that is there already is held at once, before what stands in it is read.
 *
 * @param kept The option that names the folder, and its path.
 * @param say Hears that the hold of a process that is gone was taken over.
 */
export async function keepFolder(
  kept: readonly [option: string, path: string] | null,
  say: (line: string) => void,
): Promise<KeptFolder> {
  if (kept === null) return { path: null, prepare: async () => undefined, release: async () => undefined };
  const [option, path] = kept;
  let hold: FolderHold | null = null;
  const take = async () => {
    hold ??= await holdFolder(path, flagName(option));
    if (hold.takenFrom !== null) say(`${path} was held by process ${hold.takenFrom}, which is gone`);
  };
  if (await isFolder(path)) await take();
  return {
    path,
    prepare: async () => {
      await prepareFolder(path);
      if (hold === null) await take();
    },
    release: async () => hold?.release(),
  };
}
