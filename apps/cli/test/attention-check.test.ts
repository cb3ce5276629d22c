import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { gradlab, temporaryFolder } from "./run-gradlab.js";

const json = async (...argv: string[]) => {
  const { code, stdout, stderr } = await gradlab([
    "attention-check",
    ...argv,
    "--backend",
    "cpu",
    "--json",
    "--quiet",
  ]);
  expect([code, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout);
};

test("attention without positions commutes with all 120 permutations, and every row of its map adds up to 1", async () => {
  const result = await json();
  expect(result).toMatchObject({
    command: "attention-check",
    backend: { actual: "cpu" },
    equivariant: { holds: true, held: 120, elements: 120, unchanged: 1, vacuous: null },
    pooled: { holds: true, held: 120, vacuous: null },
    expected: true,
  });
  expect(result.equivariant.deviation).toBeLessThanOrEqual(1e-6 * result.equivariant.largest);
  expect(result.weights).toHaveLength(2);
  for (const row of result.weights.flat()) {
    expect(row).toHaveLength(5);
    expect(Math.abs(row.reduce((a: number, b: number) => a + b, 0) - 1)).toBeLessThan(1e-6);
  }
});

test.each([
  [["--position", "sinusoidal"]],
  [["--position", "learned"]],
  [["--position", "rotary"]],
  [["--position", "alibi"]],
  [["--causal"]],
])("%j breaks it, as it should", async (argv) => {
  const { equivariant, expected, weights } = await json(...argv);
  expect(expected).toBe(false);
  expect(equivariant).toMatchObject({ holds: false, vacuous: null });
  expect(equivariant.held).toBeLessThanOrEqual(2);
  const later = weights.flatMap((rows: number[][]) => rows.flatMap((row, i) => row.slice(i + 1)));
  expect(later.every((weight: number) => weight === 0)).toBe(argv.includes("--causal"));
});

test("text says the verdicts, a map is drawn, and more than 7 tokens are sampled", async () => {
  const out = join(await temporaryFolder(), "map.svg");
  const { code, stdout, stderr } = await gradlab([
    "attention-check",
    "--tokens",
    "9",
    "--heads",
    "4",
    "--backend",
    "cpu",
    "--out",
    out,
    "--quiet",
  ]);
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/f\(PX\) = P f\(X\) +holds +200 of 200/);
  expect((await readFile(out, "utf8")).match(/<rect/g)).toHaveLength(4 * 81);
});

test("sizes that do not go together are wrong usage", async () => {
  for (const [argv, message] of [
    [["--heads", "3"], "--heads: expected a divisor of --width 8, got 3"],
    [
      ["--position", "rotary", "--heads", "8"],
      "--width: expected an even number for each head with --position rotary, got 1",
    ],
    [["--tokens", "1"], "option '--tokens <n>' argument '1' is invalid"],
  ] as const) {
    const { code, stderr } = await gradlab(["attention-check", ...argv]);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  }
});
