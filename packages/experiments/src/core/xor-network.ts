import type { OptimizerConfig } from "@gradlab/core";
import { twoLayerGradient } from "@gradlab/lms/backprop";

/** Inputs and outputs of exclusive or: one sample a column. */
export const xor = { X: [[0, 0, 1, 1], [0, 1, 0, 1]], T: [[0, 1, 1, 0]] } as const; // biome-ignore format: truth table

/** Where every training starts: two inputs, four sigmoid units, one output. */
export const xorStart = {
  W1: [[1.5, -2], [-1, 2.5], [2, 1.25], [-0.5, -1.5]],
  b1: [0.25, -0.5, 0.5, 1],
  W2: [[0.5, -0.75, 0.25, 0.5]],
  b2: [0.125],
} as const; // biome-ignore format: matrices

export const xorOptimizers = [
  { name: "sgd", learningRate: 0.1 },
  { name: "momentum", learningRate: 0.1, momentum: 0.9 },
  { name: "adam", learningRate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 },
] as const satisfies readonly OptimizerConfig[];

export type XorOptimizer = (typeof xorOptimizers)[number];

/** The losses before each of `steps` updates, in double precision and without tensors. */
export function trainXorByHand(optimizer: XorOptimizer, steps: number): number[] {
  // One flat list of weights: W1, b1, W2, b2.
  const weights = [...xorStart.W1.flat(), ...xorStart.b1, ...xorStart.W2.flat(), ...xorStart.b2];
  const move = updateRule(optimizer, weights.length);
  return Array.from({ length: steps }, (_, step) => {
    const params = {
      W1: [0, 1, 2, 3].map((i) => weights.slice(2 * i, 2 * i + 2)),
      b1: weights.slice(8, 12),
      W2: [weights.slice(12, 16)],
      b2: weights.slice(16),
    };
    const { loss, W1, b1, W2, b2 } = twoLayerGradient(params, [...xor.X], [...xor.T], {
      activation: "sigmoid",
    });
    const gradient = [W1, b1, W2, b2].flatMap(({ data }) => [...data]);
    for (const [i, g] of gradient.entries()) weights[i]! -= move(i, g, step + 1);
    return loss;
  });
}

/** How far a weight moves at step t = 1, 2, … (Polyak 1964; Kingma & Ba 2015, Algorithm 1). */
function updateRule(optimizer: XorOptimizer, count: number): (i: number, g: number, t: number) => number {
  const { name, learningRate } = optimizer;
  if (name === "sgd") return (_, g) => learningRate * g;
  const m = new Float64Array(count);
  if (name === "momentum") {
    return (i, g) => {
      m[i] = optimizer.momentum * m[i]! + g;
      return learningRate * m[i]!;
    };
  }
  const { beta1, beta2, epsilon } = optimizer;
  const v = new Float64Array(count);
  return (i, g, t) => {
    m[i] = beta1 * m[i]! + (1 - beta1) * g;
    v[i] = beta2 * v[i]! + (1 - beta2) * g * g;
    return (learningRate * (m[i]! / (1 - beta1 ** t))) / (Math.sqrt(v[i]! / (1 - beta2 ** t)) + epsilon);
  };
}
