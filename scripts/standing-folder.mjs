import { statSync } from "node:fs";

/**
 * Where the user stands who has typed `npm run`: npm itself goes to the folder of package.json, whichever folder of the
 * repository that was typed in, and with `--prefix` from anywhere. A script that another script has started stands where
 * that one stands.
 *
 * @param {Readonly<Record<string, string | undefined>>} env
 * @param {string} cwd
 * @returns {string}
 */
export function standingFolder({ INIT_CWD: folder, npm_lifecycle_event: script }, cwd) {
  if (!folder || (script !== "gradlab" && script !== "start")) return cwd;
  return statSync(folder, { throwIfNoEntry: false })?.isDirectory() ? folder : cwd;
}
