import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { geometryOps } from "../geometry/ops.js";
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
    await page.waitForFunction(() => "surveyWebgl" in globalThis, null, { timeout: 60_000 });
    const rows: SurveyRow[] = [];
    for (const name of await page.evaluate(() => (globalThis as unknown as GeometryPage).openWebgl())) {
      const found = await page.evaluate(
        ([op, runs]) => (globalThis as unknown as GeometryPage).surveyWebgl(op, runs),
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

/** Cases of each op and mode in a page of wasm; Node runs more of them. */
const RUNS = Number(process.env.GRADLAB_GEOMETRY_RUNS ?? 15);

test.each(
  [
    { binary: "relaxed", isolated: true, threads: 2, options: { threads: 2 } },
    { binary: "relaxed", isolated: false, threads: 1, options: {} },
    // What the matrix of Node has too: by hand, with `GRADLAB_WASM_PAGES=all`.
    { binary: "relaxed", isolated: true, threads: 4, options: { threads: 4 } },
    { binary: "relaxed", isolated: true, threads: 1, options: { threads: 1 } },
    { binary: "plain", isolated: true, threads: 2, options: { relaxedSimd: false, threads: 2 } },
    { binary: "plain", isolated: false, threads: 1, options: { relaxedSimd: false } },
    { binary: null, isolated: false, threads: 1, options: { companion: false } },
  ].slice(0, process.env.GRADLAB_WASM_PAGES === "all" ? undefined : 2),
)(
  "wasm in Chromium, $binary, isolated: $isolated, threads: $threads: random shapes are right",
  async ({ binary, isolated, threads, options }) => {
    const { page, close } = await openPage(bundle.folder, { isolated });
    try {
      await page.waitForFunction(() => "surveyWasm" in globalThis, null, { timeout: 60_000 });
      const { names, ...computes } = await page.evaluate(
        (given) => (globalThis as unknown as GeometryPage).openWasm(given),
        options,
      );
      expect(computes).toEqual({ binary, threads });
      const rows: SurveyRow[] = [];
      for (const name of names) {
        rows.push(
          ...(await page.evaluate(
            ([op, runs]) => (globalThis as unknown as GeometryPage).surveyWasm(op, runs),
            [name, RUNS] as const,
          )),
        );
      }
      // What wasm refuses, it refuses in every case and mode.
      const refused = geometryOps
        .filter(({ on }) => on && !on.includes("wasm"))
        .flatMap(({ name, noGradient, second }) =>
          (
            [
              "value",
              ...(noGradient ? [] : ["gradient"]),
              ...(second && !noGradient ? ["second"] : []),
            ] as const
          ).map((mode) => ({ op: name, mode, ran: RUNS, failed: RUNS, kinds: "throws" })),
        );
      expect(rows.map(({ says: _, example: __, ...row }) => row)).toEqual(refused);
    } finally {
      await close();
    }
  },
  3_600_000,
);
