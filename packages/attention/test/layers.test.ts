import { disposeParams } from "@gradlab/core";
import {
  dispose,
  grads,
  mul,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  tensor,
  tidy,
  zeros,
} from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import {
  convolutionOf,
  denseOf,
  dropout,
  feedForward,
  feedForwardByConvolution,
  gelu,
  initFeedForward,
  initLayerNorm,
  initRmsNorm,
  layerNorm,
  linear,
  rmsNorm,
} from "../src/index.js";
import { apart, backends, Draw, expectNoLeak, numbers, useBackend } from "./tensors.js";

/** Rows of a norm in double precision. */
function normed(x: ArrayLike<number>, width: number, scale: number[], offset: number[], centers: boolean) {
  return Array.from(x, (_, at) => {
    const row = Array.from({ length: width }, (__, c) => x[at - (at % width) + c]!);
    const mean = centers ? row.reduce((a, b) => a + b, 0) / width : 0;
    const square = row.reduce((a, b) => a + (b - mean) ** 2, 0) / width;
    return ((x[at]! - mean) / Math.sqrt(square + 1e-5)) * scale[at % width]! + offset[at % width]!;
  });
}

/** The slope of a loss in every number of a list, by central differences in double precision. */
function slopes(loss: (x: number[]) => number, at: ArrayLike<number>): number[] {
  const step = 1e-5;
  return Array.from(at, (_, i) => {
    const moved = (by: number) => loss(Array.from(at, (value, j) => (i === j ? value + by : value)));
    return (moved(step) - moved(-step)) / (2 * step);
  });
}

const dot = (a: readonly number[], b: ArrayLike<number>) => a.reduce((s, x, i) => s + x * b[i]!, 0);

describe.each(backends)("on %s", (backend) => {
  beforeAll(() => useBackend(backend));

  test.each([
    ["layer norm", true],
    ["root mean square norm", false],
  ] as const)("%s and its gradients are those of double precision", async (_, centers) => {
    await expectNoLeak(async () => {
      const draw = new Draw("norm");
      const [rows, width] = [6, 5];
      const x = draw.normalTensor<Tensor3D>([2, 3, width]);
      const scale = draw.normalTensor<Tensor1D>([width]);
      const offset = centers ? draw.normalTensor<Tensor1D>([width]) : (zeros([width]) as Tensor1D);
      const direction = draw.normalTensor<Tensor3D>([2, 3, width]);
      const [xs, scales, offsets, way] = await Promise.all(
        [x, scale, offset, direction].map(async (t) => Array.from(await t.data())),
      );
      const f = (x: Tensor, scale: Tensor, offset: Tensor) =>
        centers
          ? layerNorm({ scale: scale as Tensor1D, offset: offset as Tensor1D }, x)
          : rmsNorm({ scale: scale as Tensor1D }, x);
      const y = f(x, scale, offset);
      expect(y.shape).toEqual([2, 3, width]);
      expect(apart(await numbers(y), normed(xs!, width, scales!, offsets!, centers))).toBeLessThan(1e-5);
      const of = (a: ArrayLike<number>, b: number[], c: number[]) =>
        dot(normed(a, width, b, c, centers), way!);
      const known = [
        slopes((a) => of(a, scales!, offsets!), xs!),
        slopes((b) => of(xs!, b, offsets!), scales!),
        slopes((c) => of(xs!, scales!, c), offsets!),
      ];
      const inputs = centers ? [x, scale, offset] : [x, scale];
      const found = grads((...[a, b, c]: Tensor[]) => sum(mul(f(a!, b!, c ?? offset), direction)) as Tensor)(
        inputs,
      );
      // Central differences in double precision: 1e-10 · the third derivative, at most 1e3 here.
      for (const [i, gradient] of found.entries()) {
        expect(apart(await gradient.data(), known[i]!)).toBeLessThan(3e-5);
      }
      expect(rows * width).toBe(x.size);
      dispose([x, scale, offset, direction, ...found]);
    });
  });

  test.each(["exact", "tanh"] as const)("the %s GELU, its slope and its second derivative", async (form) => {
    // Φ by its series, to double precision; the other form by its formula.
    const erf = (z: number) => {
      let [term, total] = [z, z];
      for (let n = 1; n < 120; n++) {
        term *= (-z * z) / n;
        total += term / (2 * n + 1);
      }
      return (2 / Math.sqrt(Math.PI)) * total;
    };
    const of = (x: number) =>
      form === "exact"
        ? (x * (1 + erf(x / Math.SQRT2))) / 2
        : (x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))) / 2;
    const at = Array.from({ length: 41 }, (_, i) => -4 + i / 5);
    const x = tensor(at) as Tensor1D;
    const first = (y: Tensor) => grads((z: Tensor) => sum(gelu(z, form)) as Tensor)([y])[0]!;
    const [second] = grads((y: Tensor) => sum(first(y)) as Tensor)([x]);
    // tfjs's erf is good to 1.5e-7, times x.
    expect(apart(await numbers(gelu(x, form)), at.map(of))).toBeLessThan(2e-6);
    const slope = (y: number) => (of(y + 1e-4) - of(y - 1e-4)) / 2e-4;
    expect(apart(await numbers(first(x)), at.map(slope))).toBeLessThan(2e-6);
    const bend = at.map((y) => (of(y + 1e-3) - 2 * of(y) + of(y - 1e-3)) / 1e-6);
    expect(apart(await numbers(second!), bend)).toBeLessThan(1e-4);
    x.dispose();
  });

  test("three dense layers with ReLU are three convolutions of one token: equal outputs and gradients", async () => {
    await expectNoLeak(async () => {
      const draw = new Draw("feed-forward");
      const options = { activation: "relu", activateLast: true } as const;
      const x = draw.normalTensor<Tensor3D>([4, 3, 4]);
      const dense = initFeedForward([4, 8, 6, 4], { seed: 1 });
      const convolution = convolutionOf(dense);
      const back = denseOf(convolution);
      const direction = draw.normalTensor<Tensor3D>([4, 3, 4]);
      const [a, b] = [feedForward(dense, x, options), feedForwardByConvolution(convolution, x, options)];
      const size = Math.max(...(await a.data()));
      expect(size).toBeGreaterThan(0.1);
      // Sums of at most 8 products in another order: a few roundings of 2^-24 of their size.
      expect(apart(await a.data(), await b.data())).toBeLessThan(1e-6 * size);
      const tensorsOf = (p: { layers: readonly { kernel: Tensor; bias?: Tensor1D }[] }) =>
        p.layers.flatMap(({ kernel, bias }) => [kernel, bias!]);
      const layersOf = (flat: Tensor[]) => ({
        layers: [0, 1, 2].map((i) => ({ kernel: flat[2 * i]!, bias: flat[2 * i + 1] as Tensor1D })),
      });
      const byDense = grads(
        (...[x, ...flat]: Tensor[]) =>
          sum(mul(feedForward(layersOf(flat) as never, x!, options), direction)) as Tensor,
      )([x, ...tensorsOf(dense)]);
      const byConvolution = grads(
        (...[x, ...flat]: Tensor[]) =>
          sum(
            mul(feedForwardByConvolution(layersOf(flat) as never, x as Tensor3D, options), direction),
          ) as Tensor,
      )([x, ...tensorsOf(convolution)]);
      for (const [i, gradient] of byDense.entries()) {
        const values = await gradient.data();
        const most = Math.max(...Array.from(values, Math.abs));
        expect(most).toBeGreaterThan(0);
        expect(apart(values, await byConvolution[i]!.data())).toBeLessThan(1e-6 * most);
      }
      expect(await back.layers[1]!.kernel.data()).toEqual(await dense.layers[1]!.kernel.data());
      disposeParams(dense);
      disposeParams(convolution);
      disposeParams(back);
      dispose([x, direction, a, b, ...byDense, ...byConvolution]);
    });
  });

  test("dropout: the same key gives the same mask, in the gradient too; the mean stays", async () => {
    await expectNoLeak(async () => {
      const x = tensor(new Float32Array(10_000).fill(1)) as Tensor1D;
      const key = { rate: 0.3, seed: 0, purpose: "here", index: 5 };
      const y = await numbers(dropout(x, key));
      expect(new Set(y)).toEqual(new Set([0, Math.fround(1 / 0.7)]));
      // Five standard deviations of the mean of 10,000 numbers of variance 0.3 / 0.7.
      expect(Math.abs(y.reduce((a, b) => a + b, 0) / 10_000 - 1)).toBeLessThan(0.033);
      const [dx] = grads((z: Tensor) => sum(dropout(z, key)) as Tensor)([x]);
      expect(Array.from(await dx!.data())).toEqual(y);
      expect(await numbers(dropout(x, { ...key, index: 6 }))).not.toEqual(y);
      expect(await numbers(dropout(x, { ...key, rate: 0 }))).toEqual(Array.from(await x.data()));
      dispose([x, dx!]);
    });
  });
});

