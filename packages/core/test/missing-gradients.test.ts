import "./double-precision.js";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { installGradients } from "../src/index.js";
import { expectGradients } from "./expect-gradients.js";
import { numbers, wave } from "./tensors.js";

beforeAll(() => installGradients());

// The kernel of the cpu backend writes into the tensor that it is given.
const copy = (x: tf.Tensor) => tf.add(x, 0);
const ints = (values: number[], shape: number[] = [values.length]) => tf.tensor(values, shape, "int32");

const equations: [string, number[][]][] = [
  ["ij,jk->ik", [[2, 3], [3, 4]]],
  ["ij,jk->ki", [[2, 3], [3, 4]]],
  ["bij,bjk->bik", [[2, 2, 3], [2, 3, 2]]],
  ["aecd,abcd->acbe", [[2, 3, 2, 2], [2, 2, 2, 2]]],
  ["acbe,aecd->abcd", [[2, 2, 3, 2], [2, 2, 2, 2]]],
  ["ab,cd->abcd", [[2, 3], [2, 2]]],
  ["i,i->", [[4], [4]]],
  ["ij,ij->ij", [[2, 3], [2, 3]]],
  ["ij,j->i", [[2, 3], [3]]],
  ["ij->ji", [[2, 3]]],
  ["ijk->k", [[2, 3, 2]]],
  ["ij->", [[2, 3]]],
  ["i , j -> i j", [[2], [3]]],
  [",ij->ij", [[], [2, 3]]],
]; // biome-ignore format: a table
for (const [equation, shapes] of equations) {
  test(`einsum ${equation} has its gradients`, async () => {
    await expectGradients(
      (...xs) => tf.einsum(equation, ...xs),
      shapes.map((shape, i) => wave(shape, i)),
    );
  });
}

test("einsum of an axis that one operand alone has, and the result lacks, has the gradient of its sum", async () => {
  const [a, b, dy] = [wave([2, 3]), wave([4, 2], 1), wave([4], 2)];
  const { gradFunc } = tf.getGradient("Einsum");
  const parts = gradFunc(dy, [a, b], { equation: "ij,ki->k" }) as Record<string, () => tf.Tensor>;
  const [da, db] = tf.grads((p: tf.Tensor, q: tf.Tensor) => tf.dot(q, tf.sum(p, 1)))([a, b], dy);
  expect(await numbers(parts[0]!())).toEqual(await numbers(da!));
  expect(await numbers(parts[1]!())).toEqual(await numbers(db!));
});

test("gatherND and scatterND have each other's gradient, repeated indices too", async () => {
  const repeated = ints([0, 1, 2, 0, 0, 1], [3, 2]);
  await expectGradients((x) => tf.gatherND(x, repeated), [wave([3, 2])]);
  await expectGradients((x) => tf.gatherND(x, repeated), [wave([3, 2, 2])]);
  await expectGradients((x) => tf.gatherND(x, ints([2, 1])), [wave([3, 2])]);
  await expectGradients((x) => tf.gatherND(x, ints([1])), [wave([3, 2])]);
  await expectGradients((x) => tf.scatterND(repeated, x, [3, 3]), [wave([3])]);
  await expectGradients((x) => tf.scatterND(ints([2, 0, 2], [3, 1]), x, [4, 2]), [wave([3, 2])]);
  await expectGradients((x) => tf.gatherND(x, ints([0, 1, 2, 0, 0, 1, 1, 1], [2, 2, 2])), [wave([3, 2])]);
});

test("tensorScatterUpdate and sparseToDense train what stays, and not what was replaced", async () => {
  const at = ints([2, 0, 2], [3, 1]);
  await expectGradients((x, u) => tf.tensorScatterUpdate(copy(x), at, u), [wave([4, 2]), wave([3, 2], 1)]);
  await expectGradients(
    (x, u) => tf.tensorScatterUpdate(copy(x), ints([1, 1, 0, 1], [2, 2]), u),
    [wave([2, 2]), wave([2], 1)],
  );
  await expectGradients(
    (v, d) => tf.sparseToDense(ints([1, 3]), v, [5], d as tf.Scalar),
    [wave([2]), wave([], 1)],
  );
  await expectGradients(
    (v, d) => tf.sparseToDense(ints([1, 0, 0, 2], [2, 2]), v, [2, 3], d as tf.Scalar),
    [wave([2]), wave([], 1)],
  );
  await expectGradients(
    (v, d) => tf.sparseToDense(ints([1, 3]), v, [4], d as tf.Scalar),
    [wave([], 0.3), wave([], 1)],
  );
  await expectGradients(
    (v, d) => tf.sparseToDense(tf.scalar(1, "int32"), v, [4], d as tf.Scalar),
    [wave([], 0.3), wave([], 1)],
  );
});

