import "./double-precision.js";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { installGradients } from "../src/index.js";
import { expectGradients } from "./expect-gradients.js";
import { numbers, wave } from "./tensors.js";

beforeAll(() => installGradients());

type Pad = Parameters<typeof tf.conv2d>[3];

/** 0, 1, 2, … */
const counting = (shape: number[]) =>
  tf.tidy(() => tf.reshape(tf.range(0, tf.util.sizeFromShape(shape), 1), shape));

/** The gradient of f at x along dy. */
const along = (f: (x: tf.Tensor) => tf.Tensor, x: tf.Tensor, dy: tf.Tensor) => numbers(tf.grad(f)(x, dy));

test("the finite differences are those of float64", async () => {
  expect(await numbers(tf.add(1, 1e-12))).toEqual([1 + 1e-12]);
});

test("cumsum along the first axis sums from the other side, and is not transposed", async () => {
  const dy = tf.tensor([1, 10, 100, 2, 20, 200, 3, 30, 300], [3, 3]);
  const x = wave([3, 3]);
  expect(await along((z) => tf.cumsum(z, 0), x, dy)).toEqual([6, 60, 600, 5, 50, 500, 3, 30, 300]);
});

for (const exclusive of [false, true]) {
  for (const reverse of [false, true]) {
    test(`cumsum has the right gradient along every axis (exclusive ${exclusive}, reverse ${reverse})`, async () => {
      for (const axis of [0, 1, 2]) {
        await expectGradients((x) => tf.cumsum(x, axis, exclusive, reverse), [wave([2, 3, 4])]);
      }
    });
  }
}

const broadcast: [number[], number[]][] = [
  [[2, 3], [2, 3]],
  [[2, 3], [3]],
  [[3], [2, 3]],
  [[2, 1, 3], [4, 1]],
  [[], [2, 3]],
  [[2, 3], []],
  [[1], [1, 1, 4]],
]; // biome-ignore format: a table
for (const [a, b] of broadcast) {
  test(`maximum, minimum and prelu of [${a}] and [${b}] have gradients of their inputs' shapes`, async () => {
    for (const op of [tf.maximum, tf.minimum, tf.prelu]) {
      await expectGradients((p, q) => op(p, q), [wave(a, 0.2), wave(b, 1)]);
    }
  });
}

test("batchNorm has its gradients without scale, offset, or both, with moments of any shape", async () => {
  for (const moments of [[3], [1, 1, 1, 3], [2, 2, 1, 3]]) {
    const inputs = () => [
      wave([2, 2, 1, 3]),
      wave(moments, 1),
      tf.tidy(() => tf.add(tf.abs(wave(moments, 2)), 0.5)),
    ];
    const [offset, scale] = [() => wave(moments, 3), () => wave(moments, 4)];
    type Norm = Parameters<typeof tf.batchNorm>;
    const norm = (x: tf.Tensor, m: tf.Tensor, v: tf.Tensor, o?: tf.Tensor, s?: tf.Tensor) =>
      tf.batchNorm(x as Norm[0], m as Norm[1], v as Norm[1], o as Norm[1], s as Norm[1]) as tf.Tensor;
    await expectGradients((x, m, v) => norm(x, m, v), inputs());
    await expectGradients((x, m, v, o) => norm(x, m, v, o), [...inputs(), offset()]);
    await expectGradients((x, m, v, s) => norm(x, m, v, undefined, s), [...inputs(), scale()]);
    await expectGradients((x, m, v, o, s) => norm(x, m, v, o, s), [...inputs(), offset(), scale()]);
  }
});

test("batchNorm of fewer axes has its gradients", async () => {
  for (const shape of [
    [4, 3],
    [2, 4, 3],
  ]) {
    const inputs = [wave(shape), wave([3], 1), tf.tidy(() => tf.add(tf.abs(wave([3], 2)), 0.5))];
    await expectGradients(
      (x, m, v) => tf.batchNorm(x as tf.Tensor3D, m as tf.Tensor1D, v as tf.Tensor1D),
      inputs,
    );
  }
});

