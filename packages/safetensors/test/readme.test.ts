import { readFileSync } from "node:fs";
import { expect, test, vi } from "vitest";
import { DTYPES } from "../src/dtype.js";

const read = (file: string) => readFileSync(new URL(`../${file}`, import.meta.url), "utf8");
const readme = read("README.md");
const example = read("examples/minimal.ts");

test("the example of the README is examples/minimal.ts, in at most 12 lines", () => {
  const block = /```ts\n([\s\S]*?)```/.exec(readme)?.[1];
  expect(block).toBe(example);
  expect(example.trimEnd().split("\n").length).toBeLessThanOrEqual(12);
});

test("the example runs and prints what the README says", async () => {
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  try {
    await import("../examples/minimal.js");
    expect(log.mock.calls).toEqual([["pt", [2, 3], new Uint16Array([0x3800, 0xc000])]]);
  } finally {
    log.mockRestore();
  }
  expect(readme).toContain("pt [ 2, 3 ] Uint16Array(2) [ 14336, 49152 ]");
});

test("the table of the README lists every dtype with its bytes and array, in the order of the file", () => {
  const rows = [...readme.matchAll(/^\| `(\w+)` *\| (\d) *\| `(\w+)` *\|/gm)].map(([, ...cells]) => cells);
  const expected = Object.entries(DTYPES).map(([name, { size, array }]) => [name, `${size}`, array.name]);
  expect(rows).toEqual(expected);
});
