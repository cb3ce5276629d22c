import { wasmMode } from "../training/wasm-mode.js";
import "@tensorflow/tfjs-backend-cpu";
import { repairKernels } from "@gradlab/backend-select";
import { installGradients } from "@gradlab/core";
import { enableWasmTraining } from "@gradlab/wasm-training";
import {
  add,
  avgPool,
  avgPool3d,
  cast,
  clipByValue,
  conv1d,
  conv2d,
  conv2dTranspose,
  conv3d,
  cumsum,
  depthToSpace,
  depthwiseConv2d,
  env,
  fill,
  fused,
  gatherND,
  grad,
  image,
  logicalNot,
  matMul,
  maxPool,
  maxPool3d,
  memory,
  mul,
  ones,
  pad,
  prelu,
  relu6,
  separableConv2d,
  setBackend,
  split,
  stridedSlice,
  sum,
  type Tensor,
  tensor,
  tidy,
  transpose,
} from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";

/*
 * Shapes, types and values that the kernels of tfjs 4.22 get wrong, refuse, or break the heap with; the numbers are worked out
 * by hand.
 */

beforeAll(async () => {
  env().set("PROD", true); // no advertisement on the console
  await enableWasmTraining(wasmMode());
  repairKernels("cpu");
  installGradients();
});

/** 0, 1, 2, … */
// biome-ignore lint/suspicious/noExplicitAny: the shapes of tensors are those of the case
const count = (...shape: number[]): any =>
  tensor(
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
    shape,
  );

/** A gradient with respect to the first argument, of the sum of `f(x) · dy`. */
const gradient = (f: (x: Tensor) => Tensor, x: Tensor, dy: Tensor) => grad((v) => sum(mul(f(v), dy)))(x);

