import { readFileSync } from "node:fs";
import { disposeParams, flattenParams, lossAndGradients } from "@gradlab/core";
import {
  dispose,
  mul,
  type Scalar,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  tensor,
} from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import {
  type LinearParams,
  layerNorm,
  type MultiHeadAttentionParams,
  maskFromDropped,
  multiHeadAttention,
  multiHeadAttentionWithWeights,
  type TransformerBlockParams,
  transformerBlock,
} from "../src/index.js";
import { apart, backends, expectNoLeak, useBackend } from "./tensors.js";

interface Made {
  readonly shape: number[];
  readonly t: number;
  readonly amplitude: number;
  readonly shift: number;
}
type Numbers = Readonly<Record<string, number[]>>;

const golden = JSON.parse(readFileSync(new URL("golden/torch-attention.json", import.meta.url), "utf8")) as {
  multihead: {
    sizes: { width: number; heads: number; batch: number; t: number; s: number; contextWidth: number };
    parameters: Record<string, Made>;
    dropped: number[];
    padding: number[];
    output: number[];
    weights: number[];
    dx: number[];
    dContext: number[];
    gradients: Numbers;
  }[];
  encoderLayer: {
    sizes: { width: number; heads: number; batch: number; t: number };
    placement: "pre" | "post";
    activation: "relu" | "gelu";
    causal: boolean;
    parameters: Record<string, Made>;
    output: number[];
    dx: number[];
    gradients: Numbers;
  }[];
  layerNorm: { epsilon: number; output: number[]; dx: number[]; gradients: Numbers }[];
};

/** The closed form of `scripts/golden/torch_attention.py`. */
const wave = (size: number, t: number, amplitude = 1, shift = 0) =>
  Array.from({ length: size }, (_, i) => shift + amplitude * Math.sin(1.7 * i * i + 0.3 * i + t));

const count = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

const waveTensor = <T extends Tensor>(shape: number[], t: number) =>
  tensor(wave(count(shape), t), shape) as T;

/** PyTorch's `[out, in]` as `[in, out]`, the rows `from` to `to` of it. */
function transposed(values: readonly number[], inputs: number, from: number, to: number): number[] {
  return Array.from({ length: inputs * (to - from) }, (_, i) => {
    const [input, output] = [Math.floor(i / (to - from)), i % (to - from)];
    return values[(from + output) * inputs + input]!;
  });
}

/** A layer out of a table of PyTorch's numbers: `weight` is `[out, in]`, of which rows `part` are taken. */
function layerOf(
  of: (name: string) => number[],
  weight: string,
  bias: string,
  inputs: number,
  part?: [number, number, number],
): { kernel: number[]; bias: number[] } {
  const biases = of(bias);
  const [from, to, biasFrom] = part ?? [0, biases.length, 0];
  return {
    kernel: transposed(of(weight), inputs, from, to),
    bias: biases.slice(biasFrom, biasFrom + to - from),
  };
}

function attentionOf(of: (name: string) => number[], prefix: string, width: number, contextWidth: number) {
  const [weight, bias] = [`${prefix}in_proj_weight`, `${prefix}in_proj_bias`];
  const joined = contextWidth === width;
  const part = (i: number, name: string, inputs: number) =>
    joined
      ? layerOf(of, weight, bias, inputs, [i * width, (i + 1) * width, i * width])
      : layerOf(of, `${prefix}${name}_proj_weight`, bias, inputs, [0, width, i * width]);
  return {
    query: part(0, "q", width),
    key: part(1, "k", contextWidth),
    value: part(2, "v", contextWidth),
    output: layerOf(of, `${prefix}out_proj.weight`, `${prefix}out_proj.bias`, width),
  };
}

const asLinear = ({ kernel, bias }: { kernel: number[]; bias: number[] }): LinearParams => ({
  kernel: tensor(kernel, [kernel.length / bias.length, bias.length]) as Tensor2D,
  bias: tensor(bias) as Tensor1D,
});

const asAttention = (a: ReturnType<typeof attentionOf>): MultiHeadAttentionParams => ({
  query: asLinear(a.query),
  key: asLinear(a.key),
  value: asLinear(a.value),
  output: asLinear(a.output),
});

const asNorm = (of: (name: string) => number[], name: string) => ({
  scale: tensor(of(`${name}.weight`)) as Tensor1D,
  offset: tensor(of(`${name}.bias`)) as Tensor1D,
});

/** The gradients here against PyTorch's, renamed in the same way as the parameters. */
async function expectSame(gradients: unknown, known: unknown): Promise<void> {
  const entries = flattenParams(known as never);
  const found = flattenParams(gradients as never);
  expect(found.map(([path]) => path)).toEqual(entries.map(([path]) => path));
  for (const [i, [path, gradient]] of found.entries()) {
    expect(apart(await gradient.data(), await entries[i]![1].data()), path).toBeLessThan(2e-5);
  }
}

