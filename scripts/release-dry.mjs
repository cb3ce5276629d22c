/**
 * `npm run release:dry`: what a release would publish (versions after the
 * pending changesets, files and sizes of every tarball). Publishes nothing and
 * changes nothing.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import getReleasePlan from "@changesets/get-release-plan";

const root = fileURLToPath(new URL("..", import.meta.url));
const plan = await getReleasePlan(root);
const folders = ["packages", "apps"].flatMap((parent) =>
  readdirSync(join(root, parent))
    .map((name) => join(root, parent, name))
    .filter((folder) => existsSync(join(folder, "package.json"))),
);
const scratch = mkdtempSync(join(tmpdir(), "gradlab-release-"));
try {
  console.log(`${plan.changesets.length} pending changesets\n`);
  for (const folder of folders) {
    const { name, version, private: hidden } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    if (hidden) continue;
    const release = plan.releases.find((one) => one.name === name);
    const packed = JSON.parse(
      execFileSync("pnpm", ["pack", "--json", "--pack-destination", scratch], {
        cwd: folder,
        encoding: "utf8",
      }),
    );
    const bytes = readFileSync(packed.filename).length;
    const next =
      release === undefined || release.type === "none"
        ? `${version} (no change)`
        : `${version} -> ${release.newVersion} (${release.type})`;
    console.log(`${name}  ${next}  ${packed.files.length} files, ${(bytes / 1000).toFixed(1)} kB packed`);
    for (const { path } of packed.files) console.log(`    ${path}`);
  }
  console.log("\nNothing was published.");
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