interface Case {
  readonly name: string;
  readonly compute: () => Tensor;
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

// biome-ignore lint/suspicious/noExplicitAny: the shapes of tensors are those of the case
type Any = any;

const cases: readonly Case[] = [
  {
    name: "a stride larger than the window under the padding same",
    compute: () => conv2d(count(1, 4, 4, 1), count(3, 3, 1, 1), 4, "same"),
    shape: [1, 1, 1, 1],
    values: [258],
  },
  {
    name: "the same, fused",
    compute: () =>
      fused.conv2d({
        x: count(1, 4, 4, 1),
        filter: count(3, 3, 1, 1),
        strides: 4,
        pad: "same",
        bias: tensor([-300]),
        activation: "relu",
      }),
    shape: [1, 1, 1, 1],
    values: [0],
  },
  {
    name: "the same, fused with a bias",
    compute: () =>
      fused.conv2d({
        x: count(1, 4, 4, 1),
        filter: count(3, 3, 1, 1),
        strides: 4,
        pad: "same",
        bias: tensor([1]) as Any,
      }),
    shape: [1, 1, 1, 1],
    values: [259],
  },
  {
    name: "the same, for each channel",
    compute: () => depthwiseConv2d(count(1, 4, 4, 1), count(3, 3, 1, 1), 4, "same"),
    shape: [1, 1, 1, 1],
    values: [258],
  },
  {
    name: "the same, fused for each channel, with a slope",
    compute: () =>
      fused.depthwiseConv2d({
        x: count(1, 4, 4, 1),
        filter: count(3, 3, 1, 1),
        strides: 4,
        pad: "same",
        bias: tensor([-260]) as Any,
        activation: "leakyrelu",
        leakyreluAlpha: 0.5,
      }),
    shape: [1, 1, 1, 1],
    values: [-1],
  },
  {
    name: "the same, separable",
    compute: () =>
      separableConv2d(count(1, 4, 4, 1), count(3, 3, 1, 1), tensor([2], [1, 1, 1, 1]), 4 as Any, "same"),
    shape: [1, 1, 1, 1],
    values: [516],
  },
  {
    name: "the same, along a sequence",
    compute: () => conv1d(count(1, 4, 1), count(3, 1, 1), 4, "same"),
    shape: [1, 1, 1],
    values: [0 * 0 + 1 * 1 + 2 * 2],
  },
  {
    // Each element of x reaches the output through one tap of the filter, where the window lies: rows and columns 0 to 2.
    name: "the gradient of a transposed convolution with a stride larger than its window",
    compute: () =>
      gradient(
        (x) => conv2dTranspose(x as Any, count(3, 3, 1, 1), [1, 4, 4, 1], 4, "same"),
        ones([1, 1, 1, 1]),
        count(1, 4, 4, 1),
      ),
    shape: [1, 1, 1, 1],
    values: [258],
  },
  {
    name: "a numeric padding of a window that is not square",
    compute: () => sum(conv2d(ones([1, 20, 20, 1]) as Any, ones([5, 3, 1, 1]) as Any, 1, 1), 3),
    shape: [1, 18, 20],
    // Rows and columns of the window that lie in the image, by position.
    values: Array.from({ length: 18 * 20 }, (_, i) => {
      const [y, x] = [Math.floor(i / 20), i % 20];
      return (y === 0 || y === 17 ? 4 : 5) * (x === 0 || x === 19 ? 2 : 3);
    }),
  },
  {
    name: "a numeric padding of a sequence",
    compute: () => conv1d(count(1, 3, 1), ones([2, 1, 1]), 1, 1),
    shape: [1, 4, 1],
    values: [0, 1, 3, 2],
  },
  {
    name: "a numeric padding of a pool whose window and strides are not square",
    compute: () => avgPool(count(1, 2, 2, 3), [4, 2], [4, 2], 1),
    shape: [1, 1, 2, 3],
    values: [3, 4, 5, 6, 7, 8],
  },
  {
    name: "the gradient of that pool: shares of what each window has of the image",
    compute: () =>
      gradient((x) => avgPool(x as Any, [4, 2], [4, 2], 1), count(1, 2, 2, 1), tensor([2, 6], [1, 1, 2, 1])),
    shape: [1, 2, 2, 1],
    values: [1, 3, 1, 3],
  },
  {
    name: "the gradient of the largest of such windows",
    compute: () =>
      gradient((x) => maxPool(x as Any, [4, 2], [4, 2], 1), count(1, 2, 2, 1), tensor([2, 6], [1, 1, 2, 1])),
    shape: [1, 2, 2, 1],
    values: [0, 0, 2, 6],
  },
  {
    name: "the gradient of an average at the border of an image",
    compute: () => gradient((x) => avgPool(x as Any, 2, 2, "same"), count(1, 3, 3, 1), ones([1, 2, 2, 1])),
    shape: [1, 3, 3, 1],
    values: [0.25, 0.25, 0.5, 0.25, 0.25, 0.5, 0.5, 0.5, 1],
  },
  {
    name: "the gradient of what was rounded up",
    compute: () => gradient((x) => maxPool(x as Any, 2, 2, 0, "ceil"), count(1, 3, 3, 1), count(1, 2, 2, 1)),
    shape: [1, 3, 3, 1],
    values: [0, 0, 0, 0, 0, 1, 0, 2, 3],
  },
  {
    name: "a window of one element with a stride",
    compute: () => maxPool(count(1, 3, 3, 1), 1, 2, "valid"),
    shape: [1, 2, 2, 1],
    values: [0, 2, 6, 8],
  },
  {
    name: "margins wider than the window",
    compute: () =>
      conv2d(ones([1, 1, 1, 1]) as Any, ones([1, 2, 1, 1]) as Any, 1, [
        [0, 0],
        [0, 1],
        [3, 2],
        [0, 0],
      ]),
    shape: [1, 2, 5, 1],
    values: [0, 0, 1, 1, 0, 0, 0, 0, 0, 0],
  },
  {
    name: "in three dimensions, a stride larger than the window",
    compute: () => conv3d(count(1, 1, 1, 4, 1), ones([1, 1, 1, 1, 1]), [1, 1, 3], "same"),
    shape: [1, 1, 1, 2, 1],
    values: [0, 3],
  },
  {
    name: "its gradient",
    compute: () =>
      gradient(
        (x) => conv3d(x as Any, ones([1, 1, 1, 1, 1]), [1, 1, 5], "same"),
        count(1, 1, 1, 4, 1),
        tensor([7], [1, 1, 1, 1, 1]),
      ),
    shape: [1, 1, 1, 4, 1],
    values: [7, 0, 0, 0],
  },
  {
    name: "averages and largest of volumes, likewise",
    compute: () =>
      add(
        avgPool3d(count(1, 1, 4, 1, 1), [1, 1, 1], [1, 3, 1], "same"),
        maxPool3d(count(1, 1, 4, 1, 1), [1, 1, 1], [1, 3, 1], "same"),
      ),
    shape: [1, 1, 2, 1, 1],
    values: [0, 6],
  },
  {
    name: "the gradient of the largest in windows whose two last sizes differ",
    compute: () =>
      gradient(
        (x) => maxPool3d(x as Any, [1, 3, 1], 1, "valid"),
        tensor([1, 9, 3, 4, 5], [1, 1, 5, 1, 1]),
        tensor([1, 10, 100], [1, 1, 3, 1, 1]),
      ),
    shape: [1, 1, 5, 1, 1],
    values: [0, 11, 0, 0, 100],
  },
  {
    name: "running sums along a negative axis that is not the last",
    compute: () => cumsum(count(2, 2), -2),
    shape: [2, 2],
    values: [0, 1, 2, 4],
  },
  {
    name: "the gradient of running sums along the first axis",
    compute: () =>
      gradient((x) => cumsum(x, 0), count(3, 3), tensor([1, 10, 100, 2, 20, 200, 3, 30, 300], [3, 3])),
    shape: [3, 3],
    values: [6, 60, 600, 5, 50, 500, 3, 30, 300],
  },
  {
    name: "a slope of higher rank",
    compute: () => prelu(tensor([-1, 2]), tensor([1, 2, 3, 4], [2, 2])),
    shape: [2, 2],
    values: [-1, 2, -3, 2],
  },
  {
    name: "the gradient of a bilinear resizing with half pixel centres",
    compute: () =>
      gradient(
        (x) => image.resizeBilinear(x as Any, [6, 6], false, true),
        count(1, 3, 3, 1),
        count(1, 6, 6, 1),
      ),
    shape: [1, 3, 3, 1],
    values: [17.5, 25, 32.5, 62.5, 70, 77.5, 107.5, 115, 122.5],
  },
  {
    name: "the gradient of the nearest neighbours in two images",
    compute: () =>
      gradient((x) => image.resizeNearestNeighbor(x as Any, [4, 4]), count(2, 2, 2, 1), count(2, 4, 4, 1)),
    shape: [2, 2, 2, 1],
    values: [10, 18, 42, 50, 74, 82, 106, 114],
  },
  {
    name: "the gradient of the nearest neighbours with half pixel centres",
    compute: () =>
      gradient(
        (x) => image.resizeNearestNeighbor(x as Any, [5, 7], false, true),
        count(1, 3, 3, 1),
        ones([1, 5, 7, 1]),
      ),
    shape: [1, 3, 3, 1],
    values: [4, 6, 4, 2, 3, 2, 4, 6, 4],
  },
  {
    name: "booleans of numbers",
    compute: () => cast(tensor([0.5, -2.5, 256, 0]), "bool"),
    shape: [4],
    values: [1, 1, 1, 0],
  },
  {
    name: "their negation",
    compute: () => logicalNot(cast(tensor([0.5, -2.5, 256, 0]), "bool")),
    shape: [4],
    values: [0, 0, 0, 1],
  },
  {
    name: "the gradient through a cast to integers",
    compute: () => grad((x) => sum(mul(cast(x, "int32"), x)))(tensor([1.5, -2.5, 0.5])),
    shape: [3],
    values: [1, -2, 0],
  },
  {
    name: "a fused product with a bias of two axes",
    compute: () =>
      fused.matMul({
        a: count(2, 2),
        b: count(2, 2),
        bias: tensor([
          [10, 20],
          [30, 40],
        ]),
      }),
    shape: [2, 2],
    values: [12, 23, 36, 51],
  },
  {
    name: "NaN through clipped activations",
    compute: () => add(relu6(tensor([Number.NaN, 7])), clipByValue(tensor([Number.NaN, -3]), -1, 1)),
    shape: [2],
    values: [Number.NaN, 5],
  },
  {
    name: "padding by NaN",
    compute: () => pad(tensor([1]), [[1, 0]], Number.NaN),
    shape: [2],
    values: [Number.NaN, 1],
  },
  {
    name: "products of integers",
    compute: () => matMul(tensor([1, 2], [1, 2], "int32"), tensor([3, 4], [2, 1], "int32")),
    shape: [1, 1],
    values: [11],
  },
  {
    name: "channels first",
    compute: () => conv2d(count(1, 2, 2, 2), ones([2, 2, 2, 1]), 1, "valid", "NCHW"),
    shape: [1, 1, 1, 1],
    values: [28],
  },
  {
    name: "blocks of depth with channels first",
    compute: () => depthToSpace(count(1, 4, 1, 1), 2, "NCHW"),
    shape: [1, 1, 2, 2],
    values: [0, 1, 2, 3],
  },
  {
    name: "the rest of a split, named first",
    compute: () => split(count(5), [-1, 2])[0]!,
    shape: [3],
    values: [0, 1, 2],
  },
  {
    name: "a slice with steps that loses an axis",
    compute: () => stridedSlice(count(2, 5), [1, 0], [2, 5], [1, 2], 0, 0, 0, 0, 1),
    shape: [3],
    values: [5, 7, 9],
  },
  {
    name: "a slice that ends before it begins",
    compute: () => stridedSlice(count(5, 4), [0, -1], [0, 0], [1, 1]),
    shape: [0, 0],
    values: [],
  },
  {
    name: "nothing, transposed and summed",
    compute: () => sum(transpose(tensor([], [0, 2, 3]), [1, 2, 0]), -1),
    shape: [2, 3],
    values: [0, 0, 0, 0, 0, 0],
  },
];

describe.each(["cpu", "wasm"])("%s", (backend) => {
  test.each(cases)("$name", async ({ compute, shape, values }) => {
    await setBackend(backend);
    const tensors = memory().numTensors;
    const got = tidy(compute);
    expect(got.shape).toEqual(shape);
    const elements = Array.from(await got.data());
    for (const [i, value] of values.entries()) {
      if (Number.isNaN(value)) expect(elements[i], `element ${i}`).toBeNaN();
      else expect(elements[i], `element ${i}`).toBeCloseTo(value, 4);
    }
    expect(elements).toHaveLength(values.length);
    got.dispose();
    expect(memory().numTensors).toBe(tensors);
    // The heap is as it was.
    const two = tidy(() => add(1, 1));
    expect((await two.data())[0]).toBe(2);
    two.dispose();
  });
});

test("strings are computed on copies by the cpu backend, and complex numbers refused", async () => {
  await setBackend("wasm");
  const words = tensor(["a", "bb", "c", "d"], [2, 2]);
  const word = gatherND(words, tensor([[1, 0]], [1, 2], "int32"));
  expect(await word.data()).toEqual(["c"]);
  const filled = fill([2], "q");
  expect(await filled.data()).toEqual(["q", "q"]);
  expect(() => cast(tensor([1]), "complex64")).toThrow(
    "cast: expected real tensors, for the wasm backend has no complex numbers, got complex64",
  );
});

test("a window larger than its image is refused before anything is allocated", async () => {
  await setBackend("wasm");
  const buffers = memory().numDataBuffers;
  const [x, filter] = [ones([1, 2, 3, 1]), ones([4, 2, 1, 1])];
  expect(() => conv2d(x as Any, filter as Any, 1, "valid")).toThrow(
    "conv2d: x: expected an image of at least the window's size, 4 x 2, got 2 x 3",
  );
  x.dispose();
  filter.dispose();
  expect(memory().numDataBuffers).toBe(buffers);
});
