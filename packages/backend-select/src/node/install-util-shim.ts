import { createRequire } from "node:module";

/** Removed in Node 23; tfjs-node 4.22.0 calls them in nearly every op. */
const removed = {
  isNullOrUndefined: (value: unknown) => value === null || value === undefined,
  isArray: Array.isArray,
};

/** The same for the script of a child process. */
export const utilShim = `
  const util = (await import("node:module")).createRequire(${JSON.stringify("file:///x.js")})("node:util");
  util.isNullOrUndefined ??= (value) => value === null || value === undefined;
  util.isArray ??= Array.isArray;`;

/** Gives `node:util` the functions that tfjs-node needs and Node 23 removed; returns how to take them away. */
export function installUtilShim(): () => void {
  const util = createRequire(import.meta.url)("node:util") as Record<string, unknown>;
  const names = Object.keys(removed).filter((name) => util[name] === undefined);
  for (const name of names) util[name] = removed[name as keyof typeof removed];
  return () => {
    for (const name of names) delete util[name];
  };
}
