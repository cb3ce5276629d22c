import { disposeParams, flattenParams, lossAndGradients } from "@gradlab/core";
import {
  concat,
  dispose,
  mul,
  profile,
  reshape,
  type Scalar,
  slice,
  sum,
  type Tensor2D,
  type Tensor3D,
  tensor,
  tidy,
  transpose,
  zeros,
} from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import {
  attend,
  initMultiHeadAttention,
  initTransformerBlock,
  type KeyValueCache,
  linear,
  type MultiHeadAttentionParams,
  multiHeadAttention,
  multiHeadAttentionCached,
  multiHeadAttentionWithWeights,
  transformerBlock,
  transformerBlockCached,
} from "../src/index.js";
import { apart, backends, Draw, expectNoLeak, numbers, useBackend } from "./tensors.js";

const width = 12;

describe.each(backends)("on %s", (backend) => {
  beforeAll(() => useBackend(backend));

  test("its heads are attention of slices of the projections, one after the other", async () => {
    await expectNoLeak(async () => {
      const x = new Draw("x").normalTensor<Tensor3D>([2, 5, width]);
      const [heads, groups, size] = [4, 2, 3];
      const params = initMultiHeadAttention({ width, heads, groups, seed: 1 });
      const { output, weights } = multiHeadAttentionWithWeights(params, x, { heads, causal: true });
      const known = tidy(() => {
        const part = (name: "query" | "key" | "value", head: number) =>
          slice(linear(params[name], x), [0, 0, head * size], [-1, -1, size]);
        const mixed = Array.from({ length: heads }, (_, h) => {
          const g = Math.floor(h / 2);
          return attend(part("query", h), part("key", g), part("value", g), { causal: true });
        });
        return linear(params.output, concat(mixed, 2));
      });
      expect(weights.shape).toEqual([2, heads, 5, 5]);
      expect(apart(await output.data(), await numbers(known))).toBeLessThan(1e-6);
      expect(params.key.kernel.shape).toEqual([width, groups * size]);
      disposeParams(params);
      dispose([x, output, weights]);
    });
  });

  test("keys in chunks give the same output and gradients, with rotary positions, ALiBi, groups and dropout", async () => {
    await expectNoLeak(async () => {
      const draw = new Draw("x");
      const x = draw.normalTensor<Tensor3D>([2, 7, width]);
      const direction = draw.normalTensor<Tensor3D>([2, 7, width]);
      const context = draw.normalTensor<Tensor3D>([2, 4, 5]);
      const bias = draw.normalTensor([7, 7]);
      const block = initTransformerBlock({ width, heads: 3, groups: 1, contextWidth: 5, seed: 2 });
      const dropout = { rate: 0.3, seed: 0, purpose: "chunks" };
      for (const more of [
        { position: "rotary", bias },
        { position: "rotary", dropout },
        { position: "alibi" },
        { position: "alibi", bias, dropout },
      ] as const) {
        const of = (chunk: { chunk?: number }) =>
          lossAndGradients(block, (given) => {
            const y = transformerBlock(given, x, { heads: 3, causal: true, context, ...more, ...chunk });
            return sum(mul(y, direction)) as Scalar;
          });
        const [all, chunks] = [of({}), of({ chunk: 3 })];
        const known = flattenParams(all.gradients as never);
        for (const [i, [path, gradient]] of flattenParams(chunks.gradients as never).entries()) {
          expect(apart(await gradient.data(), await known[i]![1].data()), path).toBeLessThan(2e-5);
        }
        expect(apart(await numbers(all.loss), await numbers(chunks.loss))).toBeLessThan(2e-5);
        disposeParams(all.gradients as never);
        disposeParams(chunks.gradients as never);
      }
      disposeParams(block);
      dispose([x, direction, context, bias]);
    });
  });

  test("a scale holds for the cross-attention too: that of queries so many times as large", async () => {
    await expectNoLeak(async () => {
      const [x, context] = ["x", "context"].map((name) =>
        new Draw(name).normalTensor<Tensor3D>([2, 4, width]),
      );
      const params = initTransformerBlock({ width, heads: 3, contextWidth: width, seed: 4, bias: false });
      const larger = (part: MultiHeadAttentionParams): MultiHeadAttentionParams => ({
        ...part,
        query: { kernel: mul(part.query.kernel, 3) as Tensor2D },
      });
      const scaled = await numbers(
        transformerBlock(params, x!, { heads: 3, context: context!, scale: 3 / Math.sqrt(width / 3) }),
      );
      const of = (part: "attention" | "cross" | "both") =>
        numbers(
          tidy(() => {
            const attention = part === "cross" ? params.attention : larger(params.attention);
            const cross = part === "attention" ? params.cross! : larger(params.cross!);
            return transformerBlock({ ...params, attention, cross }, x!, { heads: 3, context: context! });
          }),
        );
      expect(apart(await of("both"), scaled)).toBeLessThan(1e-5);
      for (const one of ["attention", "cross"] as const) {
        expect(apart(await of(one), scaled)).toBeGreaterThan(0.01);
      }
      disposeParams(params);
      dispose([x!, context!]);
    });
  });

  test("in chunks the peak of a block grows with the tokens: with ALiBi, dropout and a context too", async () => {
    const peaks: number[] = [];
    const params = initTransformerBlock({ width: 8, heads: 4, contextWidth: 8, hidden: 8 });
    const more = { position: "alibi", causal: true, chunk: 16 } as const;
    for (const t of [64, 256]) {
      const x = new Draw("peak").normalTensor<Tensor3D>([1, t, 8]);
      const dropout = { rate: 0.1, seed: 0, purpose: "peak" };
      const { peakBytes } = await profile(() => {
        const { loss, gradients } = lossAndGradients(params, (given) =>
          sum(transformerBlock(given, x, { heads: 4, context: x, dropout, ...more })),
        );
        disposeParams(gradients as never);
        return loss;
      });
      peaks.push(peakBytes);
      x.dispose();
    }
    disposeParams(params);
    expect(peaks[1]! / peaks[0]!).toBeLessThan(4.5); // 4; 16 with all scores
  });

  test.each([
    ["plain", {}],
    ["rotary", { position: "rotary" }],
    ["ALiBi", { position: "alibi" }],
    ["a local window", { window: [2, 0] as [number, number] }],
    ["ALiBi in chunks", { position: "alibi", chunk: 2 }],
    ["rotary in chunks", { position: "rotary", chunk: 4, window: [3, 0] as [number, number] }],
  ] as const)("token after token with a cache is the same as all at once: %s", async (_, more) => {
    await expectNoLeak(async () => {
      const x = new Draw("x").normalTensor<Tensor3D>([2, 6, width]);
      const options = { heads: 3, causal: true, ...more };
      const block = initTransformerBlock({ width, heads: 3, groups: 1, seed: 2 });
      const whole = await numbers(transformerBlock(block, x, options));
      let cache: KeyValueCache | null = null;
      const parts: number[][] = [];
      for (const [from, length] of [
        [0, 2],
        [2, 1],
        [3, 3],
      ] as const) {
        const piece = slice(x, [0, from, 0], [-1, length, -1]);
        const next: { output: Tensor3D; cache: KeyValueCache } = transformerBlockCached(
          block,
          piece,
          cache,
          options,
        );
        if (cache !== null) disposeParams({ ...(cache as KeyValueCache) });
        cache = next.cache;
        parts.push(await numbers(transpose(next.output, [1, 0, 2])));
        dispose([piece, next.output]);
      }
      const shape = [6, 2, width];
      const joined = await numbers(tidy(() => transpose(reshape(tensor(parts.flat()), shape), [1, 0, 2])));
      // Sums of the same terms, rows of other lengths: a few roundings.
      expect(apart(joined, whole)).toBeLessThan(1e-5);
      disposeParams({ ...cache! });
      disposeParams(block);
      x.dispose();
    });
  });

  test.each([
    ["norms before", { placement: "pre" }, {}],
    ["norms after", { placement: "post" }, {}],
    ["root mean square norms, no biases", {}, { norm: "rms", bias: false }],
  ] as const)(
    "every parameter of a block with cross-attention has a gradient: %s",
    async (_, options, init) => {
      await expectNoLeak(async () => {
        const draw = new Draw("block");
        const x = draw.normalTensor<Tensor3D>([2, 4, width]);
        const context = draw.normalTensor<Tensor3D>([2, 3, 5]);
        const contextKeyMask = tensor([1, 1, 0, 1, 1, 1], [2, 3], "bool") as Tensor2D;
        const direction = draw.normalTensor<Tensor3D>([2, 4, width]);
        const params = initTransformerBlock({ width, heads: 2, contextWidth: 5, seed: 1, ...init });
        const more = { heads: 2, context, contextKeyMask, ...options };
        const { loss, gradients } = lossAndGradients(params, (given) => {
          return sum(mul(transformerBlock(given, x, more), direction)) as Scalar;
        });
        for (const [path, gradient] of flattenParams(gradients as never)) {
          const values = await gradient.data();
          expect(values.every(Number.isFinite), path).toBe(true);
          // A bias of keys adds the same to all scores of a query, which moves no weight.
          const most = Math.max(...Array.from(values, Math.abs));
          if (path.endsWith("key.bias")) expect(most, path).toBeLessThan(1e-5);
          else expect(most, path).toBeGreaterThan(1e-4);
        }
        loss.dispose();
        disposeParams(gradients as never);
        disposeParams(params);
        dispose([x, context, contextKeyMask, direction]);
      });
    },
  );

  test("dropout in a block moves its output, by the same key in the same way, and not with a rate of 0", async () => {
    const x = new Draw("x").normalTensor<Tensor3D>([2, 4, width]);
    const params = initTransformerBlock({ width, heads: 2 });
    const of = (rate: number, index: number) =>
      numbers(transformerBlock(params, x, { heads: 2, dropout: { rate, seed: 0, purpose: "test", index } }));
    const plain = await numbers(transformerBlock(params, x, { heads: 2 }));
    expect(await of(0, 0)).toEqual(plain);
    const first = await of(0.5, 0);
    expect(apart(first, plain)).toBeGreaterThan(0.1);
    expect(await of(0.5, 0)).toEqual(first);
    expect(apart(await of(0.5, 1), first)).toBeGreaterThan(0.1);
    x.dispose();
    disposeParams(params);
  });
});

