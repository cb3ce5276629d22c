import {
  type ConvolutionParams,
  convolutionOf,
  type FeedForwardParams,
  feedForward,
  feedForwardByConvolution,
  initFeedForward,
} from "@gradlab/attention";
import { disposeParams, flattenParams, lossAndGradients, normalTensor } from "@gradlab/core";
import { dispose, mul, type Scalar, sum, type Tensor, type Tensor3D, tidy } from "@tensorflow/tfjs-core";

/** Batch, tokens, width. */
export const shape = [4, 3, 4] as const;

export interface Compared {
  readonly name: string;
  /** The largest number by dense layers, and how far the convolutions are from it. */
  readonly largest: number;
  readonly difference: number;
}

/** Outputs and gradients of three dense layers, beside those of convolutions of the same weights. */
export async function feedForwardPair(seed: number): Promise<{
  readonly compared: readonly Compared[];
  /** Of the first sample, a row per token. */
  readonly outputs: Readonly<Record<"dense" | "convolution", readonly (readonly number[])[]>>;
}> {
  const options = { activation: "relu", activateLast: true } as const;
  const purpose = "attention/feed-forward";
  const x = normalTensor(shape, { seed, purpose: `${purpose} x` }) as Tensor3D;
  const direction = normalTensor(shape, { seed, purpose: `${purpose} direction` });
  const dense = initFeedForward([4, 8, 8, 4], { seed, purpose });
  const convolution = convolutionOf(dense);
  interface State<P> {
    readonly layers: P;
    readonly x: Tensor3D;
  }
  const gradientsOf = <P extends FeedForwardParams | ConvolutionParams>(
    layers: P,
    apply: (given: P, x: Tensor3D) => Tensor,
  ) => {
    const state: State<P> = { layers, x };
    const { loss, gradients } = lossAndGradients(state as never, (given) => {
      const { layers, x } = given as State<P>;
      return sum(mul(apply(layers, x), direction)) as Scalar;
    });
    loss.dispose();
    return flattenParams(gradients as never);
  };
  const byDense = (given: FeedForwardParams, y: Tensor3D) => feedForward(given, y, options);
  const byConvolution = (given: ConvolutionParams, y: Tensor3D) =>
    feedForwardByConvolution(given, y, options);
  const a = tidy(() => byDense(dense, x));
  const b = tidy(() => byConvolution(convolution, x));
  const gradients = [gradientsOf(dense, byDense), gradientsOf(convolution, byConvolution)] as const;
  try {
    const [outputs, others] = await Promise.all([a.data(), b.data()]);
    const compared = [compare("output", outputs, others)];
    for (const [i, [path, gradient]] of gradients[0].entries()) {
      compared.push(compare(path, await gradient.data(), await gradients[1][i]![1].data()));
    }
    const [, tokens, width] = shape;
    const rows = (values: ArrayLike<number>) =>
      Array.from({ length: tokens }, (_, t) =>
        Array.from({ length: width }, (__, c) => values[t * width + c]!),
      );
    return { compared, outputs: { dense: rows(outputs), convolution: rows(others) } };
  } finally {
    disposeParams(dense);
    disposeParams(convolution);
    dispose([x, direction, a, b, ...gradients.flat().map(([, tensor]) => tensor)]);
  }
}

function compare(name: string, a: ArrayLike<number>, b: ArrayLike<number>): Compared {
  let [largest, difference] = [0, a.length === b.length ? 0 : Number.NaN];
  for (let i = 0; i < a.length; i++) {
    largest = Math.max(largest, Math.abs(a[i]!));
    difference = Math.max(difference, Math.abs(a[i]! - b[i]!));
  }
  return { name, largest, difference };
}
