import "@tensorflow/tfjs-backend-cpu";
import {
  add,
  all,
  broadcastTo,
  conv2d,
  cos,
  dispose,
  env,
  gather,
  grad,
  grads,
  greater,
  less,
  logicalAnd,
  logicalNot,
  matMul,
  memory,
  mul,
  prod,
  registerGradient,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor4D,
  tensor,
  tidy,
  train,
  unregisterGradient,
  variable,
  where,
} from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { installGradients } from "../src/index.js";

beforeAll(() => {
  env().set("PROD", true); // no advertisement on the console
});

/** The values of a tensor, which is disposed. */
async function values(x: Tensor): Promise<number[]> {
  const data = await x.data();
  x.dispose();
  return Array.from(data);
}

/** Numbers without a pattern that a wrong index could hide in. */
const wave = (shape: number[], phase = 0): Tensor =>
  tidy(() => {
    const size = shape.reduce((a, b) => a * b, 1);
    return tensor(
      Array.from({ length: size }, (_, i) => Math.sin(1.7 * i * i + 0.3 * i + phase)),
      shape,
    );
  });

/** Compares the gradient of `sum(f(x) · weights)` with central differences. */
async function expectGradient(f: (x: Tensor) => Tensor, x: Tensor, tolerance = 2e-3): Promise<void> {
  const weights = tidy(() => wave(f(x).shape, 0.4));
  const objective = (z: Tensor) => sum(mul(f(z), weights)) as Tensor;
  const analytic = await values(grad(objective)(x));
  const at = await x.data();
  const step = 2 ** -6; // exact in float32, large against its rounding
  for (let i = 0; i < at.length; i++) {
    const shifted = async (by: number) =>
      (
        await values(
          tidy(() =>
            objective(
              tensor(
                at.map((v, j) => (j === i ? v + by : v)),
                x.shape,
              ),
            ),
          ),
        )
      )[0]!;
    const numeric = ((await shifted(step)) - (await shifted(-step))) / (2 * step);
    expect(Math.abs(analytic[i]! - numeric), `element ${i}: ${analytic[i]} and ${numeric}`).toBeLessThan(
      tolerance,
    );
  }
  dispose([weights, x]);
}

test("importing the package registers nothing, installing does, and twice is once", async () => {
  const x = tensor([1, 2]);
  expect(() => grad((z) => cos(z))(x)).toThrow(/gradient function not found/i);
  installGradients();
  installGradients();
  const [first, second] = await values(grad((z) => cos(z))(x));
  expect(first).toBeCloseTo(-Math.sin(1), 6);
  expect(second).toBeCloseTo(-Math.sin(2), 6);
});

test("installing again puts a repaired gradient back after another import replaced it", async () => {
  const a = wave([2, 3, 4]);
  const b = wave([1, 4, 5]);
  const train = () => grads((p: Tensor, q: Tensor) => matMul(p, q))([a, b]);
  unregisterGradient("BatchMatMul");
  const { batchMatMulGradConfig } = await import("@tensorflow/tfjs-core/dist/gradients/BatchMatMul_grad.js");
  registerGradient(batchMatMulGradConfig);
  expect(train).toThrow(/has shape/);
  installGradients();
  expect(train().map((g) => g.shape)).toEqual([
    [2, 3, 4],
    [1, 4, 5],
  ]);
});

test("an optimizer trains with the installed gradients and no tensor is left behind", async () => {
  installGradients();
  const start = tensor([5]);
  const w = variable(start as Tensor1D);
  const optimizer = train.sgd(0.25);
  const before = memory().numTensors;
  for (let i = 0; i < 20; i++) optimizer.minimize(() => sum(mul(w, w)));
  expect(memory().numTensors).toBe(before);
  expect((await w.data())[0]).toBeCloseTo(5 * 0.5 ** 20, 8);
});

test("a choice between two inputs passes the gradient to the one chosen", async () => {
  installGradients();
  const chosen = grads((a: Tensor, b: Tensor) => where(greater(a, b), a, b));
  const [da, db] = chosen([tensor([1, 4, -2]), tensor([2, 3, -3])]);
  expect(await values(da!)).toEqual([0, 1, 1]);
  expect(await values(db!)).toEqual([1, 0, 0]);
});

test("logic on comparisons of the trained input has a zero gradient, for broadcast and integer inputs too", async () => {
  installGradients();
  const f = (x: Tensor) => {
    const inside = logicalAnd(greater(x, -1), logicalNot(greater(x, tensor([[0], [1]]))));
    const count = less(sum(inside), 100);
    return where(logicalAnd(inside, all(count)), mul(x, 3), x);
  };
  const x = tensor([-2, -0.5, 0.5, 2]);
  expect(await values(grad(f)(x))).toEqual([1 + 1, 3 + 3, 1 + 3, 1 + 1]);
});

