import {
  concat,
  mul,
  ones,
  reshape,
  slice,
  softmax,
  type Tensor,
  tensor,
  tensor1d,
  tensor2d,
  zeros,
} from "@tensorflow/tfjs-core";
import { beforeEach, describe, expect, test } from "vitest";
import { type Attack, attackSteps, fgsm, pgd, runAttack, withPreprocessing } from "../src/index.js";
import {
  backends,
  expectNoLeak,
  predictions,
  rowsOf,
  simpleModel,
  smallCnn,
  uniformTensor,
  useBackend,
} from "./models.js";

const quiet = { preflight: false } as const;

describe.each(backends)("on %s", (backend) => {
  beforeEach(() => useBackend(backend));

  test("an attack leaves its input as it is, and no tensors but its result", async () => {
    const x = uniformTensor([5, 8, 8, 1], "input");
    const before = await rowsOf(x);
    await expectNoLeak(async () => {
      const labels = await predictions(smallCnn(), x);
      const { adversarial } = await runAttack(smallCnn(), pgd({ steps: 3 }), x, labels, { epsilon: 0.1 });
      adversarial.dispose();
    });
    expect(await rowsOf(x)).toEqual(before);
  });

  test("a result depends neither on the batch, nor on the order, nor on other samples", async () => {
    const model = smallCnn();
    const x = uniformTensor([7, 8, 8, 1], "batches");
    const labels = await predictions(model, x);
    const attack = pgd({ steps: 5, restarts: 1 });
    const options = { epsilon: 0.02, until: "best", ...quiet } as const;
    const whole = await runAttack(model, attack, x, labels, options);
    const rows = await rowsOf(whole.adversarial);
    expect(whole.summary.standing).toBeGreaterThan(0);
    expect(whole.summary.standing).toBeLessThan(7);
    for (const batchSize of [1, 3]) {
      const other = await runAttack(model, attack, x, labels, { ...options, batchSize });
      expect(await rowsOf(other.adversarial)).toEqual(rows);
      expect(other.samples).toEqual(whole.samples);
    }
    for (const [from, to] of [
      [0, 2],
      [5, 7],
    ] as const) {
      const shard = await runAttack(model, attack, slice(x, [from], [to - from]), labels.slice(from, to), {
        ...options,
        ids: [from, from + 1],
      });
      expect(await rowsOf(shard.adversarial)).toEqual(rows.slice(from, to));
      expect(shard.samples).toEqual(whole.samples.slice(from, to));
    }
    const order = [6, 0, 3];
    const shuffled = concat(order.map((i) => slice(x, [i], [1])));
    const other = await runAttack(
      model,
      attack,
      shuffled,
      order.map((i) => labels[i]!),
      { ...options, ids: order },
    );
    expect(other.samples).toEqual(order.map((i) => whole.samples[i]!));
  });
});