test("unstack and split into one piece, and into several of which one is used, have their gradients", async () => {
  await expectGradients((x) => tf.mul(tf.unstack(x, 1)[0]!, 2), [wave([3, 1, 2])]);
  await expectGradients((x) => tf.square(tf.unstack(x, -2)[2]!), [wave([2, 3, 2])]);
  await expectGradients((x) => tf.square(tf.split(x, 1, 1)[0]!), [wave([2, 3])]);
  await expectGradients((x) => tf.square(tf.split(x, [1, 3, 0], -1)[1]!), [wave([2, 4])]);
});

test("bandPart of one matrix and of several has its gradient", async () => {
  await expectGradients((x) => tf.linalg.bandPart(x, 1, 0), [wave([3, 4])]);
  await expectGradients((x) => tf.linalg.bandPart(x, 0, -1), [wave([2, 3, 3])]);
});

test("resizing with half pixel centers, and a batch, has its gradient", async () => {
  const bilinear = await along(
    (x) => tf.image.resizeBilinear(x as tf.Tensor4D, [6, 6], false, true),
    wave([1, 3, 3, 1]),
    counting([1, 6, 6, 1]),
  );
  expect(bilinear.map((v) => Number(v.toFixed(9)))).toEqual([
    17.5, 25, 32.5, 62.5, 70, 77.5, 107.5, 115, 122.5,
  ]);
  const batch = await along(
    (x) => tf.image.resizeNearestNeighbor(x as tf.Tensor4D, [4, 4]),
    wave([2, 2, 2, 1]),
    counting([2, 4, 4, 1]),
  );
  expect(batch).toEqual([10, 18, 42, 50, 74, 82, 106, 114]);
  const half = await along(
    (x) => tf.image.resizeNearestNeighbor(x as tf.Tensor4D, [5, 7], false, true),
    wave([1, 3, 3, 1]),
    tf.ones([1, 5, 7, 1]),
  );
  expect(half).toEqual([4, 6, 4, 2, 3, 2, 4, 6, 4]);
});

const sizes: [number[], [number, number]][] = [
  [[1, 3, 4, 2], [6, 5]],
  [[2, 4, 3, 1], [2, 2]],
  [[2, 1, 3, 1], [4, 9]],
  [[2, 3, 2, 1], [1, 1]],
  [[1, 2, 3, 2], [4, 6]],
]; // biome-ignore format: a table
for (const [shape, size] of sizes) {
  test(`resizing [${shape}] to [${size}] has the gradient of finite differences`, async () => {
    const flags = [
      [false, false],
      [true, false],
      [false, true],
    ] as const;
    for (const [corners, half] of flags) {
      for (const resize of [tf.image.resizeBilinear, tf.image.resizeNearestNeighbor]) {
        await expectGradients((x) => resize(x as tf.Tensor4D, size, corners, half), [wave(shape)]);
      }
    }
  });
}

test("nothing is trained through a cast to integers or booleans", async () => {
  const x = tf.tensor([1.5, -2.5, 0.5]);
  expect(await numbers(tf.grad((z) => tf.mul(tf.cast(z, "int32"), z))(x))).toEqual([1, -2, 0]);
  expect(await numbers(tf.grad((z) => tf.mul(tf.cast(z, "bool"), z))(x))).toEqual([1, 1, 1]);
  expect(await numbers(tf.grad((z) => tf.mul(tf.floorDiv(z, 1), z))(x))).toEqual([1, -3, 0]);
});

test("of several largest or smallest elements each gets its share", async () => {
  const x = tf.tensor([1, 3, 3, 0, 0, 0], [2, 3]);
  expect(await numbers(tf.grad((z) => tf.max(z, 1))(x))).toEqual([0, 1 / 2, 1 / 2, 1 / 3, 1 / 3, 1 / 3]);
  await expectGradients((z) => tf.min(z, [0, -1]), [wave([2, 3, 2])]);
  await expectGradients((z) => tf.max(z, 1, true), [wave([2, 3, 2])]);
  await expectGradients((z) => tf.max(z), [wave([2, 3])]);
});