test("stridedSlice has its gradient for strides up and down, masks, and nothing taken", async () => {
  type Arguments = [begin: number[], end: number[], strides: number[], ...masks: number[]];
  const cases: [number[], Arguments][] = [
    [[7], [[1], [6], [2]]],
    [[7], [[6], [0], [-2]]],
    [[5], [[-1], [-6], [-1]]],
    [[3, 4], [[0, 3], [3, 0], [2, -2]]],
    [[3, 4], [[0, 0], [0, 0], [1, 3], 3, 3]],
    [[3, 4, 2], [[1, 0], [2, 2], [1, 1], 0, 0, 2]],
    [[3, 4], [[0, 1, 0], [1, 2, 2], [1, 1, 1], 0, 0, 0, 1]],
    [[3, 4], [[1, 0], [2, 4], [1, 1], 0, 0, 0, 0, 1]],
    [[3, 4], [[1, 2], [2, 2], [1, 1]]],
  ]; // biome-ignore format: a table
  for (const [shape, slice] of cases) {
    await expectGradients((x) => tf.stridedSlice(x, ...slice), [wave(shape)]);
  }
});

test("stridedSlice of one row in steps gives its gradient to that row", async () => {
  const take = (x: tf.Tensor) => tf.stridedSlice(x, [1, 0], [2, 4], [1, 3], 0, 0, 0, 0, 1);
  expect(await numbers(tf.grad(take)(wave([3, 4]), tf.tensor([5, 6])))).toEqual([
    0, 0, 0, 0, 5, 0, 0, 6, 0, 0, 0, 0,
  ]);
});

test("the values of topk have their gradient", async () => {
  await expectGradients((x) => tf.topk(x, 2).values, [wave([3, 4])]);
  await expectGradients((x) => tf.topk(x, 3).values, [wave([2, 2, 3])]);
  await expectGradients((x) => tf.topk(x, 1).values, [wave([5])]);
});

test("depthToSpace, flipLeftRight, diag and rotateWithOffset have their gradients", async () => {
  await expectGradients((x) => tf.depthToSpace(x as tf.Tensor4D, 2), [wave([2, 2, 3, 8])]);
  await expectGradients((x) => tf.image.flipLeftRight(x as tf.Tensor4D), [wave([2, 2, 3, 2])]);
  await expectGradients((x) => tf.diag(x), [wave([3])]);
  await expectGradients((x) => tf.diag(x), [wave([2, 2])]);
  for (const [radians, center] of [
    [0.7, 0.5],
    [-2, [0.2, 0.9]],
  ] as const) {
    // biome-ignore format: a table
    await expectGradients(
      (x) => tf.image.rotateWithOffset(x as tf.Tensor4D, radians, 0.3, center as [number, number]),
      [wave([2, 4, 5, 3])],
    );
  }
});

test("depthToSpace of channels first has the inverse rearrangement as its gradient", async () => {
  const { gradFunc } = tf.getGradient("DepthToSpace");
  const dy = wave([1, 2, 4, 6]);
  const attrs = (dataFormat: string) => ({ blockSize: 2, dataFormat });
  const part = (gradient: unknown) => (gradient as Record<"x", () => tf.Tensor>).x();
  const first = part(gradFunc(dy, [], attrs("NCHW")));
  const last = part(gradFunc(tf.transpose(dy, [0, 2, 3, 1]), [], attrs("NHWC")));
  expect(await numbers(first)).toEqual(await numbers(tf.transpose(last, [0, 3, 1, 2])));
});

test("convolutions in three dimensions, dilated ones and the transpose have their gradients", async () => {
  const image = () => wave([2, 3, 4, 3, 2]);
  const filter = () => wave([2, 3, 2, 2, 2], 1);
  type Conv = Parameters<typeof tf.conv3d<tf.Tensor5D>>;
  for (const [strides, pad, dilations] of [
    [[1, 2, 1], "same", [1, 1, 1]],
    [[1, 1, 2], "valid", [1, 1, 1]],
    [[1, 1, 1], "same", [2, 1, 2]],
    [[1, 1, 1], "valid", [2, 1, 1]],
  ] as const) {
    await expectGradients(
      (x, w) => tf.conv3d(x as tf.Tensor5D, w as tf.Tensor5D, [...strides], pad, "NDHWC", [...dilations]),
      [image(), filter()],
    );
  }
  await expectGradients(
    (x, w) =>
      tf.conv3dTranspose(x as Conv[0], w as tf.Tensor5D, [1, 3, 4, 3, 2], [1, 2, 1], "same") as tf.Tensor,
    [wave([1, 3, 2, 3, 2]), filter()],
  );
});

