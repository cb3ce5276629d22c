import { readFileSync } from "node:fs";
import { expect, test, vi } from "vitest";
import { readmeTable } from "../scripts/readme-table.js";

const read = (file: string) => readFileSync(new URL(`../${file}`, import.meta.url), "utf8");

function withSection(readme: string, name: string, content: string): string {
  const section = new RegExp(`(<!-- ${name}:[^\\n]*-->\\n)[^]*?(\\n<!-- end -->)`);
  expect(readme).toMatch(section);
  return readme.replace(section, (_, begin, end) => `${begin}\n${content.trim()}\n${end}`);
}

test("the README holds the numbers that the code gives and the example as it is", async () => {
  let readme = withSection(read("README.md"), "table", readmeTable());
  readme = withSection(readme, "example", `\`\`\`ts\n${read("examples/minimal.ts")}\`\`\``);
  // `vitest run -u` writes the file.
  await expect(readme).toMatchFileSnapshot("../README.md");
});

test("the example runs, in at most 12 lines", async () => {
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  await import("../examples/minimal.js");
  const lines = log.mock.calls.map(([line]) => line);
  log.mockRestore();
  expect(lines).toHaveLength(3);
  expect(String(lines[0]).split(" ").toSorted().join("")).toBe("012345");
  for (const x of lines[1].split(" ").map(Number)) expect(Math.abs(x)).toBeLessThan(8 / 255);
  expect(lines[2]).toBe(true);
  expect(read("examples/minimal.ts").trimEnd().split("\n").length).toBeLessThanOrEqual(12);
});