test("tile of any number of axes has its gradient", async () => {
  await expectGradients((x) => tf.tile(x, [2, 1, 3]), [wave([2, 3, 1])]);
  await expectGradients((x) => tf.tile(x, [2, 1, 3, 1, 2]), [wave([1, 2, 1, 1, 2])]);
});

const windows: { name: string; filter: [number, number]; strides: [number, number]; dilations: [number, number]; pad: Pad }[] = [
  { name: "same", filter: [3, 2], strides: [2, 1], dilations: [1, 1], pad: "same" },
  { name: "valid", filter: [2, 3], strides: [1, 2], dilations: [1, 1], pad: "valid" },
  { name: "dilated, same", filter: [2, 3], strides: [1, 1], dilations: [2, 1], pad: "same" },
  { name: "dilated, valid", filter: [2, 2], strides: [1, 1], dilations: [2, 3], pad: "valid" },
  { name: "dilated, padded beyond the filter", filter: [2, 1], strides: [1, 1], dilations: [2, 2], pad: [[0, 0], [3, 0], [1, 2], [0, 0]] },
  { name: "explicit", filter: [2, 3], strides: [2, 2], dilations: [1, 1], pad: [[0, 0], [1, 0], [2, 1], [0, 0]] },
]; // biome-ignore format: a table
const activations = ["linear", "relu", "elu", "relu6", "leakyrelu", "sigmoid"] as const;
for (const { name, filter, strides, dilations, pad } of windows) {
  test(`convolutions, plain, fused and depthwise, have their gradients: ${name}`, async () => {
    const image = () => wave([2, 5, 4, 2]);
    const dense = () => wave([...filter, 2, 3], 1);
    const depthwise = () => wave([...filter, 2, 2], 1);
    const bias = (n: number) => wave([n], 2);
    // The type of the fused ops does not know what they take.
    const shared = { strides, pad: pad as "same", dilations, dataFormat: "NHWC" } as const;
    const [x4, w4] = [(x: tf.Tensor) => x as tf.Tensor4D, (w: tf.Tensor) => w as tf.Tensor4D];
    await expectGradients(
      (x, w) => tf.conv2d(x4(x), w4(w), strides, pad, "NHWC", dilations),
      [image(), dense()],
    );
    await expectGradients(
      (x, w) => tf.depthwiseConv2d(x4(x), w4(w), strides, pad, "NHWC", dilations),
      [image(), depthwise()],
    );
    for (const activation of activations) {
      const options = { ...shared, activation, leakyreluAlpha: 0.3 };
      await expectGradients(
        (x, w, b) => tf.fused.conv2d({ x: x4(x), filter: w4(w), bias: b, ...options }),
        [image(), dense(), bias(3)],
      );
      await expectGradients(
        (x, w, b) => tf.fused.depthwiseConv2d({ x: x4(x), filter: w4(w), bias: b, ...options }),
        [image(), depthwise(), bias(4)],
      );
    }
    await expectGradients(
      (x, w) => tf.fused.conv2d({ x: x as tf.Tensor3D, filter: w4(w), ...shared }),
      [wave([5, 4, 2]), dense()],
    );
    await expectGradients(
      (x, w) => tf.fused.depthwiseConv2d({ x: x as tf.Tensor3D, filter: w4(w), ...shared }),
      [wave([5, 4, 2]), depthwise()],
    );
  });
}

test("fused.conv2d of channels first has its gradients", async () => {
  await expectGradients(
    (x, w, b) =>
      tf.fused.conv2d({
        x: x as tf.Tensor4D,
        filter: w as tf.Tensor4D,
        bias: b,
        strides: 1,
        pad: "same",
        dataFormat: "NCHW",
      }),
    [wave([2, 2, 3, 4]), wave([2, 2, 2, 3], 1), wave([3], 2)],
  );
});