test("cropAndResize has gradients of images and boxes, boxes that reach out of the image too", async () => {
  const owners = ints([1, 0, 1]);
  const boxes = () =>
    tf.tensor2d([0.1, 0.2, 0.93, 0.77, 0.83, 0.7, 0.15, 0.06, -0.3, 0.3, 0.6, 1.23], [3, 4]);
  for (const size of [
    [3, 2],
    [1, 4],
    [1, 1],
  ] as [number, number][]) {
    // biome-ignore format: a table
    for (const method of ["bilinear", "nearest"] as const) {
      await expectGradients(
        (x, b) => tf.image.cropAndResize(x as tf.Tensor4D, b as tf.Tensor2D, owners as tf.Tensor1D, size, method, 0.4),
        [wave([2, 4, 5, 2]), boxes()],
      );
    }
  }
});

test("image.transform has gradients of images and projections, whatever fills the outside", async () => {
  const one = [0.9, 0.21, -0.37, -0.13, 1.1, 0.23, 0.031, -0.017];
  const two = [1.3, -0.4, 1.17, 0.6, 0.83, -2.29, -0.021, 0.013];
  for (const fillMode of ["constant", "reflect", "wrap", "nearest"] as const) {
    for (const interpolation of ["bilinear", "nearest"] as const) {
      const transform = (x: tf.Tensor, t: tf.Tensor) =>
        tf.image.transform(
          x as tf.Tensor4D,
          t as tf.Tensor2D,
          interpolation,
          fillMode,
          0.3,
          [4, 5],
        ) as tf.Tensor;
      for (const projection of [one, two]) {
        await expectGradients(transform, [wave([1, 3, 4, 2]), tf.tensor2d([projection])]);
      }
      // The kernel of the cpu backend leaves all images but the first out, so that differences cannot tell.
      const [x, dy] = [wave([2, 3, 4, 2]), wave([2, 4, 5, 2], 1)];
      const gradients = (i: number, n: number, projections: number[][]) =>
        tf.grads(transform)([tf.slice(x, i, n), tf.tensor2d(projections)], tf.slice(dy, i, n));
      const [first, second] = [gradients(0, 1, [one]), gradients(1, 1, [two])];
      const both = gradients(0, 2, [one, two]);
      for (const [k, gradient] of both.entries()) {
        expect(await numbers(gradient)).toEqual(await numbers(tf.concat([first[k]!, second[k]!])));
      }
      const [, shared] = gradients(0, 2, [one, one]);
      const [, once] = gradients(0, 2, [one]);
      const off = tf.max(tf.abs(tf.sub(tf.sum(shared!, 0, true), once!)));
      expect((await numbers(off))[0]).toBeLessThan(1e-12);
    }
  }
});

test("cumprod and prod have their gradients, at zeros too", async () => {
  for (const exclusive of [false, true]) {
    for (const reverse of [false, true]) {
      for (const axis of [0, 1, 2]) {
        await expectGradients((x) => tf.cumprod(x, axis, exclusive, reverse), [wave([2, 5, 3], 0.3)]);
        const zeros = tf.tidy(() =>
          tf.mul(wave([2, 5, 3], 0.3), tf.cast(tf.greater(wave([2, 5, 3], 2), -0.4), "float32")),
        );
        await expectGradients((x) => tf.cumprod(x, axis, exclusive, reverse), [zeros]);
      }
    }
  }
});

test("the weights of bincount and denseBincount have their gradient", async () => {
  const x = ints([1, 0, 3, 1, 7, 2]);
  await expectGradients((w) => tf.bincount(x as tf.Tensor1D, w as tf.Tensor1D, 4), [wave([6])]);
  await expectGradients((w) => tf.denseBincount(x as tf.Tensor1D, w as tf.Tensor1D, 4), [wave([6])]);
  const rows = tf.reshape(x, [2, 3]) as tf.Tensor2D;
  await expectGradients((w) => tf.denseBincount(rows, w as tf.Tensor2D, 4), [wave([2, 3])]);
  await expectGradients((w) => tf.denseBincount(rows, w as tf.Tensor2D, 4, true), [wave([2, 3])]);
});

