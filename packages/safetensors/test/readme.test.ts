import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { DTYPES } from "../src/dtype.js";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

test("the table of the README lists every dtype with its bytes and array, in the order of the file", () => {
  const rows = [...readme.matchAll(/^\| `(\w+)` *\| (\d) *\| `(\w+)` *\|/gm)].map(([, ...cells]) => cells);
  const expected = Object.entries(DTYPES).map(([name, { size, array }]) => [name, `${size}`, array.name]);
  expect(rows).toEqual(expected);
});
