import { uniform } from "@gradlab/random";
import {
  add,
  mul,
  oneHot,
  reshape,
  round,
  type Tensor,
  tensor2d,
  tidy,
  zerosLike,
} from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import {
  apgd,
  apgdTargeted,
  autoAttack,
  type BlackBox,
  type Classifier,
  carliniWagner,
  crossEntropy,
  deepFool,
  dlr,
  ensemble,
  fab,
  fgsm,
  miFgsm,
  pgd,
  pixelOptimization,
  runAttack,
  square,
  withBackwardPass,
  withTransformation,
} from "../src/index.js";
import { linearModel, predictions, rowsOf, smallCnn, uniformTensor, useBackend } from "./models.js";

/* What is wrong, or was, in other libraries. */

beforeAll(() => useBackend("wasm"));
const quiet = { preflight: false } as const;

test("C&W moves numbers that begin at the very ends of the bounds", async () => {
  const model = linearModel([[1, -1]], [0.1, 0.9], [0, 1]);
  for (const [start, label] of [
    [1, 0],
    [0, 1],
  ] as const) {
    const { samples } = await runAttack(
      model,
      carliniWagner({ steps: 200, searches: 6, initialConstant: 1, learningRate: 0.1, abortsEarly: false }),
      tensor2d([[start]]),
      [label],
      quiet,
    );
    expect(samples[0]).toMatchObject({ success: true });
    // From 1 to 0.4, from 0 to 0.4.
    expect(samples[0]!.distances.l2).toBeCloseTo(Math.abs(start - 0.4), 1);
  }
});

test("the other class is found among logits that are all negative", async () => {
  const model = linearModel([[1, -1, 0.5]], [-10, -9.5, -20], [0, 1]);
  const x = tensor2d([[0.6]]);
  const attack = carliniWagner({ steps: 100, searches: 6, initialConstant: 1, learningRate: 0.05 });
  const { samples } = await runAttack(model, attack, x, [0], quiet);
  // Classes 0 and 1 meet at 0.25; a "largest other logit" of 0 would never be reached.
  expect(samples[0]).toMatchObject({ success: true, prediction: 1 });
  expect(samples[0]!.distances.l2).toBeCloseTo(0.35, 2);
});

test("an image that is already wrong costs nothing, and brings no NaN into a batch", async () => {
  const model = smallCnn();
  const x = uniformTensor([3, 8, 8, 1], "already wrong");
  const labels = await predictions(model, x);
  const wrong = [labels[0]!, (labels[1]! + 1) % 5, labels[2]!];
  for (const attack of [
    carliniWagner({ steps: 5, searches: 2 }),
    fab({ steps: 3, targets: 1 }),
    deepFool({ steps: 3 }),
  ]) {
    const { samples, adversarial } = await runAttack(model, attack, x, wrong, quiet);
    expect(samples[1]).toMatchObject({ success: true, queries: 1, gradients: 0 });
    expect((await rowsOf(adversarial)).flat().every(Number.isFinite)).toBe(true);
  }
});

test("Square goes on where every margin is exactly 0", async () => {
  const flat: Classifier = {
    bounds: [0, 1],
    classes: 3,
    logits: (x) =>
      tidy(() =>
        mul(
          zerosLike(
            oneHot(
              [...Array(x.shape[0]!).keys()].map(() => 0),
              3,
            ),
          ),
          1,
        ),
      ),
  };
  const x = uniformTensor([2, 4, 4, 1], "zero margins");
  const { samples } = await runAttack(flat, square({ queries: 5 }), x, [0, 0], { epsilon: 0.1, ...quiet });
  expect(samples.map(({ success, queries }) => [success, queries])).toEqual([
    [false, 6],
    [false, 6],
  ]);
});

describe("with two or three classes", () => {
  test.each([2, 3])(
    "%d: losses that are undefined give way to the margin, and autoAttack runs",
    async (classes) => {
      const model = smallCnn(1, classes);
      const x = uniformTensor([4, 8, 8, 1], "few classes");
      const labels = await predictions(model, x);
      const epsilon = 0.15;
      for (const attack of [
        apgd({ loss: "dlr", steps: 10 }),
        apgdTargeted({ steps: 10 }),
        pgd({ loss: dlr, steps: 10, relativeStep: 0.2 }),
        autoAttack({ budget: 0.1 }),
      ]) {
        const { summary, preflight } = await runAttack(model, attack, x, labels, { epsilon });
        expect([attack.name, summary.standing < 4]).toEqual([attack.name, true]);
        expect(preflight!.warnings.map(({ kind }) => kind)).toEqual(["few-classes"]);
      }
    },
  );
});

