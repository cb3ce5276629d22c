import { engine, grad, mul, square, sum, type Tensor, tensor, zeros } from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { crossEntropy, installGradients, ShapeError } from "../src/index.js";
import { expectNoLeak, golden, numbers, wave } from "./tensors.js";

beforeAll(installGradients);

const labelsOf = (values: number[], shape = [values.length]) => tensor(values, shape, "int32");

function expectClose(got: readonly number[], expected: readonly number[], tolerance: number): void {
  expect(got.length).toBe(expected.length);
  for (const [i, value] of got.entries()) {
    expect(Math.abs(value - expected[i]!), `${i}: ${value}, ${expected[i]}`).toBeLessThanOrEqual(tolerance);
  }
}

for (const [i, c] of golden.crossEntropy.entries()) {
  const { reduction, labelSmoothing, ignoreIndex } = c;
  test(`case ${i} of PyTorch: ${reduction}, smoothing ${labelSmoothing}, ignored ${ignoreIndex}`, async () => {
    const logits = tensor(c.logits, c.shape);
    const labels = labelsOf(c.labels);
    const weights = tensor(c.weights);
    const direction = tensor(c.direction, c.shape);
    const options = { labelSmoothing, ...(ignoreIndex === null ? {} : { ignoreIndex }) };
    const loss = (z: Tensor): Tensor =>
      reduction === "none"
        ? crossEntropy(z, labels, { ...options, reduction })
        : crossEntropy(z, labels, { ...options, reduction });
    const total = (z: Tensor) => (reduction === "none" ? sum(mul(loss(z), weights)) : loss(z)) as Tensor;
    /*
     * float32 against float64. A loss is a difference of logits, exact to half a unit in the last place of the largest
     * of them, summed over at most 6 labels; probabilities are exact to a few 2^-24 (exp, sum, quotient), times a
     * weight or direction below 3 and at most 7 classes.
     */
    const largest = Math.max(...c.logits.map(Math.abs));
    expectClose(await numbers(loss(logits)), c.loss, 6 * (2 * largest + 10) * 2 ** -24);
    expectClose(await numbers(grad(total)(logits)), c.gradient, 3 * 8 * 2 ** -24);
    const second = grad((z: Tensor) => sum(mul(grad(total)(z), direction)) as Tensor)(logits);
    expectClose(await numbers(second), c.second, 9 * 7 * 8 * 2 ** -24);
  });
}

test("the gradient is that of central differences in double precision", async () => {
  const [n, classes, smoothing] = [3, 4, 0.2];
  const logits = wave([n, classes]);
  const z = Array.from(await logits.data());
  const labels = [1, 3, 0];
  const reference = (at: readonly number[]) => {
    let total = 0;
    for (const [row, label] of labels.entries()) {
      const r = at.slice(row * classes, (row + 1) * classes);
      const logSum = Math.log(r.reduce((s, x) => s + Math.exp(x), 0));
      const mean = r.reduce((s, x) => s + x, 0) / classes;
      total += logSum - (1 - smoothing) * r[label]! - smoothing * mean;
    }
    return total / n;
  };
  const options = { labelSmoothing: smoothing };
  const got = await numbers(grad((x: Tensor) => crossEntropy(x, labelsOf(labels), options))(logits));
  const step = 1e-4; // truncation 1e-9, rounding 1e-12
  const numeric = z.map((_, i) => {
    const shifted = (by: number) => reference(z.map((x, j) => (i === j ? x + by : x)));
    return (shifted(step) - shifted(-step)) / (2 * step);
  });
  expectClose(got, numeric, 2e-7);
});

test("where the weight of a loss depends on the logits, second derivatives are those of central differences", async () => {
  // Σ loss² in double precision, its gradient by hand, and differences of that along a direction.
  const [n, classes, smoothing] = [3, 4, 0.25];
  const labels = [2, 0, 3];
  const logits = wave([n, classes], 0.3);
  const direction = wave([n, classes], 1.1);
  const options = { labelSmoothing: smoothing, reduction: "none" } as const;
  const reference = (z: readonly number[]) =>
    labels.flatMap((label, row) => {
      const r = z.slice(row * classes, (row + 1) * classes);
      const total = r.reduce((s, x) => s + Math.exp(x), 0);
      const target = r.map((_, j) => smoothing / classes + (j === label ? 1 - smoothing : 0));
      const loss = Math.log(total) - r.reduce((s, x, j) => s + x * target[j]!, 0);
      return r.map((x, j) => 2 * loss * (Math.exp(x) / total - target[j]!));
    });
  const [z, v] = [Array.from(await logits.data()), Array.from(await direction.data())];
  const step = 1e-5;
  const along = (by: number) => reference(z.map((x, i) => x + by * v[i]!));
  const [ahead, behind] = [along(step), along(-step)];
  const expected = ahead.map((x, i) => (x - behind[i]!) / (2 * step));
  const squares = (x: Tensor) => sum(square(crossEntropy(x, labelsOf(labels), options))) as Tensor;
  const gradient = grad(squares);
  expectClose(await numbers(gradient(logits)), reference(z), 1e-6);
  const product = grad((x: Tensor) => sum(mul(gradient(x), direction)) as Tensor)(logits);
  // a dozen float32 roundings of numbers below 8
  expectClose(await numbers(product), expected, 8 * 12 * 2 ** -24);
});

