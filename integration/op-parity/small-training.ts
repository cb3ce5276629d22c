import { crossEntropy, disposeParams, disposeTraining, embed, startTraining, train } from "@gradlab/core";
import {
  add,
  conv2d,
  expandDims,
  matMul,
  maxPool,
  relu,
  reshape,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  type Tensor4D,
  tensor,
  tensor1d,
} from "@tensorflow/tfjs-core";

interface Net {
  readonly table: Tensor2D;
  readonly filter: Tensor4D;
  readonly bias: Tensor1D;
  readonly output: Tensor2D;
}

/** `scale sin(a i)`: the same weights on every backend. */
const wave = (shape: number[], a: number, scale: number) =>
  tensor(
    Array.from({ length: shape.reduce((n, m) => n * m, 1) }, (_, i) => scale * Math.sin(a * (i + 1))),
    shape,
  );

/**
 * Losses of a small network on the current backend: rows of a table stand as an image, which is convolved,
 * pooled and classified. They pass through the kernels that backends lack most often.
 */
export async function smallTraining({ steps }: { readonly steps: number }): Promise<number[]> {
  const net: Net = {
    table: wave([6, 8], 1.3, 0.8) as Tensor2D,
    filter: wave([3, 3, 1, 4], 0.7, 0.5) as Tensor4D,
    bias: wave([4], 2.1, 0.1) as Tensor1D,
    output: wave([64, 3], 0.9, 0.3) as Tensor2D,
  };
  const training = startTraining(net, { name: "adam", learningRate: 0.02 });
  disposeParams(net);
  const losses: number[] = [];
  for await (const { loss } of train(training, {
    batch: (step) => Array.from({ length: 4 }, (_, i) => (step + i) % 6),
    loss: ({ table, filter, bias, output }: Net, rows) => {
      const ids = tensor(
        rows.map((row) => Array.from({ length: 8 }, (_, i) => (row + i * i) % 6)),
        [4, 8],
        "int32",
      );
      const image = expandDims(embed(table, ids as Tensor2D) as Tensor3D, 3) as Tensor4D; // [4, 8, 8, 1]
      const y = maxPool(relu(add(conv2d(image, filter, 1, "same"), bias)) as Tensor4D, 2, 2, "valid"); // [4, 4, 4, 4]
      const labels = tensor1d(
        rows.map((row) => row % 3),
        "int32",
      );
      return crossEntropy(matMul(reshape(y, [4, 64]), output), labels);
    },
    maxNorm: 1,
    steps,
  })) {
    losses.push(loss);
  }
  disposeTraining(training);
  return losses;
}
