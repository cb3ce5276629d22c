import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { version_core } from "@tensorflow/tfjs-core";
import type { Attempt } from "../attempt.js";
import { messageOf } from "../backend-registry.js";

/**
 * The URL of an optional package's entry, looked up from `resolveFrom` and then from here;
 * null where it is not installed.
 *
 * @throws {Error} when it is installed and broken, or a part of another version of tfjs.
 */
export function findPackage(name: string, { settings: { resolveFrom } }: Attempt): string | null {
  const starts = [...(resolveFrom === undefined ? [] : [join(resolveFrom, "x.js")]), import.meta.url];
  for (const start of starts) {
    const require = createRequire(start);
    let manifest: { readonly version: string };
    try {
      manifest = JSON.parse(readFileSync(require.resolve(`${name}/package.json`), "utf8"));
    } catch {
      continue;
    }
    if (name.startsWith("@tensorflow/") && manifest.version !== version_core) {
      throw new Error(
        `${name} is version ${manifest.version}, tfjs-core ${version_core}: they must be the same`,
      );
    }
    try {
      return pathToFileURL(require.resolve(name)).href;
    } catch (error) {
      throw new Error(`${name} is installed, but has no entry: ${messageOf(error)?.split("\n")[0]}`);
    }
  }
  return null;
}

/** The exports of a package that may be CommonJS. */
export async function importPackage<T>(url: string): Promise<T> {
  const module = (await import(url)) as { readonly default?: T };
  return { ...module, ...module.default } as T;
}
