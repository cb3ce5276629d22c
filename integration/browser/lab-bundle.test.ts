import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";

const built = new URL("../../apps/lab/dist/", import.meta.url).pathname;

/** What a page loads before it can show anything: the script of its HTML, and all that this one imports. */
function mainBundle(): Map<string, string> {
  const html = readFileSync(join(built, "index.html"), "utf8");
  const [, entry] = /<script type="module"[^>]* src="\.\/([^"]+)"/.exec(html)!;
  const chunks = new Map<string, string>();
  const follow = (file: string) => {
    if (chunks.has(file)) return;
    const code = readFileSync(join(built, file), "utf8");
    chunks.set(file, code);
    for (const [, name] of code.matchAll(/(?:\bfrom|\bimport)\s*["']\.\/([^"']+\.js)["']/g))
      follow(`assets/${name}`);
  };
  follow(entry!);
  return chunks;
}

test("the main bundle is below 150 kB, gzipped, and holds nothing of tfjs", () => {
  const chunks = mainBundle();
  const size = [...chunks.values()].reduce((sum, code) => sum + gzipSync(code).length, 0) / 1000;
  console.info(`main bundle: ${size.toFixed(1)} kB gzipped in ${chunks.size} chunks`);
  expect(size).toBeLessThan(150);
  expect(size).toBeGreaterThan(5);
  for (const code of chunks.values()) expect(code).not.toMatch(/registerKernel|tfjs-core|setBackend\b/);
});
