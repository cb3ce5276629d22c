import { disposeParams, flattenParams, lossAndGradients } from "@gradlab/core";
import {
  concat,
  dispose,
  expandDims,
  mul,
  ones,
  type Scalar,
  slice,
  squeeze,
  sum,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
  tensor,
  tidy,
  zeros,
} from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import {
  attentionPool,
  checkEquivariance,
  inducedBlock,
  initAttentionPooling,
  initInducedBlock,
  initTransformer,
  meanPool,
  sumPool,
  type TransformerCache,
  transformer,
  transformerCached,
} from "../src/index.js";
import { apart, backends, Draw, expectNoLeak, numbers, useBackend } from "./tensors.js";

const width = 8;
const heads = 2;

describe.each(backends)("on %s", (backend) => {
  beforeAll(() => useBackend(backend));

  test("sum, mean and attention pools do not see the order; an induced block and an encoder commute with it", async () => {
    const pooling = initAttentionPooling({ width, heads, seeds: 3 });
    const induced = initInducedBlock({ width, heads, points: 2 });
    const encoder = initTransformer({ width, heads, layers: 2 });
    const onSet = (f: (x: Tensor3D) => Tensor) => (x: Tensor) => squeeze(f(expandDims(x) as Tensor3D), [0]);
    const options = { heads, placement: "post" } as const;
    for (const f of [
      (x: Tensor3D) => sumPool(x),
      (x: Tensor3D) => meanPool(x),
      (x: Tensor3D) => attentionPool(pooling, x, options),
    ]) {
      const report = await checkEquivariance(onSet(f), { tokens: 5, width, expected: "invariant" });
      expect(report).toMatchObject({ holds: true, held: 120, vacuous: null });
    }
    for (const f of [
      (x: Tensor3D) => inducedBlock(induced, x, options),
      (x: Tensor3D) => transformer(encoder, x, { heads }),
    ]) {
      const report = await checkEquivariance(onSet(f), { tokens: 5, width, tolerance: 2e-6 });
      expect(report).toMatchObject({ holds: true, held: 120, unchanged: 1, vacuous: null });
    }
    for (const params of [pooling, induced, encoder]) disposeParams(params as never);
  });

  test("tokens that are not there change nothing, and a set of none is zeros in sum and mean", async () => {
    await expectNoLeak(async () => {
      const pooling = initAttentionPooling({ width, heads });
      const induced = initInducedBlock({ width, heads, points: 2 });
      const draw = new Draw("sets");
      const x = draw.normalTensor<Tensor3D>([2, 3, width]);
      const more = draw.normalTensor<Tensor3D>([2, 2, width]);
      const padded = concat([x, more], 1);
      const keyMask = tensor([1, 1, 1, 0, 0, 1, 1, 1, 0, 0], [2, 5], "bool") as Tensor2D;
      for (const f of [
        (y: Tensor3D, given: { keyMask?: Tensor2D }) => sumPool(y, given),
        (y: Tensor3D, given: { keyMask?: Tensor2D }) => meanPool(y, given),
        (y: Tensor3D, given: { keyMask?: Tensor2D }) => attentionPool(pooling, y, { heads, ...given }),
        (y: Tensor3D, given: { keyMask?: Tensor2D }) =>
          slice(inducedBlock(induced, y, { heads, ...given }), [0, 0, 0], [2, 3, width]),
      ]) {
        const [known, got] = [tidy(() => f(x, {})), tidy(() => f(padded, { keyMask }))];
        expect(apart(await numbers(got), await numbers(known))).toBeLessThan(1e-5);
      }
      const nobody = zeros([2, 3], "bool") as Tensor2D;
      expect(new Set(await numbers(sumPool(x, { keyMask: nobody })))).toEqual(new Set([0]));
      expect(new Set(await numbers(meanPool(x, { keyMask: nobody })))).toEqual(new Set([0]));
      for (const params of [pooling, induced]) disposeParams(params as never);
      dispose([x, more, padded, keyMask, nobody]);
    });
  });

  test("the sum and the mean are those of numbers, and every parameter of the learned pools has a gradient", async () => {
    await expectNoLeak(async () => {
      const draw = new Draw("pools");
      const x = draw.normalTensor<Tensor3D>([2, 4, width]);
      const values = await x.data();
      const sums = Array.from({ length: 2 * width }, (_, i) =>
        [0, 1, 2, 3].reduce((s, t) => s + values[(Math.floor(i / width) * 4 + t) * width + (i % width)]!, 0),
      );
      expect(apart(await numbers(sumPool(x)), sums)).toBeLessThan(1e-6);
      expect(
        apart(
          await numbers(meanPool(x)),
          sums.map((one) => one / 4),
        ),
      ).toBeLessThan(1e-6);
      const pooling = initAttentionPooling({ width, heads, seeds: 2 });
      const induced = initInducedBlock({ width, heads, points: 3 });
      const direction = draw.normalTensor([2, 2, width]);
      const { loss, gradients } = lossAndGradients({ pooling, induced }, ({ pooling, induced }) => {
        const y = attentionPool(pooling, inducedBlock(induced, x, { heads }), { heads });
        return sum(mul(y, direction)) as Scalar;
      });
      for (const [path, gradient] of flattenParams(gradients as never)) {
        const most = Math.max(...Array.from(await gradient.data(), Math.abs));
        if (path.endsWith("key.bias")) expect(most, path).toBeLessThan(1e-4);
        else expect(most, path).toBeGreaterThan(1e-5);
      }
      for (const record of [pooling, induced, gradients]) disposeParams(record as never);
      dispose([x, direction, loss]);
    });
  });

  test("a decoder with an encoder's output, cached token by token, is the whole at once", async () => {
    await expectNoLeak(async () => {
      const draw = new Draw("decoder");
      const [source, target] = [
        draw.normalTensor<Tensor3D>([2, 4, width]),
        draw.normalTensor<Tensor3D>([2, 5, width]),
      ];
      const contextKeyMask = tensor([1, 1, 1, 1, 1, 1, 0, 0], [2, 4], "bool") as Tensor2D;
      const encoder = initTransformer({ width, heads, layers: 2 });
      const decoder = initTransformer({ width, heads, layers: 2, contextWidth: width, purpose: "decoder" });
      const context = transformer(encoder, source, { heads, keyMask: contextKeyMask });
      const options = { heads, causal: true, context, contextKeyMask };
      const whole = transformer(decoder, target, options);
      let cache: TransformerCache | null = null;
      for (let t = 0; t < 5; t++) {
        const token = slice(target, [0, t, 0], [2, 1, width]);
        const next: { output: Tensor3D; cache: TransformerCache } = transformerCached(
          decoder,
          token,
          cache,
          options,
        );
        if (cache !== null) disposeParams(cache as never);
        cache = next.cache;
        const known = await numbers(slice(whole, [0, t, 0], [2, 1, width]));
        expect(apart(await numbers(next.output), known)).toBeLessThan(1e-5);
        token.dispose();
      }
      // What the mask hides of the source changes nothing.
      const hidden = tidy(() => {
        const there = tensor([1, 1, 1, 1, 1, 1, 0, 0], [2, 4, 1]);
        return mul(source, there) as Tensor3D;
      });
      const context2 = transformer(encoder, hidden, { heads, keyMask: contextKeyMask });
      const again = transformer(decoder, target, { ...options, context: context2 });
      expect(apart(await again.data(), await whole.data())).toBeLessThan(1e-5);
      disposeParams(cache as never);
      for (const params of [encoder, decoder]) disposeParams(params as never);
      dispose([source, target, contextKeyMask, context, whole, hidden, context2, again]);
    });
  });
});