test("fused.matMul has its gradients with transposes, biases and repeated batches", async () => {
  for (const transposeA of [false, true]) {
    for (const transposeB of [false, true]) {
      for (const [batchA, batchB, bias] of [
        [[], [], [4]],
        [[2], [2], [3, 4]],
        [[1], [2], [4]],
      ] as const) {
        const a = wave([...batchA, ...(transposeA ? [2, 3] : [3, 2])]);
        const b = wave([...batchB, ...(transposeB ? [4, 2] : [2, 4])], 1);
        await expectGradients(
          (p, q, r) => tf.fused.matMul({ a: p, b: q, bias: r, transposeA, transposeB }),
          [a, b, wave([...bias], 2)],
        );
      }
    }
  }
});

test("fused.matMul broadcasts its batches, as matMul does, with every activation", async () => {
  const batches: [number[], number[], number[]][] = [
    [[2, 2], [1, 2], [4]],
    [[2, 2], [2, 1], [2, 1, 1, 4]],
    [[3], [2, 3], [1]],
    [[2, 1], [1, 2], [3, 4]],
  ]; // biome-ignore format: a table
  for (const [batchA, batchB, biasShape] of batches) {
    const [a, b, bias] = [wave([...batchA, 3, 2], 0.1), wave([...batchB, 2, 4], 1), wave(biasShape, 2)];
    const repeated = (x: tf.Tensor) => tf.broadcastTo(x, [2, batchA[0] === 3 ? 3 : 2, ...x.shape.slice(-2)]);
    for (const activation of ["linear", "relu", "leakyrelu", "sigmoid"] as const) {
      const fused = (p: tf.Tensor, q: tf.Tensor, r: tf.Tensor) =>
        tf.fused.matMul({ a: p, b: q, bias: r, activation, leakyreluAlpha: 0.3 });
      // tfjs-core pairs the matrices of interleaved batches wrongly on the cpu until its kernels are repaired.
      const plain = (p: tf.Tensor, q: tf.Tensor, r: tf.Tensor) => {
        const y = tf.add(tf.matMul(repeated(p), repeated(q)), r);
        return { linear: y, relu: tf.relu(y), leakyrelu: tf.leakyRelu(y, 0.3), sigmoid: tf.sigmoid(y) }[
          activation
        ];
      };
      const interleaved = batchA.length === batchB.length;
      // The slopes of activations depend on the product, which is wrong there.
      if (interleaved && activation !== "linear") continue;
      const gradients = tf.grads(fused)([a, b, bias]);
      for (const [i, wanted] of tf.grads(plain)([a, b, bias]).entries()) {
        const want = await numbers(wanted);
        for (const [k, value] of (await numbers(gradients[i]!)).entries())
          expect(value).toBeCloseTo(want[k]!, 10);
      }
      if (!interleaved) {
        expect(await numbers(fused(a, b, bias))).toEqual(await numbers(plain(a, b, bias)));
        await expectGradients(fused, [a.clone(), b.clone(), bias.clone()]);
      }
    }
  }
});

test("maxPool with a rounding of its own and maxPoolWithArgmax have their gradients", async () => {
  const x = () => wave([2, 5, 4, 2]);
  const none: Pad = [[0, 0], [0, 0], [0, 0], [0, 0]]; // biome-ignore format: a table
  await expectGradients((z) => tf.maxPool(z as tf.Tensor4D, [2, 3], [2, 2], none, "ceil"), [x()]);
  await expectGradients((z) => tf.maxPoolWithArgmax(z as tf.Tensor4D, [2, 3], [2, 1], "same").result!, [x()]);
});

test("a numeric padding means the same as one written out, around windows and strides that are not square", async () => {
  const explicit: Pad = [[0, 0], [1, 1], [1, 1], [0, 0]]; // biome-ignore format: a table
  const x = wave([1, 6, 7, 2]);
  const attrs = { strides: [2, 1], dilations: [1, 1], filterSize: [3, 2] };
  const [rows, columns] = [3, 8];
  const kernels: [string, tf.Tensor[], number][] = [
    ["Conv2D", [x, wave([3, 2, 2, 3], 1)], 3],
    ["DepthwiseConv2dNative", [x, wave([3, 2, 2, 2], 1)], 4],
    ["AvgPool", [x], 2],
    ["MaxPool", [x, tf.maxPool(x as tf.Tensor4D, [3, 2], [2, 1], explicit)], 2],
  ];
  for (const [kernel, saved, channels] of kernels) {
    const dy = wave([1, rows, columns, channels], 2);
    const gradients = async (pad: Pad) => {
      const parts = tf.getGradient(kernel).gradFunc(dy, saved, { ...attrs, pad } as tf.NamedAttrMap);
      return Promise.all(
        Object.values(parts as Record<string, () => tf.Tensor>).map((part) => numbers(part())),
      );
    };
    expect(await gradients(1), kernel).toEqual(await gradients(explicit));
  }
});

