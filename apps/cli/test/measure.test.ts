import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import * as measuring from "../../../packages/studies/src/studies/receptive-field/measure-unit.js";
import { gradlab, temporaryFolder } from "./run-gradlab.js";

vi.mock("../../../packages/studies/src/studies/receptive-field/measure-unit.js", { spy: true });
afterEach(() => {
  vi.mocked(measuring.measureUnit).mockReset();
});

const residual = [
  "receptive-field",
  "--spec",
  "conv1 5/1 p2, pool1 2/2, a 3/1 p1, b 3/1 p1, sum = pool1 + b",
  "--input",
  "20,24",
  "--measure",
  "--backend",
  "cpu",
];

test("--measure finds by the gradient what the arithmetic names, of the middle unit unless told", async () => {
  const { code, stdout, stderr } = await gradlab([...residual, "--json"]);
  expect([code, stderr]).toEqual([0, ""]);
  const { backend, measured } = JSON.parse(stdout);
  expect(backend).toEqual({ requested: "cpu", actual: "cpu", device: null, software: null });
  // Five convolved taps, then pooled, then two 3x3 on every second pixel: 5 + 1 + 2 · 2 + 2 · 2 = 14 pixels.
  const reach = { pixels: [[4, 17], [6, 19]], contributing: 14 * 14 }; // biome-ignore format: ranges
  expect(measured).toMatchObject({ layer: "sum", index: [5, 6], arithmetic: reach, gradient: reach });
  expect(measured.effective.contours.map(({ mass }: { mass: number }) => mass)).toEqual([0.5, 0.95]);
  expect(measured.effective.center).toEqual([10.5, 12.5].map((at) => expect.closeTo(at, 4)));
  expect(measured.effective.rows).toBeUndefined();
});

test("--measure takes the unit that is asked for, and shows both ways below the table", async () => {
  const { code, stdout } = await gradlab([...residual, "--layer", "pool1", "--unit", "0,11"]);
  expect(code).toBe(0);
  expect(stdout).toContain(
    [
      "unit (0, 11) of pool1, measured on cpu",
      "found by      y      x  pixels",
      "arithmetic  0…3  20…23      16",
      "gradient    0…3  20…23      16",
      "of its gradient, all weights being equal, lie 50 %",
    ].join("\n"),
  );
});

test("--measure draws how much each pixel moves the unit", async () => {
  const out = join(await temporaryFolder(), "measured.svg");
  expect((await gradlab([...residual, "--out", out, "--quiet"])).code).toBe(0);
  expect(await readFile(out, "utf8")).toContain('aria-label="How much each pixel moves the unit"');
});

test("networks in one dimension are measured too", async () => {
  const argv = ["--spec", "1d: a 3/2, b 5/1 d2", "--input", "40", "--measure", "--backend", "cpu", "--json"];
  const { measured } = JSON.parse((await gradlab(["receptive-field", ...argv])).stdout);
  const reach = { pixels: [[10, 28]], contributing: 15 }; // five triples, one pixel apart
  expect(measured).toEqual({ layer: "b", index: [5], arithmetic: reach, gradient: reach, effective: null });
});

test("a gradient that is elsewhere is a check that does not hold: exit code 3, after the result", async () => {
  vi.mocked(measuring.measureUnit).mockResolvedValueOnce({
    layer: "sum",
    index: [5, 6],
    arithmetic: { pixels: [[4, 17], [6, 19]], contributing: 196 },
    gradient: { pixels: [[4, 17], [6, 19]], contributing: 195 },
    effective: null,
  }); // biome-ignore format: ranges
  const { code, stdout, stderr } = await gradlab([...residual, "--json"]);
  expect(code).toBe(3);
  expect(JSON.parse(stdout).measured.gradient.contributing).toBe(195);
  expect(JSON.parse(stderr).error.message).toBe(
    "unit (5, 6) of sum: expected a gradient at 4…17 x 6…19, 196 pixels, got one at 4…17 x 6…19, 195 pixels",
  );
});

test("without a size there is nothing to measure on, without a backend nothing to measure with", async () => {
  const open = await gradlab(["receptive-field", "--spec", "a 3/1", "--measure"]);
  expect([open.code, open.stderr]).toEqual([
    2,
    "gradlab: --measure: expected an input of known size, got none (say --input H,W)\n",
  ]);
  const argv = ["receptive-field", "--spec", "a 3/1", "--input", "9", "--backend", "tfjs-node-gpu"];
  const absent = await gradlab([...argv, "--measure"]);
  expect([absent.code, absent.stdout]).toEqual([4, ""]);
  expect(absent.stderr).toMatch(/^gradlab: --backend tfjs-node-gpu: [^\n]+\n$/);
  // A command that needs no backend does not look for it.
  const ignored = await gradlab([...argv, "--json"]);
  expect(ignored.code).toBe(0);
  expect(JSON.parse(ignored.stdout).backend).toEqual({
    requested: "tfjs-node-gpu",
    actual: null,
    device: null,
    software: null,
  });
});
