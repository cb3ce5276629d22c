import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";

const root = new URL("../../", import.meta.url).pathname;
const folders = ["packages", "apps"].flatMap((parent) =>
  readdirSync(join(root, parent))
    .map((name) => join(parent, name))
    .filter((folder) => existsSync(join(root, folder, "src"))),
);

/** The files of `src` that each file imports from, types too. */
function importsOf(folder: string): Map<string, string[]> {
  const src = join(root, folder, "src");
  const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".ts"),
  );
  return new Map(
    files.map((file) => {
      const code = readFileSync(join(src, file), "utf8").replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
      const targets = [...code.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*["'](\.[^"']+)["']/g)].map(
        ([, target]) => join(dirname(file), target!).replace(/\.js$/, ".ts"),
      );
      return [file, targets.filter((target) => files.includes(target))];
    }),
  );
}

/** A way through imports that comes back to where it began, if there is one. */
function circleIn(imports: ReadonlyMap<string, readonly string[]>): string[] | null {
  const done = new Set<string>();
  const walk = (file: string, way: readonly string[]): string[] | null => {
    const at = way.indexOf(file);
    if (at >= 0) return [...way.slice(at), file];
    if (done.has(file)) return null;
    for (const next of imports.get(file) ?? []) {
      const circle = walk(next, [...way, file]);
      if (circle !== null) return circle;
    }
    done.add(file);
    return null;
  };
  for (const file of imports.keys()) {
    const circle = walk(file, []);
    if (circle !== null) return circle;
  }
  return null;
}

test("a circle is found, behind a way that leads to it, and none where there is none", () => {
  const lasso = new Map([["a", ["b"]], ["b", ["c", "d"]], ["c", []], ["d", ["b"]]]); // biome-ignore format: a graph
  expect(circleIn(lasso)).toEqual(["b", "d", "b"]);
  expect(circleIn(new Map([["a", ["a"]]]))).toEqual(["a", "a"]);
  expect(circleIn(new Map([["a", ["b", "c"]], ["b", ["c"]], ["c", []]]))).toBeNull(); // biome-ignore format: a graph
});

test.each(folders)("no file of %s imports itself by any way, types included", (folder) => {
  const imports = importsOf(folder);
  expect(imports.size).toBeGreaterThan(0);
  expect(circleIn(imports)?.join(" → ") ?? null).toBeNull();
});