describe("the driver", () => {
  beforeEach(() => useBackend("cpu"));

  /** Ten images that the small network sees something in. */
  async function setting() {
    const model = smallCnn();
    const x = uniformTensor([10, 8, 8, 1], "setting");
    return { model, x, labels: await predictions(model, x) };
  }

  test("returns the image itself where nothing was found, and an image that is adversarial where something was", async () => {
    const { model, x, labels } = await setting();
    const { adversarial, samples, summary } = await runAttack(model, fgsm(), x, labels, { epsilon: 0.03 });
    const [own, clean, seen] = [
      await rowsOf(adversarial),
      await rowsOf(x),
      await predictions(model, adversarial),
    ];
    expect(summary.standing).toBeGreaterThan(0);
    expect(summary.standing).toBeLessThan(10);
    for (const [i, sample] of samples.entries()) {
      expect(sample.success).toBe(seen[i] !== labels[i]);
      if (!sample.success) expect(own[i]).toEqual(clean[i]);
      else expect(sample.certificate).toMatchObject({ inBounds: true, inBall: true, alone: true });
      expect(sample.distances.linf).toBeLessThanOrEqual(0.03);
    }
    expect(summary.robustAccuracy).toBe(summary.standing / 10);
  });

  test("one ε for all is the same ε for each, bounds are those of every number, one-hot labels are labels", async () => {
    const { model, x, labels } = await setting();
    const run = (options: object, classes: number[] | Tensor = labels) =>
      runAttack(model, pgd({ steps: 4 }), x, classes, { epsilon: 0.05, ...quiet, ...options });
    const plain = await run({});
    const box = { lower: zeros([8, 8, 1]), upper: ones([10, 8, 8, 1]) };
    const hot = tensor2d(labels.map((label) => Array.from({ length: 5 }, (_, k) => (k === label ? 1 : 0))));
    for (const other of [
      await run({ epsilon: Array(10).fill(0.05) }),
      await run({ box }),
      await run({ mask: ones([8, 8, 1]) }),
      await run({}, hot),
      await run({}, tensor1d(labels, "int32")),
    ]) {
      expect(other.samples).toEqual(plain.samples);
      expect(await rowsOf(other.adversarial)).toEqual(await rowsOf(plain.adversarial));
    }
    const mixed = await run({ epsilon: labels.map((_, i) => (i < 5 ? 0 : 0.05)) });
    expect(mixed.samples.slice(5)).toEqual(plain.samples.slice(5));
    expect(mixed.samples.slice(0, 5).every(({ success }) => !success)).toBe(true);
  });

  test("what the mask leaves alone keeps its bits", async () => {
    const { model, x, labels } = await setting();
    const keep = Float32Array.from({ length: 64 }, (_, i) => (i % 3 === 0 ? 0 : 1));
    const mask = tensor(keep, [8, 8, 1]);
    const result = await runAttack(model, pgd({ steps: 6 }), x, labels, { epsilon: 0.3, mask, ...quiet });
    expect(result.summary.standing).toBeLessThan(10);
    const [own, clean] = [await rowsOf(result.adversarial), await rowsOf(x)];
    for (const [i, row] of own.entries()) {
      for (const [k, value] of row.entries()) if (keep[k] === 0) expect(value).toBe(clean[i]![k]);
    }
  });

  test("an image that is classified wrong is adversarial itself: no step, no distance", async () => {
    const { model, x, labels } = await setting();
    const wrong = labels.map((label, i) => (i === 2 ? (label + 1) % 5 : label));
    const { samples, summary } = await runAttack(model, pgd(), x, wrong, { epsilon: 0.001, ...quiet });
    expect(samples[2]).toMatchObject({ success: true, queries: 1, gradients: 0, by: null });
    expect(samples[2]!.distances).toEqual({ linf: 0, l2: 0, l1: 0, l0: 0 });
    expect(summary).toMatchObject({ samples: 10, correct: 9, cleanAccuracy: 0.9 });
    expect(summary.successOfCorrect).toBe((9 - summary.standing) / 9);
  });

  test("ε 0, or no steps without a random start, moves nothing", async () => {
    const { model, x, labels } = await setting();
    for (const [attack, epsilon] of [
      [pgd({ steps: 3 }), 0],
      [pgd({ steps: 0, randomStart: false }), 0.5],
      [pgd({ steps: 3, relativeStep: 0, randomStart: false }), 0.5],
      [fgsm(), 0],
    ] as const) {
      const result = await runAttack(model, attack, x, labels, { epsilon, until: "best", ...quiet });
      expect(result.summary.standing).toBe(10);
      expect(await rowsOf(result.adversarial)).toEqual(await rowsOf(x));
    }
  });

  test("targets are arrived at, and a target that is the label is refused", async () => {
    const { model, x, labels } = await setting();
    const targets = labels.map((label) => (label + 2) % 5);
    const result = await runAttack(model, pgd({ steps: 20, relativeStep: 0.1 }), x, labels, {
      epsilon: 0.4,
      targets,
    });
    expect(result.summary.successOfAll).toBeGreaterThan(0.5);
    const seen = await predictions(model, result.adversarial);
    for (const [i, { success }] of result.samples.entries()) {
      expect(seen[i]).toBe(success ? targets[i] : labels[i]);
    }
    await expect(runAttack(model, pgd(), x, labels, { epsilon: 0.1, targets: labels })).rejects.toThrow(
      /targets\[0\]: expected another class than the label/,
    );
  });

  test("an abort returns the best images so far", async () => {
    const { model, x, labels } = await setting();
    const controller = new AbortController();
    const steps = attackSteps(model, pgd({ steps: 40, relativeStep: 0.1 }), x, labels, {
      epsilon: 0.3,
      until: "best",
      batchSize: 4,
      signal: controller.signal,
    });
    const seen: number[] = [];
    let next = await steps.next();
    for (; !next.done; next = await steps.next()) {
      expect(next.value.total).toBe(10);
      seen.push(next.value.queries);
      if (next.value.done === 4) controller.abort();
    }
    const result = next.value;
    expect(result.interrupted).toBe(true);
    expect(result.samples.filter(({ finished }) => finished).length).toBe(4);
    expect(result.samples.slice(0, 4).every(({ success }) => success)).toBe(true);
    expect(result.samples.slice(4).every(({ queries }) => queries <= 1)).toBe(true);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });

  test("wrong arguments are refused before any work, in words that help", async () => {
    const { model, x, labels } = await setting();
    const run = (options: object, attack: Attack = fgsm(), images = x, classes: unknown = labels) =>
      runAttack(model, attack, images, classes as number[], options);
    const cases: [Promise<unknown>, RegExp][] = [
      [run({}), /epsilon: expected how far fgsm may go, got undefined/],
      [run({ epsilon: -0.1 }), /epsilon: expected a finite number, at least 0, got -0.1/],
      [run({ epsilon: Number.NaN }), /epsilon: expected a finite number/],
      [run({ epsilon: [0.1] }), /epsilon: expected a number, or 10 of them/],
      [
        run({ epsilon: 0.1 }, fgsm(), x, [...labels.slice(1), 5]),
        /labels\[9\]: expected an integer in \[0, 5\), got 5/,
      ],
      [run({ epsilon: 0.1 }, fgsm(), x, [1, 2]), /labels: expected 10 classes/],
      [run({ epsilon: 0.1 }, fgsm(), x, tensor2d([[1, 0]])), /labels: expected \[10, 5\], got \[1, 2\]/],
      [run({ epsilon: 0.1, targets: [7] }), /targets: expected 10 classes/],
      [run({ epsilon: 0.1, batchSize: 0 }), /batchSize: expected an integer, at least 1/],
      [run({ epsilon: 0.1, ids: Array(10).fill(1) }), /ids: expected 10 different integers/],
      [run({ epsilon: 0.1, mask: zeros([3]) }), /mask: expected/],
      [run({ epsilon: 0.1, until: "never" }), /until: expected "first" or "best"/],
      [
        run({ epsilon: 0.1 }, fgsm(), uniformTensor([2, 8, 8, 1], "bytes", 0, 255), [0, 0]),
        /expected numbers in \[0, 1\].*bytes\? divide them by 255/,
      ],
      [
        run({ epsilon: 0.1 }, fgsm(), uniformTensor([2, 8, 8, 1], "norm", -2, 2), [0, 0]),
        /normalized already\?.*withPreprocessing/,
      ],
      [run({ epsilon: 0.1 }, fgsm(), zeros([2, 8, 8, 1], "int32"), [0, 0]), /x: expected float32, got int32/],
    ];
    for (const [promise, message] of cases) await expect(promise).rejects.toThrow(message);
    expect(() => pgd({ norm: "l7" as "l2" })).toThrow(/pgd: norm: expected "linf" or "l2" or "l1", got l7/);
    expect(() => pgd({ steps: -1 })).toThrow(/pgd: steps/);
    expect(() => pgd({ relativeStep: 1.5 })).toThrow(/pgd: relativeStep: expected a number in \[0, 1\]/);
  });

  test("attacking a model behind its preprocessing is attacking the composed model", async () => {
    const [mean, std] = [
      [0.485, 0.456, 0.406],
      [0.229, 0.224, 0.225],
    ];
    const inner = smallCnn(3);
    const x = uniformTensor([6, 8, 8, 3], "normalized");
    const unit = withPreprocessing(inner, { mean, std });
    const labels = await predictions(unit, x);
    const attack = pgd({ steps: 5, relativeStep: 0.25, randomStart: false });
    const small = await runAttack(unit, attack, x, labels, { epsilon: 4 / 255, until: "best" });
    const bytes = withPreprocessing(inner, {
      mean: mean.map((value) => value * 255),
      std: std.map((value) => value * 255),
      bounds: [0, 255],
    });
    const large = await runAttack(bytes, attack, mul(x, 255), labels, { epsilon: 4, until: "best" });
    expect(small.summary.standing).toBeLessThan(6);
    const [a, b] = [await rowsOf(small.adversarial), await rowsOf(large.adversarial)];
    for (const [i, row] of a.entries()) {
      for (const [k, value] of row.entries()) expect(value).toBeCloseTo(b[i]![k]! / 255, 5);
    }
  });

  test("a look at the classifier finds a softmax, and finds nothing wrong with logits", async () => {
    const { model, x, labels } = await setting();
    const look = async (logits: (z: Tensor) => Tensor) => {
      const other = { ...model, logits: (images: Tensor) => logits(model.logits(images, [])) };
      const { preflight } = await runAttack(other, fgsm(), x, labels, { epsilon: 0.01 });
      return preflight!.warnings.map(({ kind }) => kind);
    };
    expect(await look((z) => reshape(z, z.shape))).toEqual([]);
    expect(await look((z) => softmax(z))).toEqual(["softmax"]);
  });
});