describe.each(backends)("on %s", (backend) => {
  beforeAll(() => useBackend(backend));

  test.each(golden.multihead)(
    "nn.MultiheadAttention with masks, context of width $sizes.contextWidth: output, weights, all gradients",
    async (known) => {
      await expectNoLeak(async () => {
        const { width, heads, batch, t, s, contextWidth } = known.sizes;
        const given = (name: string) => {
          const { shape, t, amplitude, shift } = known.parameters[name]!;
          return wave(count(shape), t, amplitude, shift);
        };
        const attention = asAttention(attentionOf(given, "", width, contextWidth));
        const x = waveTensor<Tensor3D>([batch, t, width], 100);
        const context = waveTensor<Tensor3D>([batch, s, contextWidth], 101);
        const direction = waveTensor([batch, t, width], 102);
        const dropped = tensor(known.dropped, [t, s], "bool");
        const padding = tensor(known.padding, [batch, s], "bool") as Tensor2D;
        const [mask, keyMask] = [maskFromDropped(dropped), maskFromDropped(padding)];
        const options = { heads, mask, keyMask };
        const { output, weights } = multiHeadAttentionWithWeights(attention, x, { ...options, context });
        expect(apart(await output.data(), known.output)).toBeLessThan(1e-5);
        expect(apart(await weights.data(), known.weights)).toBeLessThan(1e-5);
        const { loss, gradients } = lossAndGradients({ attention, x, context }, (state) => {
          const { attention, x, context } = state;
          return sum(mul(multiHeadAttention(attention, x, { ...options, context }), direction)) as Scalar;
        });
        const expected = {
          attention: asAttention(attentionOf((name) => known.gradients[name]!, "", width, contextWidth)),
          x: tensor(known.dx, x.shape),
          context: tensor(known.dContext, context.shape),
        };
        await expectSame(gradients, expected);
        for (const record of [attention, gradients, expected]) disposeParams(record as never);
        dispose([x, context, direction, dropped, padding, mask, keyMask, output, weights, loss]);
      });
    },
  );

  test.each(golden.encoderLayer)(
    "nn.TransformerEncoderLayer, norms $placement, $activation, causal $causal: output, all gradients",
    async (known) => {
      await expectNoLeak(async () => {
        const { width, heads, batch, t } = known.sizes;
        const blockOf = (of: (name: string) => number[]): TransformerBlockParams => ({
          attentionNorm: asNorm(of, "norm1"),
          attention: asAttention(attentionOf(of, "self_attn.", width, width)),
          feedForwardNorm: asNorm(of, "norm2"),
          feedForward: {
            layers: [
              asLinear(layerOf(of, "linear1.weight", "linear1.bias", width)),
              asLinear(layerOf(of, "linear2.weight", "linear2.bias", of("linear1.bias").length)),
            ],
          },
        });
        const block = blockOf((name) => {
          const { shape, t, amplitude, shift } = known.parameters[name]!;
          return wave(count(shape), t, amplitude, shift);
        });
        const x = waveTensor<Tensor3D>([batch, t, width], 100);
        const direction = waveTensor([batch, t, width], 102);
        const { placement, activation, causal } = known;
        const options = { heads, placement, activation, causal };
        const output = transformerBlock(block, x, options);
        expect(apart(await output.data(), known.output)).toBeLessThan(1e-5);
        const { loss, gradients } = lossAndGradients({ block, x }, ({ block, x }) => {
          return sum(mul(transformerBlock(block, x, options), direction)) as Scalar;
        });
        const expected = { block: blockOf((name) => known.gradients[name]!), x: tensor(known.dx, x.shape) };
        await expectSame(gradients, expected);
        for (const record of [block, gradients, expected]) disposeParams(record as never);
        dispose([x, direction, output, loss]);
      });
    },
  );

  test.each(golden.layerNorm)("nn.LayerNorm, epsilon $epsilon: output, all gradients", async (known) => {
    const { epsilon } = known;
    const norm = {
      scale: tensor(wave(6, 1, 0.2, 1)) as Tensor1D,
      offset: tensor(wave(6, 2, 0.2)) as Tensor1D,
    };
    const x = waveTensor<Tensor3D>([2, 3, 6], 100);
    const direction = waveTensor([2, 3, 6], 102);
    const output = layerNorm(norm, x, { epsilon });
    expect(apart(await output.data(), known.output)).toBeLessThan(1e-5);
    const { gradients } = lossAndGradients({ norm, x }, ({ norm, x }) => {
      return sum(mul(layerNorm(norm, x, { epsilon }), direction)) as Scalar;
    });
    const { weight, bias } = known.gradients;
    const expected = {
      norm: { scale: tensor(weight!), offset: tensor(bias!) },
      x: tensor(known.dx, x.shape),
    };
    await expectSame(gradients, expected);
  });
});
