import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { surveyed } from "../geometry/support-table.js";
import type { SurveyRow } from "../geometry/survey.js";
import { rowsJson } from "../geometry/survey-backend.js";
import { type BundledPage, bundlePage } from "./bundle-page.js";
import type { GeometryPage } from "./geometry-page.js";
import { openPage } from "./open-page.js";

let bundle: BundledPage;
beforeAll(async () => {
  bundle = await bundlePage({ file: join(import.meta.dirname, "geometry-page.ts") });
});
afterAll(() => bundle.remove());

// Would show that a repair is gone, or that something is repaired which the list still has.
test("webgl in Chromium: what fails of random shapes is what the list says, and nothing else", async () => {
  const { page, close } = await openPage(bundle.folder, { gpu: true });
  try {
    await page.waitForFunction(() => "surveyOp" in globalThis, null, { timeout: 60_000 });
    const names = await page.evaluate(() => (globalThis as unknown as GeometryPage).open());
    const rows: SurveyRow[] = [];
    for (const name of names) {
      const found = await page.evaluate(
        ([op, runs]) => (globalThis as unknown as GeometryPage).surveyOp(op, runs),
        [name, surveyed.webgl] as const,
      );
      rows.push(...found);
      if (process.env.GRADLAB_GEOMETRY_SHOW)
        process.stdout.write(`${name}: ${found.length === 0 ? "right" : JSON.stringify(found)}\n`);
    }
    await expect(rowsJson(rows)).toMatchFileSnapshot("../geometry/results/webgl.json");
  } finally {
    await close();
  }
}, 3_600_000);