describe("arguments", () => {
  beforeAll(() => useBackend("cpu"));
  const x = () => zeros([2, 4, width]) as Tensor3D;
  const params = () => initMultiHeadAttention({ width, heads: 2 });

  test.each<[string, () => unknown, string]>([
    [
      "heads that do not divide",
      () => initMultiHeadAttention({ width, heads: 5 }),
      "initMultiHeadAttention: heads: expected a divisor of the width 12, or a headSize, got 5",
    ],
    [
      "groups that do not divide",
      () => initMultiHeadAttention({ width, heads: 4, groups: 3 }),
      "initMultiHeadAttention: groups: expected a divisor of 4, got 3",
    ],
    [
      "another width",
      () => multiHeadAttention(params(), zeros([2, 4, 10]) as Tensor3D, { heads: 2 }),
      "multiHeadAttention: params.query.kernel: expected [10, ?], got [12, 12]",
    ],
    [
      "tokens without a batch",
      () => multiHeadAttention(params(), zeros([4, width]) as never, { heads: 2 }),
      "multiHeadAttention: x: expected [?, ?, ?], got [4, 12]",
    ],
    [
      "heads that the parameters do not have",
      () => multiHeadAttention(params(), x(), { heads: 5 }),
      "multiHeadAttention: heads: expected a divisor of 12, got 5",
    ],
    [
      "a context of another batch",
      () => multiHeadAttention(params(), x(), { heads: 2, context: zeros([3, 4, width]) as Tensor3D }),
      "multiHeadAttention: context: expected [2, ?, ?], got [3, 4, 12]",
    ],
    [
      "PyTorch's name of a mask",
      () => multiHeadAttention(params(), x(), { heads: 2, keyPaddingMask: zeros([2, 4], "bool") } as never),
      'multiHeadAttention: options: expected only mask, keyMask, bias, causal, window, queryStart, heads, context, position, scale, dropout, chunk, got "keyPaddingMask"',
    ],
    [
      "another position",
      () => multiHeadAttention(params(), x(), { heads: 2, position: "sine" as never }),
      'multiHeadAttention: position: expected "rotary" or "alibi", got "sine"',
    ],
    [
      "a context beside a cache",
      () => multiHeadAttentionCached(params(), x(), null, { heads: 2, context: x() } as never),
      "multiHeadAttentionCached: context: expected none beside a cache, got an object (Tensor)",
    ],
    [
      "a context without cross-attention",
      () => transformerBlock(initTransformerBlock({ width, heads: 2 }), x(), { heads: 2, context: x() }),
      "transformerBlock: context: expected none, in a block without cross-attention, got",
    ],
    [
      "cross-attention without a context",
      () => transformerBlock(initTransformerBlock({ width, heads: 2, contextWidth: 3 }), x(), { heads: 2 }),
      "transformerBlock: context: expected one, for the cross-attention, got undefined",
    ],
    [
      "weights in chunks",
      () => multiHeadAttentionWithWeights(params(), x(), { heads: 2, chunk: 2 }),
      "multiHeadAttentionWithWeights: chunk: expected none where weights are asked for, got 2",
    ],
    [
      "no options",
      () => (multiHeadAttention as (...all: unknown[]) => unknown)(params(), x()),
      "multiHeadAttention: options: expected a record of mask, keyMask, bias, causal, window, queryStart, heads",
    ],
    [
      "no parameters",
      () => multiHeadAttention({} as never, x(), { heads: 2 }),
      "multiHeadAttention: params.query.kernel: expected a tensor of shape [12, ?], got undefined",
    ],
    [
      "lists",
      () => multiHeadAttention(params(), [[[1]]] as never, { heads: 2 }),
      "multiHeadAttention: x: expected a tensor of shape [?, ?, ?], got an array of length 1",
    ],
    [
      "no tokens",
      () => multiHeadAttention(params(), zeros([2, 0, width]) as Tensor3D, { heads: 2 }),
      "multiHeadAttention: x: expected no axis of size 0, got [2, 0, 12]",
    ],
    [
      "no samples",
      () =>
        transformerBlock(initTransformerBlock({ width, heads: 2 }), zeros([0, 4, width]) as Tensor3D, {
          heads: 2,
        }),
      "transformerBlock: x: expected no axis of size 0, got [0, 4, 12]",
    ],
    [
      "no cache, and not null",
      () => multiHeadAttentionCached(params(), x(), undefined as never, { heads: 2 }),
      "multiHeadAttentionCached: cache: expected a cache, or null, got undefined",
    ],
    [
      "a rate as a dropout",
      () => multiHeadAttention(params(), x(), { heads: 2, dropout: 0.1 as never }),
      "attend: dropout: expected {rate, seed, purpose}, got 0.1",
    ],
    [
      "a dropout without a purpose, which no part may give it",
      () =>
        transformerBlock(initTransformerBlock({ width, heads: 2 }), x(), {
          heads: 2,
          dropout: { rate: 0.1, seed: 0 } as never,
        }),
      "transformerBlock: dropout.purpose: expected a text, got undefined",
    ],
    [
      "a mask of another context",
      () =>
        transformerBlock(initTransformerBlock({ width, heads: 2, contextWidth: width }), x(), {
          ...{ heads: 2, context: x() },
          contextKeyMask: zeros([2, 3], "bool") as Tensor2D,
        }),
      "transformerBlock: contextKeyMask: expected [2, 4], got [2, 3]",
    ],
    [
      "another norm",
      () => initTransformerBlock({ width, heads: 2, norm: "batch" as never }),
      'initTransformerBlock: norm: expected "layer" or "rms", got "batch"',
    ],
    [
      "another placement",
      () =>
        transformerBlock(initTransformerBlock({ width, heads: 2 }), x(), {
          heads: 2,
          placement: "in" as never,
        }),
      'transformerBlock: placement: expected "pre" or "post", got "in"',
    ],
  ])("%s: refused", (_, work, message) => {
    expect(work).toThrow(message);
  });
});
