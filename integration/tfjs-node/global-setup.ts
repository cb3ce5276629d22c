import { execFileSync } from "node:child_process";
import { join } from "node:path";

/** Builds the package before the tests, and says to all of them where it is. */
export function setup(): void {
  const build = join(import.meta.dirname, "build.mjs");
  process.env.GRADLAB_TFJS_NODE = execFileSync(process.execPath, [build], { encoding: "utf8" }).trim();
}
