import { crossEntropy, disposeTraining, lossAndGradients, startTraining, train } from "@gradlab/core";
import {
  matMul,
  type Scalar,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tanh,
  tensor1d,
  tensor2d,
} from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import {
  adversarialTraining,
  type Classifier,
  crossEntropy as loss,
  perturb,
  pgd,
  runAttack,
} from "../src/index.js";
import { expectNoLeak, predictions, rowsOf, smallCnn, uniformTensor, useBackend } from "./models.js";

beforeAll(() => useBackend("wasm"));

interface State {
  readonly first: Tensor;
  readonly second: Tensor;
}

const start = (): State => ({
  first: uniformTensor([4, 8], "first", -1, 1),
  second: uniformTensor([8, 2], "second", -1, 1),
});
const logits = ({ first, second }: State, x: Tensor) =>
  matMul(tanh(matMul(x as Tensor2D, first as Tensor2D)), second as Tensor2D);

/**
 * Two classes. Three numbers tell them apart without fail, by 0.1; the first one for nine of ten images, by so much that
 * a change of 0.3 does not matter.
 */
function batch(step: number): { images: Tensor; labels: Tensor1D } {
  const drawn = uniformTensor([64, 3], `batch ${step}`);
  const draws = Array.from(drawn.dataSync());
  drawn.dispose();
  const rows = Array.from({ length: 64 }, (_, i) => {
    const [label, luck, size] = draws.slice(3 * i, 3 * i + 3) as [number, number, number];
    const side = label > 0.5 ? 1 : -1;
    return {
      label: label > 0.5 ? 1 : 0,
      image: [side * (luck < 0.9 ? 1 : -1) * (0.5 + 0.5 * size), ...Array(3).fill(0.1 * side)],
    };
  });
  return {
    images: tensor2d(rows.map(({ image }) => image)),
    labels: tensor1d(
      rows.map(({ label }) => label),
      "int32",
    ),
  };
}

test.each(["linf", "l2"] as const)("perturb goes where runAttack with PGD goes, in %s", async (norm) => {
  const model = smallCnn();
  const x = uniformTensor([5, 8, 8, 1], "perturb");
  const labels = await predictions(model, x);
  const epsilon = norm === "linf" ? 0.05 : 0.4;
  const attack = pgd({ norm, steps: 6, relativeStep: 0.25, randomStart: false });
  await expectNoLeak(async () => {
    const classes = tensor1d(labels, "int32");
    const moved = perturb(
      (images) => sum(loss.values(model.logits(images, []) as Tensor2D, classes, classes)) as Scalar,
      x,
      {
        norm,
        epsilon,
        steps: 6,
        relativeStep: 0.25,
        bounds: [0, 1],
      },
    );
    // The end of the way of PGD, were it adversarial or not: what it asks about last, after the image and six points.
    const ends = new Map<number, number[]>();
    const watched: Classifier = {
      ...model,
      logits: (images, rows) => {
        const length = images.size / rows.length;
        const data = Array.from(images.dataSync());
        for (const [i, { id, query }] of rows.entries()) {
          if (query === 7 && !ends.has(id)) ends.set(id, data.slice(i * length, (i + 1) * length));
        }
        return model.logits(images, rows);
      },
    };
    const result = await runAttack(watched, attack, x, labels, {
      epsilon,
      preflight: false,
      criterion: () => false,
    });
    for (const [i, row] of (await rowsOf(moved)).entries()) {
      for (const [k, value] of row.entries()) expect(value).toBeCloseTo(ends.get(i)![k]!, 5);
    }
    for (const each of [classes, moved, result.adversarial]) each.dispose();
  });
});

describe.each(["pgd", "trades"] as const)("adversarial training by %s", (method) => {
  test("is a loss whose gradient is that of the images it was made for, and leaves no tensor", async () => {
    await expectNoLeak(async () => {
      const state = start();
      const data = batch(0);
      const robust = adversarialTraining<State>({ logits, epsilon: 0.2, bounds: [-1, 1], method, steps: 3 });
      const h = 1e-2;
      const { loss: value, gradients } = lossAndGradients(state as unknown as Record<string, Tensor>, (s) =>
        robust(s as unknown as State, data, 0),
      );
      // A step against the gradient lowers the loss of the same step as much as it says; ends of balls hardly move.
      const slope = (await rowsOf(gradients.second!)).flat().reduce((total, value) => total + value ** 2, 0);
      const before = (await value.data())[0]!;
      const length = Math.sqrt(slope);
      const second = state.second;
      const shifted = tensor2d(
        (await rowsOf(second)).map((row, i) =>
          row.map((v, k) => v - (h / length) * gradients.second!.dataSync()[i * 2 + k]!),
        ),
      );
      const after = robust({ first: state.first, second: shifted }, data, 0);
      const change = before - after.dataSync()[0]!;
      expect(change / (h * length)).toBeGreaterThan(0.8);
      expect(change / (h * length)).toBeLessThan(1.2);
      for (const each of [
        value,
        after,
        shifted,
        data.images,
        data.labels,
        ...Object.values(gradients),
        ...Object.values(state),
      ])
        (each as Tensor).dispose();
    });
  });

  test("makes a network stand more attacks than ordinary training does", async () => {
    const test = batch(1000);
    const labels = Array.from(await test.labels.data());
    const standing = async (training: ReturnType<typeof startTraining<State & Record<string, Tensor>>>) => {
      const { state } = training as unknown as { state: State };
      const classifier: Classifier = { bounds: [-1, 1], classes: 2, logits: (x) => logits(state, x) };
      const { summary, adversarial } = await runAttack(
        classifier,
        pgd({ steps: 10, relativeStep: 0.25 }),
        test.images,
        labels,
        { epsilon: 0.3 },
      );
      adversarial.dispose();
      return summary.standing;
    };
    const trained = async (loss: (state: State, data: ReturnType<typeof batch>, step: number) => Scalar) => {
      const training = startTraining(start() as State & Record<string, Tensor>, {
        name: "adam",
        learningRate: 0.02,
      });
      for await (const _ of train(training, { loss: loss as never, batch, steps: 80 }));
      const result = await standing(training);
      disposeTraining(training);
      return result;
    };
    const ordinary = await trained((state, { images, labels }) =>
      crossEntropy(logits(state, images), labels),
    );
    const robust = await trained(
      adversarialTraining<State>({ logits, epsilon: 0.3, bounds: [-1, 1], method }),
    );
    expect(robust).toBeGreaterThan(ordinary + 20);
  });
});

test("adversarial training refuses options that are out of range", () => {
  expect(() => adversarialTraining({ logits, epsilon: -1 })).toThrow(
    /epsilon: expected a finite number, at least 0/,
  );
  expect(() => adversarialTraining({ logits, epsilon: 0.1, method: "mart" as "pgd" })).toThrow(
    /method: expected "pgd" or "trades"/,
  );
  expect(() => adversarialTraining({ logits: null as never, epsilon: 0.1 })).toThrow(
    /logits: expected a function/,
  );
  expect(() => adversarialTraining({ logits, epsilon: 0.1, steps: 0 })).toThrow(
    /steps: expected an integer, at least 1/,
  );
});
