import "@tensorflow/tfjs-backend-cpu";
import {
  averagePool,
  conv2d,
  conv2dGradients,
  maxPool,
  pad,
  transposedConv2d,
} from "@gradlab/classic-cnns/by-hand";
import * as tf from "@tensorflow/tfjs-core";
import { test } from "vitest";
import golden from "./golden/torch.json" with { type: "json" };
import { expectClose, filtersOf, shaped, volumeOf, wave } from "./numbers.js";

/*
 * PyTorch's float64: numbers below 1, at most 48 of them multiplied and added, and written with 15 digits.
 */
const double = 1e-13;

test("layers, their transposes and gradients are PyTorch's, with stride, dilation, padding and groups together", () => {
  for (const { y, transposed, gradients, ...layer } of golden.layers) {
    const x = volumeOf(wave(size(layer.x)), layer.x);
    const filters = filtersOf(wave(size(layer.filters), 1), layer.filters);
    const bias = wave(layer.filters[0]!, 2);
    const dy = volumeOf(wave(size(y.shape), 3), y.shape);
    const options = {
      stride: pair(layer.stride),
      padding: pair(layer.padding),
      dilation: pair(layer.dilation),
      groups: layer.groups,
    };
    expectClose(conv2d(x, filters, { ...options, bias }), volumeOf(y.values, y.shape), double);
    const back = transposedConv2d(dy, filters, { ...options, size: pair(layer.x.slice(1)) });
    expectClose(back, volumeOf(transposed, layer.x), double);
    const got = conv2dGradients(x, filters, dy, options);
    expectClose(got.x, volumeOf(gradients.x, layer.x), double);
    expectClose(got.filters, filtersOf(gradients.filters, layer.filters), double);
    expectClose([got.bias], [gradients.bias], double);
  }
});

test("borders and pools are PyTorch's", () => {
  const x = shaped(wave(20), [4, 5]);
  for (const [mode, values] of Object.entries(golden.pads)) {
    const padding = [
      [1, 3],
      [2, 1],
    ] as const;
    expectClose(pad(x, padding, mode as keyof typeof golden.pads), shaped(values, [8, 8]), double);
  }
  const options = { window: [3, 2], stride: [2, 1], padding: 1 } as const;
  expectClose(maxPool(x, options), shaped(golden.pools.max, [2, 6]), double);
  expectClose(averagePool(x, options), shaped(golden.pools.averageWithPadding, [2, 6]), double);
  expectClose(
    averagePool(x, { ...options, countPadding: false }),
    shaped(golden.pools.averageWithout, [2, 6]),
    double,
  );
});

/*
 * tfjs's float32, in the worst case: 27 products of numbers up to 1 with three roundings each, and 27 sums below 27,
 * 27 · (3 + 27) · 2^-25 < 2.5e-5.
 */
const single = 2.5e-5;

// tfjs's own flag for programs in production: without it the cpu backend advertises another backend on the console.
tf.env().set("PROD", true);

test.each([
  { stride: 1, dilation: 1, padding: "valid" },
  { stride: 2, dilation: 1, padding: "same" },
  { stride: 3, dilation: 1, padding: 2 },
  { stride: 1, dilation: 2, padding: "same" },
] as const)(
  "tfjs computes the same layer, transpose and pools: %o",
  async ({ stride, dilation, padding }) => {
    const [shape, filterShape] = [
      [3, 7, 8],
      [4, 3, 3, 3],
    ];
    const x = volumeOf(wave(size(shape)), shape);
    const filters = filtersOf(wave(size(filterShape), 1), filterShape);
    const options = { stride, dilation, padding };
    const y = conv2d(x, filters, options);
    // [channel, y, x] → [1, y, x, channel], [out, in, y, x] → [y, x, in, out].
    const image = tf.transpose<tf.Tensor4D>(tf.tensor4d([x]), [0, 2, 3, 1]);
    const kernels = tf.transpose<tf.Tensor4D>(tf.tensor4d(filters), [2, 3, 1, 0]);
    const onTfjs = tf.conv2d(image, kernels, stride, padding, "NHWC", dilation);
    expectClose(y, await volumeFrom(onTfjs), single);
    // tfjs transposes without dilation, and its pools have none.
    if (dilation > 1) return;
    // 36 products more of those results, whose error they pass on.
    const back = tf.conv2dTranspose(onTfjs, kernels, [1, 7, 8, 3], stride, padding);
    expectClose(
      transposedConv2d(y, filters, { ...options, size: [7, 8] }),
      await volumeFrom(back),
      36 * single,
    );
    const pool = { window: 3, stride, padding };
    expectClose(
      x.map((plane) => maxPool(plane, pool)),
      await volumeFrom(tf.maxPool(image, 3, stride, padding)),
      single,
    );
    expectClose(
      x.map((plane) => averagePool(plane, { ...pool, countPadding: false })),
      await volumeFrom(tf.avgPool(image, 3, stride, padding)),
      single,
    );
  },
);

test.each(["reflect", "symmetric"] as const)("tfjs mirrors the same way: %s", async (mode) => {
  const x = shaped(wave(20), [4, 5]);
  const padding = [
    [2, 1],
    [0, 3],
  ] as const;
  const mirrored = tf.mirrorPad(tf.tensor2d(x), padding as unknown as [number, number][], mode);
  expectClose(pad(x, padding, mode), (await mirrored.array()) as number[][], 2 ** -25);
});

async function volumeFrom(tensor: tf.Tensor4D): Promise<number[][][]> {
  return ((await tf.transpose(tensor, [0, 3, 1, 2]).array()) as number[][][][])[0]!;
}

function size(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

function pair(values: readonly number[]): [number, number] {
  return [values[0]!, values[1]!];
}
