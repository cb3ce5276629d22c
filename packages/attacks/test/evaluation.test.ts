import {
  add,
  customGrad,
  mul,
  randomNormal,
  round,
  slice,
  softmax,
  type Tensor,
  tidy,
} from "@tensorflow/tfjs-core";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  type Attack,
  apgd,
  type Classifier,
  diagnose,
  evaluateRobustness,
  fab,
  fgsm,
  pgd,
  type RobustnessResult,
  runAttack,
  summarizeRobustness,
} from "../src/index.js";
import { expectNoLeak, predictions, smallCnn, uniformTensor, useBackend } from "./models.js";

let x: Tensor;
let labels: number[];
const model = smallCnn();
beforeAll(async () => {
  await useBackend("wasm");
  x = uniformTensor([20, 8, 8, 1], "evaluation");
  labels = await predictions(model, x);
  labels[3] = (labels[3]! + 1) % 5;
});
beforeEach(() => useBackend("wasm"));

async function evaluated(
  attacks: readonly Attack[],
  epsilons: readonly number[],
  options = {},
): Promise<RobustnessResult> {
  const steps = evaluateRobustness(model, attacks, x, labels, { epsilons, preflight: false, ...options });
  for (;;) {
    const next = await steps.next();
    if (next.done) return next.value;
  }
}

const radii = [0, 0.01, 0.02, 0.03, 0.05];

describe("the curve", () => {
  test("never rises, begins at the clean accuracy, and counts by both denominators", async () => {
    await expectNoLeak(async () => {
      const { summary } = await evaluated([pgd({ steps: 5, relativeStep: 0.25 })], radii);
      expect(summary).toMatchObject({ samples: 20, correct: 19, cleanAccuracy: 0.95 });
      expect(summary.curve[0]).toEqual({ epsilon: 0, standing: 19, robustAccuracy: 0.95, ofCorrect: 1 });
      const standing = summary.curve.map((point) => point.standing);
      expect(standing).toEqual([...standing].sort((a, b) => b - a));
      expect(standing.at(-1)).toBeLessThan(standing[0]!);
      for (const point of summary.curve) expect(point.ofCorrect).toBe(point.standing / 19);
    });
  });

  test("is that of the worst attack: another one, more steps or more restarts only lower it", async () => {
    const standing = async (attacks: readonly Attack[]) =>
      (await evaluated(attacks, radii)).summary.curve.map((point) => point.standing);
    const one = await standing([fgsm()]);
    const two = await standing([fgsm(), pgd({ steps: 8, relativeStep: 0.25 })]);
    const three = await standing([
      fgsm(),
      pgd({ steps: 8, relativeStep: 0.25 }),
      fab({ steps: 5, targets: 2 }),
    ]);
    const restarted = await standing([fgsm(), pgd({ steps: 8, relativeStep: 0.25, restarts: 2 })]);
    for (let i = 0; i < radii.length; i++) {
      expect(two[i]).toBeLessThanOrEqual(one[i]!);
      expect(three[i]).toBeLessThanOrEqual(two[i]!);
      expect(restarted[i]).toBeLessThanOrEqual(two[i]!);
    }
    expect(two).not.toEqual(one);
  });

  test("of the nearest images is as low as that of attacks within ε, up to a few images", async () => {
    const nearest = await evaluated([fab({ steps: 15, targets: 3 })], radii);
    const within = await evaluated([apgd({ steps: 30 })], radii);
    for (const [i, point] of nearest.summary.curve.entries()) {
      expect(Math.abs(point.standing - within.summary.curve[i]!.standing)).toBeLessThanOrEqual(1);
    }
  });

  test("is put together from shards as if they had been one", async () => {
    const attacks = [pgd({ steps: 5, relativeStep: 0.25 })];
    const whole = await evaluated(attacks, radii);
    const parts = await Promise.all(
      [
        [0, 7],
        [7, 20],
      ].map(async ([from, to]) => {
        const steps = evaluateRobustness(
          model,
          attacks,
          slice(x, [from!], [to! - from!]),
          labels.slice(from, to),
          {
            epsilons: radii,
            preflight: false,
            ids: Array.from({ length: to! - from! }, (_, i) => from! + i),
          },
        );
        for (;;) {
          const next = await steps.next();
          if (next.done) return next.value.samples;
        }
      }),
    );
    expect(parts.flat()).toEqual(whole.samples);
    expect(summarizeRobustness(parts.flat(), radii)).toEqual(whole.summary);
  });

  test("stops at an abort with what is known until then, and refuses radii that do not grow", async () => {
    const controller = new AbortController();
    const steps = evaluateRobustness(model, [pgd()], x, labels, {
      epsilons: radii,
      signal: controller.signal,
    });
    await steps.next();
    controller.abort();
    let next = await steps.next();
    while (!next.done) next = await steps.next();
    expect(next.value.interrupted).toBe(true);
    await expect(evaluated([pgd()], [0.1, 0.1])).rejects.toThrow(
      /epsilons\[1\]: expected more than 0.1, got 0.1/,
    );
    await expect(evaluated([], [0.1])).rejects.toThrow(/attacks: expected at least one attack/);
    await expect(evaluated([pgd(), pgd({ norm: "l2" })], [0.1])).rejects.toThrow(/one norm, got linf and l2/);
  });
});

