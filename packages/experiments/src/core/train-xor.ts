import { disposeParams, disposeTraining, startTraining, train } from "@gradlab/core";
import {
  add,
  matMul,
  mul,
  type Scalar,
  sigmoid,
  square,
  sub,
  sum,
  type Tensor2D,
  tensor2d,
} from "@tensorflow/tfjs-core";
import { type XorOptimizer, xor, xorStart } from "./xor-network.js";

/** The losses before each of `steps` updates, by tensors on the current backend. */
export async function trainXor(
  optimizer: XorOptimizer,
  steps: number,
  signal: AbortSignal,
): Promise<number[]> {
  const matrixOf = (rows: readonly (readonly number[])[]) => tensor2d(rows.map((row) => [...row]));
  const column = (values: readonly number[]) => tensor2d([...values], [values.length, 1]);
  const start = {
    W1: matrixOf(xorStart.W1), // [4, 2]
    b1: column(xorStart.b1), // [4, 1]
    W2: matrixOf(xorStart.W2), // [1, 4]
    b2: column(xorStart.b2), // [1, 1]
  };
  const [X, T] = [matrixOf(xor.X), matrixOf(xor.T)]; // [2, 4], [1, 4]
  const training = startTraining(start, optimizer);
  disposeParams(start);
  const loss = ({ W1, b1, W2, b2 }: typeof start): Scalar => {
    const hidden = sigmoid(add(matMul(W1, X), b1)) as Tensor2D; // [4, 4]
    const y = add(matMul(W2, hidden), b2); // [1, 4]
    return mul(0.5, sum(square(sub(y, T))));
  };
  const losses: number[] = [];
  try {
    for await (const step of train(training, { loss, steps, signal })) losses.push(step.loss);
  } finally {
    disposeTraining(training);
    X.dispose();
    T.dispose();
  }
  return losses;
}
