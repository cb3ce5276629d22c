import "./double-precision.js";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { crossEntropy, embed, installGradients } from "../src/index.js";
import { expectGradients } from "./expect-gradients.js";
import { numbers, wave } from "./tensors.js";

beforeAll(() => installGradients());

type F = (...xs: tf.Tensor[]) => tf.Tensor;

/** Differences of first gradients against second ones: of all gradients of `sum(f · weights)`, in one row. */
async function expectSecond(f: F, xs: readonly tf.Tensor[], tolerance = 1e-6): Promise<void> {
  const weights = tf.tidy(() => wave(f(...xs).shape, 0.9));
  const first: F = (...zs) => {
    const gradients = tf.grads((...ys: tf.Tensor[]) => tf.sum(tf.mul(f(...ys), weights)) as tf.Tensor)([
      ...zs,
    ]);
    return tf.concat(gradients.map((g) => tf.reshape(g, [g.size])));
  };
  await expectGradients(first, xs, { tolerance });
  weights.dispose();
}

const x4 = (x: tf.Tensor) => x as tf.Tensor4D;
const positive = (shape: number[], phase: number) => tf.tidy(() => tf.add(tf.abs(wave(shape, phase)), 0.5));

const unary = {
  exp: tf.exp,
  sigmoid: tf.sigmoid,
  tanh: tf.tanh,
  relu: tf.relu,
  relu6: tf.relu6,
  elu: tf.elu,
  selu: tf.selu,
  leakyRelu: (x: tf.Tensor) => tf.leakyRelu(x, 0.1),
  softplus: tf.softplus,
  logSigmoid: tf.logSigmoid,
  square: tf.square,
  erf: tf.erf,
  sin: tf.sin,
  cos: tf.cos,
  softmax: (x: tf.Tensor) => tf.softmax(x),
  logSoftmax: (x: tf.Tensor) => tf.logSoftmax(x),
  logSumExp: (x: tf.Tensor) => tf.logSumExp(x, 1),
  sum: (x: tf.Tensor) => tf.square(tf.sum(x, 0)),
  mean: (x: tf.Tensor) => tf.square(tf.mean(x, 1)),
  max: (x: tf.Tensor) => tf.square(tf.max(x, 1)),
  prod: (x: tf.Tensor) => tf.prod(x, 1),
  cumprod: (x: tf.Tensor) => tf.cumprod(x, 1),
  norm: (x: tf.Tensor) => tf.norm(x, 2, 1),
  gather: (x: tf.Tensor) => tf.square(tf.gather(x, tf.tensor1d([1, 0, 1], "int32"))),
  embed: (x: tf.Tensor) => tf.square(embed(x as tf.Tensor2D, tf.tensor1d([1, 0, 1], "int32"))),
}; // biome-ignore format: a table
for (const [name, f] of Object.entries(unary)) {
  test(`${name} has its second derivatives`, () => expectSecond(f as F, [wave([2, 4], 0.3)]));
}

test("slices, pads, pieces and stacks have their second derivatives", async () => {
  const f = (x: tf.Tensor) => {
    const [a, b] = tf.split(tf.pad(x, [[0, 0], [1, 1]]), 2, 1); // biome-ignore format: a table
    return tf.mul(
      tf.stack([a!, b!, ...tf.unstack(tf.stack([b!, a!]))].slice(0, 2)),
      tf.tile(tf.slice(x, [0, 1], [2, 1]), [1, 3]),
    );
  };
  await expectSecond(f as F, [wave([2, 4], 0.3)]);
});

test("arithmetic has its second derivatives, broadcast too", async () => {
  for (const op of [tf.mul, tf.div, tf.pow, tf.atan2, tf.squaredDifference, tf.maximum]) {
    await expectSecond(op as F, [positive([2, 3], 0.2), positive([3], 1)]);
  }
  await expectSecond((x) => tf.sqrt(tf.rsqrt(tf.log1p(tf.reciprocal(x)))), [positive([3], 0.2)]);
});

test("matMul, einsum and their fused forms have their second derivatives", async () => {
  await expectSecond((a, b) => tf.square(tf.matMul(a, b)), [wave([2, 3], 0.1), wave([3, 2], 1)]);
  await expectSecond(
    (a, b) => tf.square(tf.matMul(a, b, true, true)),
    [wave([2, 3, 2], 0.1), wave([1, 2, 3], 1)],
  );
  await expectSecond((a, b) => tf.square(tf.einsum("ij,jk->ki", a, b)), [wave([2, 3], 0.1), wave([3, 2], 1)]);
  await expectSecond(
    (a, b, bias) => tf.tanh(tf.fused.matMul({ a, b, bias, transposeB: true })),
    [wave([2, 3], 0.1), wave([2, 3], 1), wave([2], 2)],
  );
});

