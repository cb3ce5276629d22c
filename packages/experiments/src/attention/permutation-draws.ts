import {
  attend,
  attendWithWeights,
  checkEquivariance,
  type EquivarianceReport,
  sinusoidalPositions,
} from "@gradlab/attention";
import { integer, normal, randomStream, uniform } from "@gradlab/random";
import {
  add,
  dispose,
  expandDims,
  matMul,
  mul,
  reshape,
  softmax,
  squeeze,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
  tensor2d,
  tidy,
} from "@tensorflow/tfjs-core";

/** Tokens and their width. */
export const size = 5;

/** `f(PX) = P f(X)`, and the mean over the tokens stays. */
export interface Symmetries {
  readonly equivariant: EquivarianceReport;
  readonly pooled: EquivarianceReport;
}

/** What all permutations do to one layer of attention. */
export interface LayerDraw {
  /** A softmax for every query. */
  readonly rows: Symmetries;
  /** One softmax over all scores. */
  readonly whole: Symmetries;
  /** With sinusoidal positions added to the tokens. */
  readonly placed: Symmetries;
  /** Of the first, by query and key. */
  readonly weights: readonly (readonly number[])[];
}

/**
 * One layer of attention of random weights on random tokens. Saturated: whole numbers 0 … 9, weights of U(0, 1), scale ½;
 * otherwise tokens divided by 9, weights of N(0, 1), scale 1/√5. The caller disposes it.
 */
function layer(seed: number, index: number, saturated: boolean) {
  const random = randomStream({ seed, purpose: "attention/permutations", index });
  const matrix = (draw: () => number) => tensor2d(Array.from({ length: size * size }, draw), [size, size]);
  const weight = () => matrix(() => (saturated ? uniform(random) : normal(random)));
  const x = matrix(() => integer(random, 0, 10) / (saturated ? 1 : 9));
  const [wq, wk, wv] = [weight(), weight(), weight()];
  const positions = sinusoidalPositions(size, size);
  const scale = saturated ? 0.5 : 1 / Math.sqrt(size);
  const project = (given: Tensor, w: Tensor2D) => matMul(given as Tensor2D, w);
  const projected = (given: Tensor) =>
    [wq, wk, wv].map((w) => expandDims(project(given, w))) as [Tensor3D, Tensor3D, Tensor3D];
  const rows = (given: Tensor) => squeeze(attend(...projected(given), { scale }), [0]);
  return {
    x,
    rows,
    whole: (given: Tensor) => {
      const scores = mul(matMul(project(given, wq), project(given, wk), false, true), scale);
      const weights = reshape(softmax(reshape(scores, [size * size])), [size, size]) as Tensor2D;
      return matMul(weights, project(given, wv));
    },
    placed: (given: Tensor) => rows(add(given, positions)),
    weights: () => attendWithWeights(...projected(x), { scale }).weights.clone(),
    dispose: () => dispose([x, wq, wk, wv, positions]),
  };
}

export async function drawLayer(seed: number, saturated: boolean, signal: AbortSignal): Promise<LayerDraw> {
  const { x, rows, whole, placed, weights, dispose } = layer(seed, 0, saturated);
  const both = async (f: (given: Tensor) => Tensor): Promise<Symmetries> => ({
    equivariant: await checkEquivariance(f, { x, signal }),
    pooled: await checkEquivariance(f, { x, signal, expected: "pooled" }),
  });
  try {
    const tensor = tidy(weights);
    const numbers = await tensor.data();
    tensor.dispose();
    return {
      rows: await both(rows),
      whole: await both(whole),
      placed: await both(placed),
      weights: Array.from({ length: size }, (_, i) => Array.from(numbers.subarray(i * size, (i + 1) * size))),
    };
  } finally {
    dispose();
  }
}

/** Of saturated layers: how many permutations leave `f(X)` as it is, and how many hold although positions are added. */
export async function saturatedCounts(
  draws: number,
  signal: AbortSignal,
): Promise<{ unchanged: number[]; unbroken: number[] }> {
  const counts = { unchanged: [] as number[], unbroken: [] as number[] };
  for (let index = 0; index < draws; index++) {
    // The same draws whatever the seed: medians of few draws are no constants.
    const { x, rows, placed, dispose } = layer(0, index, true);
    try {
      counts.unchanged.push((await checkEquivariance(rows, { x, signal })).unchanged);
      counts.unbroken.push((await checkEquivariance(placed, { x, signal })).held);
    } finally {
      dispose();
    }
  }
  return counts;
}
