import { execFileSync } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";

const script = join(import.meta.dirname, "../../scripts/standing-folder.mjs");

/** What the script says, in a process of its own: it is no part of a package. */
function standing(env: Record<string, string>, cwd: string): string {
  const call = `import(${JSON.stringify(script)}).then(({ standingFolder }) => console.log(standingFolder(${JSON.stringify(env)}, ${JSON.stringify(cwd)})))`;
  return execFileSync(process.execPath, ["-e", call], { encoding: "utf8" }).trim();
}

test("paths are relative to where the user stands, of the scripts that take paths", () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "gradlab-")));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const npm_lifecycle_event of ["gradlab", "start"]) {
    expect(standing({ INIT_CWD: folder, npm_lifecycle_event }, "/root")).toBe(folder);
    expect(standing({ npm_lifecycle_event }, "/root")).toBe("/root");
    expect(standing({ INIT_CWD: join(folder, "gone"), npm_lifecycle_event }, "/root")).toBe("/root");
  }
  // Started by a test that npm has started: npm's folder is not the caller's.
  expect(standing({ INIT_CWD: folder, npm_lifecycle_event: "test" }, "/root")).toBe("/root");
});
