import { readFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import {
  type Attack,
  apgd,
  bim,
  carliniWagner,
  ddn,
  deepFool,
  elasticNet,
  fab,
  fgsm,
  miFgsm,
  pgd,
  type RunOptions,
  runAttack,
} from "../src/index.js";
import { type GoldenNetwork, goldenNetwork } from "./golden-network.js";
import { useBackend } from "./models.js";

/*
 * Attacks of other libraries have asked a small network about points, one after the other; here the same network is asked
 * about the same points, in the same order.
 */

const golden: GoldenNetwork & { readonly points: Record<string, number[][][]> } = JSON.parse(
  readFileSync(new URL("golden/steps.json", import.meta.url), "utf8"),
);
const { image, imageOf, traced, expectSameLogits } = goldenNetwork(golden, [6, 1]);

beforeAll(() => useBackend("cpu"));

test("the network is the one that the other libraries have attacked", expectSameLogits);

interface Case {
  readonly attack: Attack;
  readonly options?: RunOptions;
  /** Where their attack begins, among their points, when it draws its start. */
  readonly start?: number;
  readonly targeted?: true;
  /** Rounding errors of single precision, through as many steps as there are. */
  readonly tolerance?: number;
}

const cases: Record<string, Case> = {
  fgsm: { attack: fgsm(), options: { epsilon: 0.1 } },
  bim: { attack: bim({ steps: 6, relativeStep: 0.2 }), options: { epsilon: 0.1 } },
  pgd: { attack: pgd({ steps: 8, relativeStep: 0.3 }), options: { epsilon: 0.1 }, start: 0 },
  "pgd-l2": {
    attack: pgd({ norm: "l2", steps: 8, relativeStep: 0.4, randomStart: false }),
    options: { epsilon: 0.5 },
  },
  "mi-fgsm": { attack: miFgsm({ steps: 8, relativeStep: 0.2, decay: 0.9 }), options: { epsilon: 0.1 } },
  "apgd-ce": {
    attack: apgd({ steps: 25, countsFromZero: true }),
    options: { epsilon: 0.15 },
    start: 1,
  },
  "apgd-ce-l2": {
    attack: apgd({ norm: "l2", steps: 18, countsFromZero: true }),
    options: { epsilon: 0.6 },
    start: 1,
  },
  "apgd-dlr": {
    attack: apgd({ norm: "l2", loss: "dlr", steps: 14, countsFromZero: true }),
    options: { epsilon: 0.1 },
    start: 1,
  },
  fab: { attack: fab({ steps: 8, targets: "nearest" }) },
  "fab-l2": { attack: fab({ norm: "l2", steps: 8, targets: "nearest" }) },
  "fab-l1": { attack: fab({ norm: "l1", steps: 8, targets: "nearest" }) },
  deepfool: { attack: deepFool({ steps: 10, knowsBounds: false }) },
  "deepfool-linf": { attack: deepFool({ norm: "linf", steps: 10, knowsBounds: false }) },
  cw: {
    attack: carliniWagner({
      searches: 4,
      steps: 12,
      learningRate: 0.05,
      initialConstant: 0.1,
      abortsEarly: false,
    }),
  },
  "cw-targeted": {
    attack: carliniWagner({ searches: 4, steps: 12, learningRate: 0.05, initialConstant: 1 }),
    targeted: true,
  },
  ead: { attack: elasticNet({ searches: 3, steps: 10, learningRate: 0.05, initialConstant: 1, beta: 0.01 }) },
  ddn: { attack: ddn({ steps: 15, initialRadius: 0.5 }) },
};

test.each(Object.keys(golden.points))(
  "%s asks about the points that the other library asks about",
  async (name) => {
    const { attack, options = {}, start, targeted, tolerance = 2e-5 } = cases[name]!;
    expect(Math.max(...golden.points[name]!.map((points) => points.length))).toBeGreaterThan(
      name === "fgsm" ? 0 : 4,
    );
    for (const [i, theirs] of golden.points[name]!.entries()) {
      const { classifier, points } = traced();
      const label = golden.labels[i]!;
      const { adversarial } = await runAttack(classifier, attack, image(i), [label], {
        ...options,
        until: "best",
        preflight: false,
        ...(targeted && { targets: [(label + 1) % 4] }),
        ...(start !== undefined && { start: imageOf(theirs[start]!) }),
      });
      adversarial.dispose();
      const wanted = start === undefined ? theirs : theirs.slice(start);
      // Ours begins with the image itself, and ends with the certificate of what it has found.
      const offsets = [0, 1, 2].map((from) =>
        wanted.map((point, k) => largestDifference(points[from + k], point)),
      );
      const worst = offsets.map((differences) => Math.max(...differences));
      const own = offsets[worst.indexOf(Math.min(...worst))]!;
      expect([name, i, own.findIndex((difference) => !(difference < tolerance))]).toEqual([name, i, -1]);
    }
  },
);

function largestDifference(a: readonly number[] | undefined, b: readonly number[]): number {
  if (a === undefined) return Number.POSITIVE_INFINITY;
  return Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));
}
