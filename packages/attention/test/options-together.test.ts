import { disposeParams, lossAndGradients } from "@gradlab/core";
import {
  concat,
  dispose,
  mul,
  type Scalar,
  slice,
  sum,
  type Tensor2D,
  type Tensor3D,
  tensor,
} from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import {
  initTransformer,
  type TransformerBlockOptions,
  type TransformerCache,
  type TransformerParams,
  transformer,
  transformerCached,
} from "../src/index.js";
import { apart, Draw, expectNoLeak, numbers, useBackend } from "./tensors.js";

/*
 * Options that are right alone can be wrong together: a transformer of drawn options, computed in three ways. Random
 * numbers of each case are of its index.
 */

beforeAll(() => useBackend("wasm"));

interface Case {
  readonly params: TransformerParams;
  readonly x: Tensor3D;
  readonly options: TransformerBlockOptions;
  readonly draw: Draw;
}

function drawn(index: number): Case {
  const draw = new Draw("options together", index);
  const heads = draw.pick([1, 2, 4]);
  const [batch, t] = [draw.integer(1, 2), draw.integer(1, 7)];
  const isOn = () => draw.integer(0, 1) === 1;
  const truth = (...shape: [number, number]) => {
    const bits = Uint8Array.from({ length: shape[0] * shape[1] }, () => draw.integer(0, 1));
    return tensor(bits, shape, "bool") as Tensor2D;
  };
  const hasContext = draw.integer(0, 2) === 0;
  const params = initTransformer({
    ...{ width: 8, heads, layers: 2, seed: index },
    groups: draw.pick([1, 2, 4].filter((groups) => heads % groups === 0)),
    norm: draw.pick(["layer", "rms"]),
    bias: isOn(),
    ...(hasContext && { contextWidth: 5 }),
  });
  const position = draw.pick([undefined, "rotary", "alibi"] as const);
  return {
    draw,
    params,
    x: draw.normalTensor([batch, t, 8]),
    options: {
      ...{ heads, causal: true },
      placement: draw.pick(["pre", "post"]),
      activation: draw.pick(["relu", "gelu", "gelu-tanh"]),
      ...(position && { position }),
      ...(isOn() && { window: [draw.integer(0, 9), draw.integer(0, 9)] }),
      ...(isOn() && { keyMask: truth(batch, t) }),
      ...(isOn() && { scale: 0.7 }),
      ...(hasContext && { context: draw.normalTensor<Tensor3D>([batch, 3, 5]) }),
      ...(hasContext && isOn() && { contextKeyMask: truth(batch, 3) }),
    },
  };
}

const disposeCase = ({ params, x, options }: Case) => {
  disposeParams(params as never);
  const { keyMask, context, contextKeyMask } = options;
  dispose([x, ...[keyMask, context, contextKeyMask].filter((each) => each !== undefined)]);
};

test("piece after piece with a cache is the whole at once, in chunks too, whatever the options", async () => {
  for (let index = 0; index < 40; index++) {
    await expectNoLeak(async () => {
      const one = drawn(index);
      const { params, x, draw } = one;
      const { keyMask, ...options } = one.options;
      const t = x.shape[1];
      const known = await numbers(transformer(params, x, one.options));
      expect(known.every(Number.isFinite), `case ${index}`).toBe(true);
      for (const chunk of [{}, { chunk: draw.integer(1, 9) }]) {
        let cache: TransformerCache | null = null;
        const outputs: Tensor3D[] = [];
        for (let at = 0; at < t; ) {
          const to = Math.min(t, at + draw.integer(1, 3));
          const piece = slice(x, [0, at, 0], [-1, to - at, -1]);
          const seen = keyMask && slice(keyMask, [0, 0], [-1, to]);
          const next: { output: Tensor3D; cache: TransformerCache } = transformerCached(
            params,
            piece,
            cache,
            {
              ...{ ...options, ...chunk },
              ...(seen && { keyMask: seen }),
            },
          );
          if (cache !== null) disposeParams(cache as never);
          cache = next.cache;
          outputs.push(next.output);
          dispose([piece, ...(seen ? [seen] : [])]);
          at = to;
        }
        const joined = concat(outputs, 1);
        // Two layers of sums in another order, of numbers around 1.
        expect(apart(await numbers(joined), known), `case ${index}`).toBeLessThan(2e-5);
        disposeParams(cache as never);
        dispose(outputs);
      }
      disposeCase(one);
    });
  }
}, 60_000);

test("gradients in chunks are those at once, by a bias too and with dropout, whatever the options", async () => {
  for (let index = 0; index < 20; index++) {
    await expectNoLeak(async () => {
      const one = drawn(index);
      const { params, x, options, draw } = one;
      const [batch, t] = x.shape;
      const [, shape] = draw.pick<[string, number[]]>([
        ["one of all", [t, t]],
        ["one of each head", [1, options.heads, t, t]],
        ["one of each key", [batch, 1, 1, t]],
      ]);
      const bias = draw.normalTensor(shape);
      const direction = draw.normalTensor<Tensor3D>(x.shape);
      const dropout = { rate: draw.pick([0, 0.3]), seed: index, purpose: "together" };
      const of = async (chunk: { chunk?: number }) => {
        const { loss, gradients } = lossAndGradients({ x, bias }, (given) => {
          const all = { ...options, ...chunk, dropout, bias: given.bias };
          return sum(mul(transformer(params, given.x as Tensor3D, all), direction)) as Scalar;
        });
        return Promise.all([loss, gradients.x, gradients.bias].map(numbers));
      };
      const [known, found] = [await of({}), await of({ chunk: draw.integer(1, 9) })];
      for (const [i, values] of found.entries()) {
        expect(values.every(Number.isFinite), `case ${index}`).toBe(true);
        const size = Math.max(1, ...known[i]!.map(Math.abs));
        expect(apart(values, known[i]!), `case ${index}`).toBeLessThan(2e-5 * size);
      }
      dispose([bias, direction]);
      disposeCase(one);
    });
  }
}, 60_000);
