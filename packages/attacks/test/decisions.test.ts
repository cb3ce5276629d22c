import { beforeAll, describe, expect, test } from "vitest";
import { boundaryAttack, fgsm, hopSkipJump, pgd, refined, runAttack, spsa, transfer } from "../src/index.js";
import { predictions, simpleModel, smallCnn, uniformTensor, useBackend } from "./models.js";

beforeAll(() => useBackend("wasm"));
const quiet = { preflight: false } as const;

// Thresholds of CleverHans's tests.
test("SPSA stays in the ball, and breaks CleverHans's model by scores alone", async () => {
  const model = simpleModel();
  const x = uniformTensor([20, 2], "spsa");
  const labels = await predictions(model, x);
  const attack = spsa({ steps: 20, directions: 16, learningRate: 0.05 });
  const { samples, summary } = await runAttack(model, attack, x, labels, { epsilon: 0.5, ...quiet });
  for (const { distances } of samples) expect(distances.linf).toBeLessThanOrEqual(0.5);
  expect(summary.robustAccuracy).toBeLessThan(0.5);
});

test.each(["l2", "linf"] as const)(
  "HopSkipJump in %s breaks it by decisions, and reaches targets from images of them",
  async (norm) => {
    const model = simpleModel();
    const x = uniformTensor([12, 2], "hop");
    const labels = await predictions(model, x);
    const attack = hopSkipJump({ norm, steps: 10, directions: 20 });
    const { summary } = await runAttack(model, attack, x, labels, quiet);
    expect(summary.robustAccuracy).toBeLessThan(0.1);
    const targets = labels.map((label) => 1 - label);
    const found = await runAttack(model, pgd({ steps: 20, relativeStep: 0.2 }), x, labels, {
      epsilon: 4,
      targets,
      ...quiet,
    });
    const targeted = await runAttack(model, attack, x, labels, {
      targets,
      start: found.adversarial,
      ...quiet,
    });
    expect(targeted.summary.successOfAll).toBeGreaterThan(0.9);
    expect(targeted.summary.medianDistance).toBeLessThanOrEqual(found.summary.medianDistance!);
  },
);

describe("what was found, drawn back to the image", () => {
  test.each([
    pgd({ steps: 10, relativeStep: 0.2 }),
    fgsm({ norm: "l2" }),
    pgd({ norm: "l1", steps: 20, relativeStep: 0.1 }),
    boundaryAttack({ steps: 40 }),
  ])("is no further away in any norm, and still adversarial: %#", async (attack) => {
    const model = smallCnn();
    const x = uniformTensor([6, 8, 8, 1], "refined");
    const labels = await predictions(model, x);
    const epsilon = { linf: 0.1, l2: 0.8, l1: 3, l0: 9 }[attack.norm];
    const options = { ...(attack.goal === "within" && { epsilon }), ...quiet };
    const before = await runAttack(model, attack, x, labels, options);
    const after = await runAttack(model, refined(attack), x, labels, options);
    const seen = await predictions(model, after.adversarial);
    expect(after.summary.standing).toBe(before.summary.standing);
    expect(before.summary.standing).toBeLessThan(6);
    for (const [i, sample] of after.samples.entries()) {
      if (!sample.success) continue;
      expect(seen[i]).not.toBe(labels[i]);
      for (const norm of ["linf", "l2", "l1", "l0"] as const) {
        expect(sample.distances[norm]).toBeLessThanOrEqual(before.samples[i]!.distances[norm] * (1 + 1e-6));
      }
    }
    expect(after.summary.medianDistance).toBeLessThan(before.summary.medianDistance!);
  });
});

test("images made for one model are judged by another: all of them by the same, few by one of random decisions", async () => {
  const model = smallCnn();
  const x = uniformTensor([10, 8, 8, 1], "transfer");
  const labels = await predictions(model, x);
  const result = await runAttack(model, pgd({ steps: 20, relativeStep: 0.1 }), x, labels, {
    epsilon: 0.06,
    ...quiet,
  });
  expect(await transfer(model, result)).toEqual({
    predictions: await predictions(model, result.adversarial),
    found: result.samples.filter(({ success }) => success).length,
    rate: 1,
  });
  // One that always sees the label cannot be moved.
  const stubborn = { bounds: [0, 1] as const, classes: 5, gives: "decisions" as const, predict: () => [0] };
  const same = await runAttack(model, pgd({ steps: 5 }), x, labels, { epsilon: 0, ...quiet });
  expect((await transfer(stubborn, same)).rate).toBeNull();
  expect((await transfer(stubborn, result)).predictions).toEqual(labels.map(() => 0));
});
