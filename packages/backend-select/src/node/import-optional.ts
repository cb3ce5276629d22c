import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { NotTriedError } from "../attempt.js";

/**
 * Where an optional package is installed: beside this one, beside the program that runs, or in the folder that it runs
 * in; null where it is not.
 *
 * @param from A folder to look from instead.
 */
export function findPackage(name: string, from: string | undefined): string | null {
  const places =
    from !== undefined
      ? [join(from, "index.js")]
      : [import.meta.url, process.argv[1], join(process.cwd(), "index.js")].filter(
          (place) => place !== undefined,
        );
  for (const place of places) {
    try {
      return createRequire(place).resolve(name);
    } catch {
      // Not here.
    }
  }
  return null;
}

/** Imports an optional package. @throws {NotTriedError} when it is not installed. */
export async function importOptional<T>(name: string, from: string | undefined): Promise<T> {
  const file = findPackage(name, from);
  if (file === null) throw new NotTriedError("absent", `${name} is not installed`);
  return (await import(pathToFileURL(file).href)) as T;
}