test("logits of ±1e4 give losses and gradients without an overflow, worked by hand", async () => {
  const logits = tensor([[1e4, 0, -1e4], [1e4, 1e4, -1e4], [-1e4, -1e4, -1e4]]); // biome-ignore format: a table
  const labels = labelsOf([2, 0, 1]);
  const losses = await numbers(crossEntropy(logits, labels, { reduction: "none" }));
  expectClose(losses, [2e4, Math.log(2), Math.log(3)], 2e4 * 2 ** -23);
  expectClose(losses.slice(1), [Math.log(2), Math.log(3)], 2 ** -22);
  const gradient = await numbers(grad((z: Tensor) => crossEntropy(z, labels, { reduction: "sum" }))(logits));
  const third = 1 / 3;
  expectClose(gradient, [1, 0, -1, -0.5, 0.5, 0, third, third - 1, third], 2 ** -23);
});

test("a difference beside large logits is not lost: 1e4 and 1e4 + 1", async () => {
  // log-sum-exp less the logit would round both to units of 2^-10
  const [loss] = await numbers(crossEntropy(tensor([[1e4, 1e4 + 1]]), labelsOf([1])));
  expect(Math.abs(loss! - Math.log1p(Math.exp(-1)))).toBeLessThan(2 ** -23);
});

test("labels may have any rank, and none gives one number each", async () => {
  const logits = wave([2, 3, 4]);
  const labels = labelsOf([0, 1, 2, 3, 0, 1], [2, 3]);
  const each = crossEntropy(logits, labels, { reduction: "none" });
  expect(each.shape).toEqual([2, 3]);
  const values = await numbers(each);
  const [mean] = await numbers(crossEntropy(logits, labels));
  expectClose([mean!], [values.reduce((s, x) => s + x, 0) / 6], 2 ** -22);
  const single = crossEntropy(tensor([0, 0]), labelsOf([1], []));
  expect(single.shape).toEqual([]);
  expectClose(await numbers(single), [Math.LN2], 2 ** -24);
});

test("a label outside of the classes gives NaN, an ignored one 0, and a mean of none is 0", async () => {
  const logits = tensor([[0, 0], [0, 0], [0, 0]]); // biome-ignore format: a table
  const options = { reduction: "none", ignoreIndex: -1 } as const;
  const losses = await numbers(crossEntropy(logits, labelsOf([-1, 2, 1]), options));
  expect(losses.slice(0, 2)).toEqual([0, Number.NaN]);
  expect(losses[2]).toBeCloseTo(Math.LN2, 6);
  const all = labelsOf([-1, -1, -1]);
  const mean = (z: Tensor) => crossEntropy(z, all, { ignoreIndex: -1 });
  expect(await numbers(mean(logits))).toEqual([0]);
  expect((await numbers(grad(mean)(logits))).map(Math.abs)).toEqual([0, 0, 0, 0, 0, 0]);
});

test("no labels at all have no losses, the sum and mean 0, and a gradient without a row", async () => {
  const [logits, none] = [zeros([0, 3]), zeros([0], "int32")];
  expect(crossEntropy(logits, none, { reduction: "none" }).shape).toEqual([0]);
  expect(await numbers(crossEntropy(logits, none, { reduction: "sum" }))).toEqual([0]);
  expect(await numbers(crossEntropy(logits, none))).toEqual([0]);
  expect(grad((z: Tensor) => crossEntropy(z, none))(logits).shape).toEqual([0, 3]);
});

test("the tape holds logits and labels, no second tensor of the size of the logits", () => {
  const logits = zeros([64, 1000]);
  const labels = zeros([64], "int32");
  let bytes = 0;
  const g = grad((z: Tensor) => {
    const loss = crossEntropy(z, labels);
    const before = new Set([z.dataId]);
    for (const { saved } of engine().state.activeTape ?? []) {
      for (const tensor of saved ?? []) {
        if (before.has(tensor.dataId)) continue;
        before.add(tensor.dataId);
        bytes += tensor.size * 4;
      }
    }
    return loss;
  })(logits);
  g.dispose();
  expect(bytes).toBeLessThan(64 * 4 * 20);
});

test("neither value nor gradients leave tensors behind", async () => {
  const logits = wave([3, 4]);
  const labels = labelsOf([1, 0, 3]);
  await expectNoLeak(() => {
    const loss = (z: Tensor) => crossEntropy(z, labels, { labelSmoothing: 0.1, ignoreIndex: 0 });
    loss(logits).dispose();
    grad(loss)(logits).dispose();
    grad((z: Tensor) => sum(grad(loss)(z)) as Tensor)(logits).dispose();
  });
});

test("shapes that do not line up and options out of range are refused", () => {
  const logits = zeros([2, 3]);
  const labels = zeros([2], "int32");
  expect(() => crossEntropy(logits, zeros([3], "int32"))).toThrow(
    new ShapeError("crossEntropy: labels: expected [2], got [3]"),
  );
  expect(() => crossEntropy(zeros([2, 0]), labels)).toThrow(
    new ShapeError("crossEntropy: logits: expected [.., classes], got [2, 0]"),
  );
  expect(() => crossEntropy(logits, zeros([2]))).toThrow(
    new TypeError("crossEntropy: labels: expected int32, got float32"),
  );
  expect(() => crossEntropy(logits, labels, { labelSmoothing: 1.5 })).toThrow(
    new RangeError("crossEntropy: labelSmoothing: expected a number in [0, 1], got 1.5"),
  );
  expect(() => crossEntropy(logits, labels, { reduction: "avg" as "mean" })).toThrow(
    new RangeError('crossEntropy: reduction: expected "mean", "sum" or "none", got "avg"'),
  );
  expect(() => crossEntropy(logits, labels, { ignoreIndex: 0.5 })).toThrow(RangeError);
});
