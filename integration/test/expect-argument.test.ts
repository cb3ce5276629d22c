import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

/*
 * Packages without a dependency check their arguments too, so that the checks are no package of their own: the part
 * that all have in common is one text in every package that checks arguments.
 */
const packages = new URL("../../packages/", import.meta.url);

test("the checks of arguments that packages have in common are the same text in all of them", () => {
  const files = readdirSync(packages, { recursive: true, encoding: "utf8" }).filter(
    (file) => /\/src\/(.*\/)?expect-argument\.ts$/.test(file) && !file.includes("node_modules"),
  );
  expect(files.sort()).toEqual(
    expect.arrayContaining([
      "classic-cnns/src/expect-argument.ts",
      "core/src/expect-argument.ts",
      "datasets/src/expect-argument.ts",
      "lms/src/expect-argument.ts",
      "random/src/expect-argument.ts",
    ]),
  );
  const texts = new Set(files.map((file) => readFileSync(new URL(file, packages), "utf8")));
  expect(texts.size).toBe(1);
});
