import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { transformSync } from "esbuild";
import { expect, inject, onTestFinished, test } from "vitest";
import { libraries, tarballOf } from "./packages.js";

/** Packages that need no tfjs, and all that each brings along. */
const alone: readonly (readonly [name: string, along: readonly string[]])[] = [
  ["@gradlab/tfjs-models", ["@gradlab/receptive-field"]],
  ["@gradlab/torch-files", ["@gradlab/safetensors", "fflate"]],
];

test.each(alone)(
  "%s is installed alone, with %j, and its example runs",
  (name, along) => {
    const folder = mkdtempSync(join(tmpdir(), "gradlab-alone-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const tarball = (wanted: string) => {
      const { manifest } = libraries.find((library) => library.manifest.name === wanted)!;
      return `file:${tarballOf(manifest, inject("tarballs"))}`;
    };
    // The overrides stand for the registry.
    const own = along.filter((one) => one.startsWith("@gradlab/"));
    writeFileSync(
      join(folder, "package.json"),
      JSON.stringify({
        private: true,
        type: "module",
        dependencies: { [name]: tarball(name) },
        overrides: Object.fromEntries(own.map((one) => [one, tarball(one)])),
      }),
    );
    execFileSync("npm", ["install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"], {
      cwd: folder,
      stdio: ["ignore", "ignore", "inherit"],
    });
    const modules = join(folder, "node_modules");
    const installed = readdirSync(modules).flatMap((entry) =>
      entry.startsWith(".")
        ? []
        : entry.startsWith("@")
          ? readdirSync(join(modules, entry)).map((inner) => `${entry}/${inner}`)
          : [entry],
    );
    expect(installed.sort()).toEqual([name, ...along].sort());
    const source = libraries.find((library) => library.manifest.name === name)!.folder;
    const { code } = transformSync(readFileSync(join(source, "examples/minimal.ts"), "utf8"), {
      loader: "ts",
    });
    writeFileSync(join(folder, "example.js"), code);
    const { status, stderr, stdout } = spawnSync(process.execPath, ["example.js"], {
      cwd: folder,
      encoding: "utf8",
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(readFileSync(join(source, "README.md"), "utf8")).toContain(`\`\`\`text\n${stdout}\`\`\``);
  },
  60_000,
);