// CleverHans's tests of its attacks on these models, with its thresholds.
describe("CleverHans's models", () => {
  beforeEach(() => useBackend("cpu"));

  test.each(["linf", "l2", "l1"] as const)("fall to one step of %s, to a target too", async (norm) => {
    const x = uniformTensor([100, 2], "cleverhans");
    const model = simpleModel();
    const labels = await predictions(model, x);
    const { summary } = await runAttack(model, fgsm({ norm }), x, labels, { epsilon: 0.5, ...quiet });
    expect(summary.robustAccuracy).toBeLessThan(0.5);
    const targets = labels.map((label) => 1 - label);
    const targeted = await runAttack(model, fgsm({ norm }), x, labels, { epsilon: 0.5, targets, ...quiet });
    expect(targeted.summary.successOfAll).toBeGreaterThan(0.7);
  });

  test.each(["linf", "l2"] as const)("fall to twenty steps of %s", async (norm) => {
    const x = uniformTensor([100, 2], "cleverhans");
    const model = simpleModel();
    const labels = await predictions(model, x);
    const attack = pgd({ norm, steps: 20, relativeStep: 0.1 });
    const { summary } = await runAttack(model, attack, x, labels, { epsilon: 0.5, ...quiet });
    expect(summary.robustAccuracy).toBeLessThan(0.5);
  });

  test("short steps do not reach the end of the ball, and restarts help", async () => {
    const x = uniformTensor([100, 2], "cleverhans");
    const model = simpleModel();
    const labels = await predictions(model, x);
    const short = pgd({ steps: 10, relativeStep: 0.02, randomStart: false });
    const { samples } = await runAttack(model, short, x, labels, { epsilon: 0.5, until: "best", ...quiet });
    // CleverHans asks for more than 0.25 left; ten steps of 0.01 leave 0.4.
    for (const { distances } of samples) expect(distances.linf).toBeLessThanOrEqual(0.1 + 1e-6);
    const two = (restarts: number) =>
      runAttack(model, pgd({ steps: 2, relativeStep: 0.1, restarts }), x, labels, { epsilon: 0.5, ...quiet });
    const [one, ten] = [await two(0), await two(9)];
    expect(ten.summary.robustAccuracy).toBeLessThan(0.5);
    expect(ten.summary.standing).toBeLessThanOrEqual(one.summary.standing);
  });
});