test("layers that do not fit are refused", () => {
  const kernel = zeros([3, 2]) as Tensor2D;
  expect(() => linear({ kernel }, zeros([5, 4]))).toThrow("linear: x: expected [..., 3], got [5, 4]");
  expect(() => linear({ kernel, bias: zeros([3]) as Tensor1D }, zeros([5, 3]))).toThrow(
    "linear: bias: expected [2], got [3]",
  );
  const norm = initLayerNorm(3);
  expect(() => layerNorm(norm, zeros([2, 4]))).toThrow("layerNorm: scale: expected [4], got [3]");
  expect(() => layerNorm(norm, zeros([2, 3]), { epsilon: 0 })).toThrow(
    "layerNorm: epsilon: expected a finite number, greater than 0, got 0",
  );
  expect(() => rmsNorm(initRmsNorm(2), zeros([2, 3]))).toThrow("rmsNorm: scale: expected [3], got [2]");
  expect(() => gelu(zeros([1]), "fast" as never)).toThrow(
    'gelu: form: expected "exact" or "tanh", got "fast"',
  );
  expect(() => feedForward({ layers: [] }, zeros([1, 2, 3]))).toThrow(
    "feedForward: layers: expected at least one, got none",
  );
  expect(() => feedForward({ layers: [{ kernel }] }, zeros([1, 3]), { activation: "tanh" as never })).toThrow(
    'feedForward: activation: expected one of relu, gelu, gelu-tanh, got "tanh"',
  );
  expect(() => initFeedForward([3])).toThrow(
    "initFeedForward: sizes: length: expected an integer, at least 2, got 1",
  );
  expect(() => denseOf({ layers: [{ kernel: zeros([3, 2, 2]) as Tensor3D }] })).toThrow(
    "denseOf: kernel: expected [1, ?, ?], got [3, 2, 2]",
  );
  expect(() => tidy(() => dropout(zeros([2]), { rate: 1, seed: 0, purpose: "" }))).toThrow(
    "dropout: options.rate: expected a number in [0, 1), got 1",
  );
});
