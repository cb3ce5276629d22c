import type { TwoLayerParams } from "@gradlab/lms/backprop";

/** A two-layer network and one sample with known gradients. */
export const backpropExample = {
  params: {
    W1: [
      [3, -1, 1],
      [-5, 2, -1],
    ],
    b1: [1, 2],
    W2: [
      [1, -2],
      [-3, 1],
    ],
    b2: [1, 1],
  } satisfies TwoLayerParams,
  X: [[0], [1], [2]],
  T: [[1], [2]],
  /** Numerator layout; the gradients of the sigmoid to four digits. */
  known: {
    relu: {
      loss: 14.5,
      W1: [[0, 0], [13, -1], [26, -2]],
      W2: [[-4, -10], [-4, -10]],
      b1: [[13, -1]],
      b2: [[-2, -5]],
      tolerance: { loss: 0, gradient: 0 },
    },
    sigmoid: {
      loss: 4.201102887391705,
      W1: [[0, 0], [0.7774, -0.105], [1.5547, -0.21]],
      W2: [[-0.7758, -2.4324], [-0.7758, -2.4324]],
      b1: [[0.7774, -0.105]],
      b2: [[-0.8808, -2.7616]],
      tolerance: { loss: 1e-14, gradient: 5e-5 },
    },
  },
} as const; // biome-ignore format: matrices