test("images that are not square are attacked with squares in every norm", async () => {
  const wide: Classifier = {
    bounds: [0, 1],
    classes: 2,
    logits: (x) =>
      tidy(() =>
        linearModel(
          Array.from({ length: 60 }, (_, i) => [Math.sin(i), -Math.sin(i)]),
          [0, 0],
        ).logits(reshape(x, [-1, 60]), []),
      ),
  };
  const x = uniformTensor([3, 3, 10, 2], "wide");
  const labels = await predictions(wide, x);
  for (const norm of ["linf", "l2", "l1"] as const) {
    const { summary, samples } = await runAttack(wide, square({ norm, queries: 60 }), x, labels, {
      epsilon: { linf: 0.3, l2: 2, l1: 12 }[norm],
      ...quiet,
    });
    expect([norm, summary.successOfAll > 0]).toEqual([norm, true]);
    for (const { certificate } of samples) if (certificate) expect(certificate.inBall).toBe(true);
  }
});

test("a target for an attack without targets, or none for one that needs some, is an error", async () => {
  const model = smallCnn();
  const x = uniformTensor([1, 8, 8, 1], "targets");
  await expect(runAttack(model, apgdTargeted(), x, [0], { epsilon: 0.1, targets: [1] })).rejects.toThrow(
    /targets: apgd-t is untargeted/,
  );
  await expect(runAttack(model, autoAttack(), x, [0], { epsilon: 0.1, targets: [1] })).rejects.toThrow(
    /targets: autoattack is untargeted/,
  );
  await expect(runAttack(model, pixelOptimization(), x, [0])).rejects.toThrow(
    /targets: expected a class for each image, which pixel-optimization aims at/,
  );
});

test("a zero gradient does not make momentum NaN", async () => {
  const dead: Classifier = {
    ...smallCnn(),
    logits: (x) => tidy(() => add(mul(smallCnn().logits(x, []), 0), tensor2d([[3, 2, 1, 0, 0]]))),
  };
  const x = uniformTensor([2, 8, 8, 1], "momentum");
  const { adversarial, preflight } = await runAttack(dead, miFgsm({ steps: 3 }), x, [0, 0], {
    epsilon: 0.1,
    until: "best",
  });
  expect(await rowsOf(adversarial)).toEqual(await rowsOf(x));
  expect(preflight!.warnings.map(({ kind }) => kind)).toContain("zero-gradient");
});

describe("an ensemble", () => {
  test("attacks only what still stands, names what broke each sample, and is resumed where it was", async () => {
    const model = smallCnn();
    const x = uniformTensor([8, 8, 8, 1], "ensemble");
    const labels = await predictions(model, x);
    const parts = () => [fgsm(), apgd({ steps: 15 }), square({ queries: 40 })];
    const attack = ensemble("three", parts());
    const options = { epsilon: 0.02, ...quiet };
    const whole = await runAttack(model, attack, x, labels, options);
    const first = await runAttack(model, fgsm(), x, labels, options);
    for (const [i, sample] of whole.samples.entries()) {
      if (first.samples[i]!.success) expect(sample).toMatchObject({ by: "fgsm", passed: [] });
      else if (sample.success) expect(sample.passed[0]).toBe("fgsm");
      else expect(sample.passed).toEqual(["fgsm", "apgd-ce", "square"]);
    }
    expect(whole.summary.standing).toBeLessThanOrEqual(first.summary.standing);
    expect(new Set(whole.samples.map(({ by }) => by)).size).toBeGreaterThan(1);
    for (const turns of [3, 9, 25]) {
      const controller = new AbortController();
      let left = turns;
      const counting: Classifier = {
        ...model,
        logits: (images, rows) => {
          if (--left === 0) controller.abort();
          return model.logits(images, rows);
        },
      };
      const part = await runAttack(counting, attack, x, labels, { ...options, signal: controller.signal });
      expect(part.interrupted).toBe(true);
      const rest = await runAttack(model, attack, x, labels, { ...options, resume: part });
      const told = (result: typeof whole) =>
        result.samples.map(({ success, by, distances, passed }) => [success, by, distances, passed]);
      expect(told(rest)).toEqual(told(whole));
      expect(await rowsOf(rest.adversarial)).toEqual(await rowsOf(whole.adversarial));
    }
  });

  test("of different norms, or of none, is refused", () => {
    expect(() => ensemble("mixed", [fgsm(), fgsm({ norm: "l2" })])).toThrow(
      /expected one norm, got linf and l2/,
    );
    expect(() => ensemble("empty", [])).toThrow(/expected at least one attack/);
  });
});