test("sets that are none are refused", async () => {
  await useBackend("cpu");
  const x = zeros([2, 3, width]) as Tensor3D;
  expect(() => meanPool(ones([2, 3]) as never)).toThrow("meanPool: x: expected [?, ?, ?], got [2, 3]");
  expect(() => sumPool(x, { keyMask: zeros([2, 4], "bool") as Tensor2D })).toThrow(
    "sumPool: keyMask: expected [2, 3], got [2, 4]",
  );
  expect(() => meanPool(x, { keyMask: zeros([2, 3]) as Tensor2D })).toThrow(
    "meanPool: keyMask: expected bool (true: there), got float32",
  );
  expect(await numbers(meanPool(zeros([2, 0, 3]) as Tensor3D))).toEqual(Array(6).fill(0));
  const induced = initInducedBlock({ width, heads, points: 2 });
  expect(() => inducedBlock(induced, x, { heads, dropout: { rate: 0.1, seed: 0 } as never })).toThrow(
    "inducedBlock: dropout.purpose: expected a text, got undefined",
  );
  expect(() => initInducedBlock({ width, heads, points: 0 })).toThrow(
    "initInducedBlock: points: expected an integer, at least 1, got 0",
  );
  expect(() => initAttentionPooling({ width, heads, seeds: 0 })).toThrow(
    "initAttentionPooling: seeds: expected an integer, at least 1, got 0",
  );
  expect(() => initTransformer({ width, heads, layers: 0 })).toThrow(
    "initTransformer: layers: expected an integer, at least 1, got 0",
  );
});