for (const transposeA of [false, true]) {
  for (const transposeB of [false, true]) {
    test(`matMul with broadcast batches has gradients of its inputs' shapes (transposeA ${transposeA}, transposeB ${transposeB})`, async () => {
      installGradients();
      const shapeA = transposeA ? [4, 3] : [3, 4];
      const shapeB = transposeB ? [2, 4] : [4, 2];
      for (const [batchA, batchB] of [
        [[3], [2, 3]],
        [[2, 1, 3], [3]],
        [[1, 2], [1]],
      ] as const) {
        const a = wave([...batchA, ...shapeA]);
        const b = wave([...batchB, ...shapeB], 1);
        await expectGradient((p) => matMul(p, b, transposeA, transposeB), a.clone());
        await expectGradient((q) => matMul(a, q, transposeA, transposeB), b);
      }
      // tfjs's own forward pass is wrong for interleaved batches, so that differences cannot tell:
      // the gradients must be those of the product of the explicitly repeated inputs.
      const full = (x: Tensor) => broadcastTo(x, [2, 3, x.shape.at(-2)!, x.shape.at(-1)!]);
      const a = wave([2, 1, ...shapeA]);
      const b = wave([3, ...shapeB], 1);
      const product = (repeat: (x: Tensor) => Tensor) =>
        grads((p: Tensor, q: Tensor) => matMul(repeat(p), repeat(q), transposeA, transposeB))([a, b]);
      const expected = product(full);
      for (const [i, gradient] of product((x) => x).entries()) {
        const wanted = await values(expected[i]!);
        for (const [j, value] of (await values(gradient)).entries()) expect(value).toBeCloseTo(wanted[j]!, 5);
      }
    });
  }
}

type Pad = Parameters<typeof conv2d>[3];
const pads: [string, Pad][] = [
  ["valid", "valid"],
  ["same", "same"],
  ["explicit", [[0, 0], [1, 2], [3, 0], [0, 0]]], // biome-ignore format: a table
  ["beyond the filter", [[0, 0], [5, 6], [0, 5], [0, 0]]], // biome-ignore format: a table
];
for (const [name, pad] of pads) {
  test(`dilated conv2d has the gradient of finite differences, padding ${name}`, async () => {
    installGradients();
    const x = wave([2, 6, 7, 2]);
    const filter = wave([2, 3, 2, 3], 1);
    const convolve = (p: Tensor, w: Tensor) =>
      conv2d(p as Tensor4D, w as Tensor4D, 1, pad, "NHWC", [3, 2]) as Tensor;
    await expectGradient((w) => convolve(x, w), filter);
    const w = wave([2, 3, 2, 3], 1);
    await expectGradient((p) => convolve(p, w), x);
  });
}

test("dilated conv2d in the order batch, channels, height, width has the transposed gradient", async () => {
  installGradients();
  const first = (pad: Pad) => (p: Tensor, w: Tensor) =>
    conv2d(p as Tensor4D, w as Tensor4D, 1, pad, "NCHW", 2) as Tensor;
  const convolve = first([[0, 0], [0, 0], [1, 0], [2, 1]]); // biome-ignore format: a table
  const x = wave([1, 2, 5, 4]);
  await expectGradient((w) => convolve(x, w), wave([2, 2, 2, 2], 1));
  const w = wave([2, 2, 2, 2], 1);
  await expectGradient((p) => convolve(p, w), x);
});

test("gather scatters its gradient along any axis, with any number of batch dimensions", async () => {
  installGradients();
  const rows = tensor([2, 0, 2], [3], "int32");
  await expectGradient((x) => gather(x, rows, 0), wave([3, 4]));
  await expectGradient((x) => gather(x, rows, 1), wave([2, 3, 2]));
  const perBatch = tensor([2, 0, 1, 1], [2, 2], "int32");
  await expectGradient((x) => gather(x, perBatch, 1, 1), wave([2, 3, 2]));
  await expectGradient((x) => gather(x, perBatch, 2, 1), wave([2, 2, 3]));
  const perPair = tensor([2, 0, 1, 1, 0, 2, 2, 2], [2, 2, 2], "int32");
  await expectGradient((x) => gather(x, perPair, 2, 2), wave([2, 2, 3, 2]));
});

test("prod has the product of the others as its gradient, at zeros too", async () => {
  installGradients();
  expect(await values(grad((x) => prod(x))(tensor([2, 0, 5])))).toEqual([0, 10, 0]);
  await expectGradient((x) => prod(x, [0, 2]), wave([2, 3, 2]));
  await expectGradient((x) => prod(x, 1, true), wave([2, 3]));
});

test("no gradient leaves a tensor behind", async () => {
  installGradients();
  const x = wave([2, 6, 7, 2]) as Tensor4D;
  const w = wave([2, 3, 2, 3]) as Tensor4D;
  const rows = tensor([1, 0], [2], "int32");
  const before = memory().numTensors;
  dispose(grads((p, q) => conv2d(p as Tensor4D, q as Tensor4D, 1, "same", "NHWC", 2) as Tensor)([x, w]));
  grad((p) => add(gather(p, rows, 1, 1), prod(p)))(x).dispose();
  expect(memory().numTensors).toBe(before);
});