describe("without gradients", () => {
  const model = smallCnn();
  const x = () => uniformTensor([3, 8, 8, 1], "black box");

  test("a black box of scores falls to Square as the network itself does, and is refused where gradients are needed", async () => {
    const box: BlackBox = {
      bounds: [0, 1],
      classes: 5,
      gives: "scores",
      predict: async (images) => {
        const logits = model.logits(images, []);
        const rows = await rowsOf(logits);
        logits.dispose();
        return rows;
      },
    };
    const labels = await predictions(model, x());
    const options = { epsilon: 0.05, ...quiet };
    const own = await runAttack(model, square({ queries: 40 }), x(), labels, options);
    const asked = await runAttack(box, square({ queries: 40 }), x(), labels, options);
    expect(asked.samples).toEqual(own.samples);
    await expect(runAttack(box, pgd(), x(), labels, options)).rejects.toThrow(
      /pgd needs gradients, and it gives scores/,
    );
    const decides: BlackBox = { ...box, gives: "decisions", predict: () => [0, 1] };
    await expect(runAttack(decides, square(), x(), labels, options)).rejects.toThrow(
      /square needs scores, and it gives decisions/,
    );
  });

  test("a rounding model stands PGD, and falls where the rounding is taken for the identity", async () => {
    const rounded = (images: Tensor) => mul(round(mul(images, 16)), 1 / 16);
    const labels = await predictions(model, x());
    const stiff: Classifier = { ...model, logits: (images) => tidy(() => model.logits(rounded(images), [])) };
    const through = withBackwardPass(rounded);
    const soft: Classifier = { ...model, logits: (images) => tidy(() => model.logits(through(images), [])) };
    const run = (classifier: Classifier) =>
      runAttack(classifier, pgd({ steps: 20, relativeStep: 0.2 }), x(), labels, { epsilon: 0.1 });
    const [masked, open] = [await run(stiff), await run(soft)];
    expect(masked.summary.standing).toBe(3);
    expect(masked.preflight!.zeroGradients).toBe(1);
    expect(open.summary.standing).toBe(0);
    // What was found with the false gradient holds for the model as it is.
    expect((await predictions(stiff, open.adversarial)).every((label, i) => label !== labels[i])).toBe(true);
  });
});

describe("expectation over transformations", () => {
  const model = smallCnn();
  const x = () => uniformTensor([3, 8, 8, 1], "expectation");

  test("of the identity is the plain attack, by gradients and by logits", async () => {
    const labels = await predictions(model, x());
    const options = { epsilon: 0.03, ...quiet };
    const plain = await runAttack(model, pgd({ steps: 4 }), x(), labels, options);
    for (const average of ["gradients", "logits"] as const) {
      const same = withTransformation(model, { transform: (images) => images.clone(), draws: 3, average });
      const other = await runAttack(same, pgd({ steps: 4 }), x(), labels, options);
      expect(other.samples.map(({ success, queries }) => [success, queries])).toEqual(
        plain.samples.map(({ success, queries }) => [success, queries]),
      );
      const [a, b] = [await rowsOf(plain.adversarial), await rowsOf(other.adversarial)];
      for (const [i, row] of a.entries())
        for (const [k, value] of row.entries()) expect(b[i]![k]).toBeCloseTo(value, 5);
    }
  });

  test("draws by sample and question, whatever the batch, and its gradient has a variance that falls as 1 / draws", async () => {
    const noisy = (draws: number, seed: number) =>
      withTransformation(linearModel([[1, -1]], [0, 0]), {
        draws,
        seed,
        transform: (images, streams) =>
          tidy(() => mul(images, tensor2d(streams.map((stream) => [1 + 2 * uniform(stream, -1, 1)])))),
      });
    const labels = [0, 0, 0, 0];
    const start = tensor2d([[0.3], [0.4], [0.5], [0.6]]);
    const attack = pgd({ steps: 3, norm: "l2" });
    const run = (batchSize: number) =>
      runAttack(noisy(4, 0), attack, start, labels, { epsilon: 0.2, batchSize, until: "best", ...quiet });
    expect((await run(1)).samples).toEqual((await run(4)).samples);
    // The gradient of z₁ - z₀ is -2 times the mean of the factors, whose variance is 4 / 3 of each draw.
    const many = uniformTensor([25, 1], "variance");
    const variance = async (draws: number) => {
      const slopes: number[] = [];
      for (let seed = 0; seed < 40; seed++) {
        const seen: number[] = [];
        const probe = {
          ...attack,
          *run() {
            const [answer] = yield [{ x: Float32Array.of(0.01), loss: crossEntropy }];
            seen.push(answer!.gradient[0]!);
          },
        } as typeof attack;
        await runAttack(noisy(draws, seed), probe, many, Array(25).fill(0), {
          epsilon: 1,
          criterion: () => false,
          ...quiet,
        });
        slopes.push(...seen);
      }
      const mean = slopes.reduce((a, b) => a + b, 0) / slopes.length;
      return slopes.reduce((sum, value) => sum + (value - mean) ** 2, 0) / slopes.length;
    };
    const ratio = (await variance(2)) / (await variance(16));
    // 8, give or take the spread of two variances of 1000 draws each.
    expect(ratio).toBeGreaterThan(6.5);
    expect(ratio).toBeLessThan(9.8);
  });
});