const parts = (z: tf.Tensor) => tf.concat([tf.real(z), tf.imag(z)], -1);
test("complex numbers, their parts and their Fourier transforms have their gradients", async () => {
  await expectGradients((a, b) => parts(tf.spectral.fft(tf.complex(a, b))), [wave([2, 5]), wave([2, 5], 1)]);
  await expectGradients((a, b) => parts(tf.spectral.ifft(tf.complex(a, b))), [wave([2, 4]), wave([2, 4], 1)]);
  await expectGradients((a) => parts(tf.spectral.rfft(a)), [wave([2, 6])]);
  await expectGradients((a) => parts(tf.spectral.rfft(a, 4)), [wave([6])]);
  await expectGradients((a) => parts(tf.spectral.rfft(a, 7)), [wave([2, 5])]);
  await expectGradients((a, b) => tf.spectral.irfft(tf.complex(a, b)), [wave([2, 5]), wave([2, 5], 1)]);
  await expectGradients((a, b) => tf.abs(tf.complex(a, b)), [wave([2, 3], 0.3), wave([2, 3], 1)]);
  await expectGradients((a) => tf.abs(tf.spectral.rfft(a)), [wave([6], 0.3)]);
  await expectGradients((a) => tf.spectral.irfft(tf.spectral.rfft(a)), [wave([2, 6])]);
  await expectGradients((a) => tf.imag(tf.complex(a, a)), [wave([3])]);
});

test("arithmetic on complex numbers has its gradients", async () => {
  const f = (a: tf.Tensor, b: tf.Tensor) => {
    const z = tf.complex(a, b);
    const w = tf.sub(tf.add(tf.mul(z, z), a), tf.mul(z, tf.fill([6], 3)));
    return parts(
      tf.reshape(tf.concat([w, tf.transpose(tf.reshape(z, [2, 3]))].map((t) => tf.reshape(t, [6]))), [4, 3]),
    );
  };
  await expectGradients(f, [wave([6]), wave([6], 1)]);
});

test("a tensor without elements that is broadcast has a gradient of zeros", async () => {
  for (const op of [
    tf.add,
    tf.sub,
    tf.mul,
    tf.div,
    tf.pow,
    tf.atan2,
    tf.mod,
    tf.maximum,
    tf.squaredDifference,
  ]) {
    const [da, db] = tf.grads((a: tf.Tensor, b: tf.Tensor) => op(a, b))([tf.zeros([0]), tf.ones([1])]);
    expect(da!.shape).toEqual([0]);
    expect(await numbers(db!)).toEqual([0]);
  }
});

test("powers have their gradients, at zero too", async () => {
  await expectGradients((a, b) => tf.pow(a, b), [tf.tensor([0.5, 2, 1.5]), tf.tensor([2, -1, 0.5])]);
  expect(await numbers(tf.grad((a) => tf.pow(a, tf.tensor([0, 1, 2])))(tf.zeros([3])))).toEqual([0, 1, 0]);
});

test("sparse segments and filled rows have their gradients", async () => {
  const [indices, segments] = [ints([2, 0, 2, 1]) as tf.Tensor1D, ints([0, 0, 1, 2]) as tf.Tensor1D];
  await expectGradients(
    (x) => tf.sparse.sparseSegmentSum(x as tf.Tensor2D, indices, segments),
    [wave([3, 2])],
  );
  await expectGradients(
    (x) => tf.sparse.sparseSegmentMean(x as tf.Tensor2D, indices, segments),
    [wave([3, 2])],
  );
  await expectGradients(
    (v, d) =>
      tf.sparse.sparseFillEmptyRows(
        ints([3, 0, 1, 1, 1, 0], [3, 2]) as tf.Tensor2D,
        v as tf.Tensor1D,
        ints([5, 2]) as tf.Tensor1D,
        d as tf.Scalar,
      ).outputValues!,
    [wave([3]), wave([], 1)],
  );
});

test("no gradient of these leaves a tensor behind", () => {
  const x = wave([4, 4]);
  const before = tf.memory().numTensors;
  const f = (z: tf.Tensor) => {
    const spectrum = tf.abs(tf.mul(tf.spectral.rfft(z), tf.spectral.rfft(z)));
    const product = tf.einsum("ij,ik->jk", spectrum, tf.cumprod(z, 0));
    const picked = tf.gatherND(product, tf.tensor2d([0, 1, 2, 0], [2, 2], "int32"));
    return tf.add(tf.sum(picked), tf.sum(tf.topk(tf.stridedSlice(z, [0, 3], [4, 0], [1, -2]), 1).values));
  };
  tf.dispose(tf.grad(f)(x));
  expect(tf.memory().numTensors).toBe(before);
  x.dispose();
});
