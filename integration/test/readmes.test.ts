import { existsSync, readdirSync, readFileSync } from "node:fs";
import { format } from "node:util";
import { env } from "@tensorflow/tfjs-core";
import { expect, test, vi } from "vitest";
import { markdownTable, withSection } from "./readme-section.js";

/*
 * What the README of every package shows is what its code does: the table of
 * numbers comes from scripts/readme-table.ts, the example is
 * examples/minimal.ts, and what it prints was printed. `npm test -- -u` writes
 * all three into the README.
 */

// tfjs's own flag for programs in production: without it the cpu backend advertises another backend on the console.
env().set("PROD", true);

const packagesFolder = new URL("../../packages/", import.meta.url);

/** Runs an example and returns what it printed. */
async function printed(example: URL): Promise<string> {
  const lines: string[] = [];
  const log = vi.spyOn(console, "log").mockImplementation((...values) => void lines.push(format(...values)));
  try {
    await import(example.href);
  } finally {
    log.mockRestore();
  }
  return lines.join("\n");
}

for (const name of readdirSync(packagesFolder)) {
  const folder = new URL(`${name}/`, packagesFolder);
  const manifest = new URL("package.json", folder);
  // Private packages are part of the apps: nobody installs them.
  if (!existsSync(manifest) || JSON.parse(readFileSync(manifest, "utf8")).private) continue;

  test(`the README of ${name} shows what its code does`, async () => {
    let readme = readFileSync(new URL("README.md", folder), "utf8");
    const example = new URL("examples/minimal.ts", folder);
    const code = readFileSync(example, "utf8");
    expect(code.split("\n").filter((line) => line !== "").length).toBeLessThanOrEqual(12);
    const output = await printed(example);
    expect(output).not.toBe("");
    readme = withSection(
      readme,
      "example",
      `\`\`\`ts\n${code}\`\`\`\n\nprints\n\n\`\`\`text\n${output}\n\`\`\``,
    );
    const script = new URL("scripts/readme-table.ts", folder);
    if (existsSync(script)) {
      const { readmeTable } = (await import(script.href)) as { readmeTable: () => string[][] };
      readme = withSection(readme, "table", markdownTable(readmeTable()));
    }
    await expect(readme).toMatchFileSnapshot(new URL("README.md", folder).pathname);
    expect(readme.startsWith(`# @gradlab/${name}\n`)).toBe(true);
    expect(readme).toContain(`npm install @gradlab/${name}`);
    for (const heading of ["Install", "Example", "Shapes and memory", "Sources"]) {
      expect(readme).toContain(`\n## ${heading}\n`);
    }
  }, 60_000);
}