for (const [pad, strides, dilations] of [
  ["same", 1, 1],
  ["valid", [1, 2], 1],
  ["same", 1, 2],
] as const) {
  // biome-ignore format: a table
  test(`convolutions, depthwise, fused and transposed, have their second derivatives: ${pad}, ${strides}, ${dilations}`, async () => {
    const image = () => wave([1, 3, 4, 2], 0.1);
    const options = { strides: strides as 1, pad, dilations };
    await expectSecond(
      (x, w) => tf.square(tf.conv2d(x4(x), x4(w), strides as 1, pad, "NHWC", dilations)),
      [image(), wave([2, 2, 2, 2], 1)],
    );
    await expectSecond(
      (x, w) => tf.square(tf.depthwiseConv2d(x4(x), x4(w), strides as 1, pad, "NHWC", dilations)),
      [image(), wave([2, 2, 2, 2], 1)],
    );
    await expectSecond(
      (x, w, b) => tf.square(tf.fused.conv2d({ x: x4(x), filter: x4(w), bias: b, ...options })),
      [image(), wave([2, 2, 2, 2], 1), wave([2], 2)],
    );
    await expectSecond(
      (x, w, b) =>
        tf.fused.depthwiseConv2d({ x: x4(x), filter: x4(w), bias: b, ...options, activation: "sigmoid" }),
      [image(), wave([2, 2, 2, 1], 1), wave([2], 2)],
    );
  });
}

test("transposed convolutions have their second derivatives", async () => {
  await expectSecond(
    (x, w) => tf.square(tf.conv2dTranspose(x4(x), x4(w), [1, 4, 5, 2], [2, 2], "same")),
    [wave([1, 2, 3, 2], 0.1), wave([2, 3, 2, 2], 1)],
  );
  type X5 = tf.Tensor5D;
  await expectSecond(
    (x, w) => tf.square(tf.conv3d(x as X5, w as X5, [1, 2, 1], "same")),
    [wave([1, 2, 3, 2, 1], 0.1), wave([2, 2, 1, 1, 2], 1)],
  );
  await expectSecond(
    (x, w) =>
      tf.square(tf.conv3dTranspose(x as X5, w as X5, [1, 2, 3, 2, 1], [1, 2, 1], "same") as tf.Tensor),
    [wave([1, 2, 2, 2, 2], 0.1), wave([2, 2, 1, 1, 2], 1)],
  );
});

test("poolings have their second derivatives", async () => {
  const image = () => wave([1, 4, 5, 2], 0.1);
  for (const [window, strides, pad] of [
    [2, 2, "valid"],
    [3, 2, "same"],
    [[2, 3], [1, 2], "same"],
    [
      2,
      1,
      [
        [0, 0],
        [1, 0],
        [1, 1],
        [0, 0],
      ],
    ],
  ] as [number, number, "same"][]) {
    // biome-ignore format: a table
    await expectSecond((x) => tf.square(tf.maxPool(x4(x), window, strides, pad)), [image()]);
    await expectSecond((x) => tf.square(tf.avgPool(x4(x), window, strides, pad)), [image()]);
  }
  for (const pad of ["valid", "same"] as const) {
    const volume = () => wave([1, 3, 4, 3, 1], 0.1);
    await expectSecond((x) => tf.square(tf.maxPool3d(x as tf.Tensor5D, 2, [1, 2, 1], pad)), [volume()]);
    await expectSecond((x) => tf.square(tf.avgPool3d(x as tf.Tensor5D, 2, [1, 2, 1], pad)), [volume()]);
  }
});

