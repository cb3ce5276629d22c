import { createRequire } from "node:module";

/** Node 22 warns of each call of these, Node 23 removed them; tfjs-node 4.22.0 calls them in nearly every op. */
const replacements = {
  isNullOrUndefined: (value: unknown) => value === null || value === undefined,
  isArray: Array.isArray,
};

const deprecated = Number.parseInt(process.versions.node, 10) >= 22;

/** The same for the script of a child process. */
export const utilShim = `
  const util = (await import("node:module")).createRequire(${JSON.stringify("file:///x.js")})("node:util");
  util.isNullOrUndefined ??= (value) => value === null || value === undefined;
  util.isArray ??= Array.isArray;`;

/** Gives `node:util` the functions that tfjs-node needs, without their warning; returns how to put back what was there. */
export function installUtilShim(): () => void {
  const util = createRequire(import.meta.url)("node:util") as Record<string, unknown>;
  const undo = Object.entries(replacements)
    .filter(([name]) => deprecated || util[name] === undefined)
    .map(([name, replacement]) => {
      const before = Object.getOwnPropertyDescriptor(util, name);
      util[name] = replacement;
      return () => {
        if (before === undefined) delete util[name];
        else Object.defineProperty(util, name, before);
      };
    });
  return () => {
    for (const putBack of undo) putBack();
  };
}