/** The same decisions, behind something that keeps gradients from showing how they are made. */
const masks: Record<string, (images: Tensor, logits: (images: Tensor) => Tensor) => Tensor> = {
  "a softmax at the end": (images, logits) => softmax(logits(images)),
  "logits that saturate the cross-entropy": (images, logits) => mul(logits(images), 1e4),
  "rounded inputs": (images, logits) => logits(mul(round(mul(images, 8)), 1 / 8)),
  noise: (images, logits) => add(logits(images), mul(randomNormal([images.shape[0]!, 5]), 2)),
  "a gradient of the wrong sign": (images, logits) =>
    logits(
      customGrad((z) => ({ value: (z as Tensor).clone(), gradFunc: (dy) => mul(dy as Tensor, -1) }))(images),
    ),
};

describe("the diagnosis", () => {
  const look = (classifier: Classifier) => diagnose(classifier, x, labels, { epsilon: 0.05, batchSize: 20 });

  test("finds nothing wrong with a network that hides nothing", async () => {
    await expectNoLeak(async () => {
      const { findings, evidence } = await look(model);
      expect(findings).toEqual([]);
      expect(evidence.gradientAgrees).toBeGreaterThan(0.7);
      expect(evidence.unbounded).toBe(evidence.correct);
    });
  });

  test.each(Object.keys(masks))("finds %s, with evidence and what to do", async (name) => {
    const masked: Classifier = {
      ...model,
      logits: (images) => tidy(() => masks[name]!(images, (z) => model.logits(z, []))),
    };
    const { findings } = await look(masked);
    expect(findings.length).toBeGreaterThan(0);
    for (const { evidence, advice } of findings) {
      expect(evidence.length).toBeGreaterThan(10);
      expect(advice.length).toBeGreaterThan(10);
    }
    const kinds = findings.map(({ kind }) => kind);
    const expected = {
      "a softmax at the end": "softmax",
      "logits that saturate the cross-entropy": "zero-gradient",
      "rounded inputs": "zero-gradient",
      noise: "nondeterministic",
      "a gradient of the wrong sign": "gradient-disagrees",
    }[name];
    expect(kinds).toContain(expected);
  });
});

// Bookkeeping alone must not hide what a stronger attack does.
test("PGD ends with at least the loss of a single step, and APGD with at least that of its start", async () => {
  const [one, many] = [fgsm(), pgd({ steps: 20, relativeStep: 0.1, randomStart: false })];
  const margins = async (attack: Attack) => {
    const { samples } = await runAttack(model, attack, x, labels, {
      epsilon: 0.05,
      until: "best",
      preflight: false,
    });
    return samples.map(({ margin, success }) => (success ? margin : Number.NEGATIVE_INFINITY));
  };
  const [a, b, c] = [await margins(one), await margins(many), await margins(apgd({ steps: 20 }))];
  const better = (p: number[], q: number[]) => p.filter((value, i) => value >= q[i]! - 1e-4).length;
  expect(better(b, a)).toBeGreaterThanOrEqual(19);
  expect(better(c, a)).toBeGreaterThanOrEqual(19);
});