test("normalizations have their second derivatives", async () => {
  const normalized = (...args: Parameters<typeof tf.batchNorm<tf.Rank.R2>>) =>
    tf.square(tf.batchNorm(...args));
  const parts = () => [positive([3], 2), wave([3], 3), wave([3], 4)];
  await expectSecond(
    (x, v, o, s) =>
      normalized(
        x as tf.Tensor2D,
        tf.mean(x, 0) as tf.Tensor1D,
        v as tf.Tensor1D,
        o as tf.Tensor1D,
        s as tf.Tensor1D,
      ),
    [wave([4, 3], 0.1), ...parts()],
  );
  await expectSecond(
    (x) => {
      const { mean, variance } = tf.moments(x, 1, true);
      return tf.batchNorm(x as tf.Tensor2D, mean as tf.Tensor2D, variance as tf.Tensor2D);
    },
    [wave([2, 4], 0.1)],
  );
  await expectSecond((x) => tf.localResponseNormalization(x4(x), 1, 1, 0.7, 0.6), [wave([1, 2, 2, 4], 0.1)]);
});

test("losses have their second derivatives", async () => {
  const labels = () => tf.softmax(wave([3, 4], 2));
  await expectSecond((x) => tf.losses.softmaxCrossEntropy(labels(), x), [wave([3, 4], 0.1)]);
  await expectSecond((x) => tf.losses.sigmoidCrossEntropy(labels(), x), [wave([3, 4], 0.1)]);
  await expectSecond((x) => tf.losses.meanSquaredError(labels(), tf.tanh(x)), [wave([3, 4], 0.1)]);
  const ids = tf.tensor1d([1, 0, 3], "int32");
  await expectSecond((x) => crossEntropy(x as tf.Tensor2D, ids), [wave([3, 4], 0.1)]);
});

test("resizing, dilation2d and Fourier transforms have their second derivatives", async () => {
  for (const half of [false, true]) {
    await expectSecond(
      (x) => tf.square(tf.image.resizeBilinear(x4(x), [4, 3], false, half)),
      [wave([1, 2, 3, 1], 0.1)],
    );
    await expectSecond(
      (x) => tf.square(tf.image.resizeNearestNeighbor(x4(x), [4, 5], false, half)),
      [wave([1, 2, 3, 1], 0.1)],
    );
  }
  await expectSecond(
    (x, w) => tf.square(tf.dilation2d(x4(x), w as tf.Tensor3D, [1, 2], "same")),
    [wave([1, 3, 4, 2], 0.1), wave([2, 2, 2], 1)],
  );
  await expectSecond((x) => tf.square(tf.abs(tf.spectral.rfft(x))), [wave([6], 0.3)]);
});

test("a Hessian-vector product of a network is that of its quadratic form", async () => {
  // f(w) = ½ wᵀ A w with symmetric A, written with matrix products: ∇(∇f · v) = A v.
  const a = tf.tidy(() => {
    const m = wave([4, 4]);
    return tf.add(m, tf.transpose(m));
  });
  const [w, v] = [wave([4, 1], 1), wave([4, 1], 2)];
  const f = (z: tf.Tensor) => tf.div(tf.sum(tf.matMul(z, tf.matMul(a, z), true, false)), 2) as tf.Tensor;
  const product = tf.grad((z) => tf.sum(tf.mul(tf.grad(f)(z), v)))(w);
  const wanted = await numbers(tf.matMul(a, v));
  for (const [i, value] of (await numbers(product)).entries()) expect(value).toBeCloseTo(wanted[i]!, 12);
});

test("a gradient penalty trains a convolutional critic: its gradient is that of differences, and no tensor is left", async () => {
  const image = () => wave([2, 4, 4, 1], 0.1);
  const critic = (x: tf.Tensor, w: tf.Tensor, dense: tf.Tensor) => {
    const hidden = tf.maxPool(tf.elu(tf.conv2d(x4(x), x4(w), 1, "same")), 2, 2, "valid");
    return tf.matMul(tf.tanh(tf.reshape(hidden, [2, 12])), dense);
  };
  const penalty = (w: tf.Tensor, dense: tf.Tensor) => {
    const slopes = tf.grad((x) => critic(x, w, dense))(image());
    const norms = tf.sqrt(tf.sum(tf.square(slopes), [1, 2, 3]));
    return tf.sum(tf.square(tf.sub(norms, 1)));
  };
  await expectGradients(penalty as F, [wave([3, 3, 1, 3], 1), wave([12, 1], 2)], { tolerance: 1e-6 });
  const [w, dense] = [wave([3, 3, 1, 3], 1), wave([12, 1], 2)];
  const before = tf.memory().numTensors;
  tf.tidy(() => {
    tf.grads(penalty as F)([w, dense]);
  });
  expect(tf.memory().numTensors).toBe(before);
});