test("a row of conv1d has no padding above and below it", async () => {
  const [row, filter] = [wave([1, 1, 5, 2]), wave([1, 3, 2, 2], 1)];
  const dy = wave([1, 1, 5, 2], 2);
  const gradients = async (pad: Pad) => {
    const attrs = { strides: [1, 1], dilations: [1, 1], pad } as tf.NamedAttrMap;
    const parts = tf.getGradient("Conv2D").gradFunc(dy, [row, filter], attrs);
    return Promise.all(
      Object.values(parts as Record<string, () => tf.Tensor>).map((part) => numbers(part())),
    );
  };
  expect(await gradients(1)).toEqual(await gradients("same"));
});

test("a gradient that several inputs share outlives the first of them, and the caller's is left alone", async () => {
  const dy = tf.ones([2]);
  const bias = tf.tensor1d([1, 2]);
  const norm = (x: tf.Tensor, b: tf.Tensor) =>
    tf.batchNorm(
      x as tf.Tensor1D,
      tf.zeros([2]) as tf.Tensor1D,
      tf.ones([2]) as tf.Tensor1D,
      b as tf.Tensor1D,
    );
  const sums: ((x: tf.Tensor, w: tf.Tensor) => tf.Tensor)[] = [
    (x, w) => tf.add(x, w),
    (x, w) => tf.sub(x, w),
    (x, w) => tf.mod(x, w),
    (x, w) => tf.reshape(norm(tf.reshape(w, [1, 2]), x), [2]),
    (x, w) =>
      tf.reshape(
        tf.fused.matMul({ a: tf.reshape(w, [2, 1]), b: tf.ones([1, 1]), bias: tf.reshape(x, [2, 1]) }),
        [2],
      ),
  ];
  for (const f of sums) {
    // In this order: backwards, the second gradient of x is added before that of w is used.
    const diamond = (x: tf.Tensor, w: tf.Tensor) => {
      const second = tf.square(w);
      const first = tf.square(x);
      return tf.add(f(x, second), first);
    };
    await expectGradients(diamond, [tf.tensor1d([0.3, 0.7]), tf.tensor1d([1.1, 1.3])]);
    tf.dispose(tf.grads(diamond)([bias, tf.tensor1d([1.1, 1.3])], dy));
    expect(await numbers(dy.clone())).toEqual([1, 1]);
  }
});

test("no gradient leaves a tensor behind", () => {
  const x = wave([2, 4, 4, 2]);
  const w = wave([2, 2, 2, 2], 1);
  const before = tf.memory().numTensors;
  const f = (z: tf.Tensor, filter: tf.Tensor) => {
    const [x4, w4] = [z as tf.Tensor4D, filter as tf.Tensor4D];
    const dense = tf.fused.conv2d({ x: x4, filter: w4, strides: 1, pad: "same", dilations: 2 });
    const deep = tf.fused.depthwiseConv2d({ x: dense, filter: w4, strides: 1, pad: "same", dilations: 2 });
    const { mean, variance } = tf.moments(deep, [0, 1, 2]);
    const norm = tf.batchNorm4d(deep, mean as tf.Tensor1D, variance as tf.Tensor1D);
    const large = tf.image.resizeBilinear(tf.unstack(norm, 0)[0]! as tf.Tensor3D, [5, 5], false, true);
    return tf.maximum(tf.max(tf.cumsum(large, 0)), 0.5);
  };
  tf.dispose(tf.grads(f)([x, w]));
  expect(tf.memory().numTensors).toBe(before);
  tf.dispose([x, w]);
});
