import type { InputFiles } from "@gradlab/studies";

/** A folder in a folder. */
export function within(files: InputFiles, folder: string): InputFiles {
  const path = (name: string) => `${folder}/${name}`;
  return {
    label: `${files.label}/${folder}`,
    names: files.names
      .filter((name) => name.startsWith(path("")))
      .map((name) => name.slice(folder.length + 1)),
    read: (name) => files.read(path(name)),
    start: (name, length) => files.start(path(name), length),
    decode: (name, options) => files.decode(path(name), options),
  };
}
