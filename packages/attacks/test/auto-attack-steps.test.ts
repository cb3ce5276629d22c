import { readFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { type Attack, apgd, type Draws, type RunOptions, runAttack, square } from "../src/index.js";
import { type GoldenNetwork, goldenNetwork } from "./golden-network.js";
import { useBackend } from "./models.js";

/*
 * The program of AutoAttack's authors has asked a small network about points, one after the other; here the same network
 * is asked about the same points, with the same random numbers.
 */

interface Case {
  readonly norm: "linf" | "l2" | "l1";
  readonly epsilon: number;
  readonly samples: readonly { readonly points: number[][]; readonly drawn?: number[] }[];
}

const golden: GoldenNetwork & {
  readonly square: (Case & { readonly share: number; readonly queries: number })[];
  readonly apgd: (Case & { readonly loss: "ce" | "dlr"; readonly steps: number })[];
} = JSON.parse(readFileSync(new URL("golden/auto-attack.json", import.meta.url), "utf8"));
// Their rounding errors are no points of their own.
const { image, imageOf, traced, expectSameLogits } = goldenNetwork(golden, [10, 2], 1e-6);

beforeAll(() => useBackend("cpu"));

/** The different points that an attack asks the network about, after the image itself. */
async function pointsOf(attack: Attack, i: number, options: RunOptions): Promise<number[][]> {
  const { classifier, points } = traced();
  const { adversarial } = await runAttack(classifier, attack, image(i), [golden.labels[i]!], {
    until: "best",
    preflight: false,
    ...options,
  });
  adversarial.dispose();
  return points.slice(1);
}

/** Random numbers that were drawn elsewhere, in their order. */
function recorded(drawn: readonly number[]): Draws & { readonly left: () => number } {
  const numbers = [...drawn];
  const next = () => numbers.shift() ?? Number.NaN;
  return {
    uniform: (count) => Float64Array.from({ length: count }, next),
    integer: next,
    normal: (count) => Float64Array.from({ length: count }, () => Number.NaN),
    left: () => numbers.length,
  };
}

/** Rounding errors of single precision, through as many steps as there are. */
const tolerance = 2e-5;

function expectSamePoints(own: readonly number[][], theirs: readonly number[][]): void {
  const different = theirs.findIndex((point, k) =>
    point.some((value, j) => !(Math.abs(value - (own[k]?.[j] ?? Number.NaN)) < tolerance)),
  );
  expect(different).toBe(-1);
}

test("the network is the one that the authors' program has attacked", expectSameLogits);

test.each(golden.square)(
  "square in $norm with a first share of $share asks about the authors' points",
  async ({ norm, epsilon, share, queries, samples }) => {
    for (const [i, { points, drawn }] of samples.entries()) {
      const draws = recorded(drawn!);
      const attack = square({ norm, share, queries });
      const own = await pointsOf(attack, i, { epsilon, draws: () => draws });
      expect(draws.left()).toBe(0);
      expect(points.length).toBeGreaterThan(7);
      expectSamePoints(own, points);
    }
  },
);

test.each(golden.apgd)(
  "apgd in l1 with $loss asks about the authors' points",
  async ({ norm, epsilon, loss, steps, samples }) => {
    for (const [i, { points }] of samples.entries()) {
      // Theirs leave rounding errors where nothing has changed, which is counted.
      const first = points[0]!.map((value, j) => {
        const clean = golden.images[i]![j]!;
        return Math.abs(value - clean) < 1e-6 ? clean : value;
      });
      const start = imageOf(first);
      const own = await pointsOf(apgd({ norm, loss, steps }), i, { epsilon, start });
      expect(points.length).toBeGreaterThan(steps / 2);
      expectSamePoints(own, points);
    }
  },
);
