import { disposeTraining, startTraining, train } from "@gradlab/core";
import {
  matMul,
  mean,
  randomNormal,
  relu,
  type Scalar,
  setBackend,
  square,
  type Tensor2D,
} from "@tensorflow/tfjs-core";

/** How late an abort was heard. */
export interface Heard {
  /** From the moment at which it was due to the end of the training, in milliseconds. */
  readonly late: number;
  /** The longest step, in milliseconds. */
  readonly longest: number;
  /** How many steps were made. */
  readonly steps: number;
}

/** The time of day in milliseconds, the same in a page and its workers. */
export const clock = () => performance.timeOrigin + performance.now();

/**
 * Trains on a backend that computes at once until `arm` stops it: it is given a function to be called, later, with the
 * moment at which the abort was due.
 */
export async function hearAbort(
  backend: string,
  arm: (abort: (due: number) => void) => void,
): Promise<Heard> {
  await setBackend(backend);
  const start = { a: randomNormal([32, 32]) as Tensor2D, b: randomNormal([32, 32]) as Tensor2D };
  const x = randomNormal([16, 32]) as Tensor2D;
  const training = startTraining(start, { name: "adam", learningRate: 1e-3 });
  const loss = ({ a, b }: typeof start) => mean(square(matMul(relu(matMul(x, a)) as Tensor2D, b))) as Scalar;
  const controller = new AbortController();
  let longest = 0;
  let steps = 0;
  try {
    // The first steps are slow.
    for await (const _ of train(training, { loss, steps: 20 }));
    arm((due) => controller.abort({ due }));
    for await (const { seconds } of train(training, { loss, signal: controller.signal, steps: 30_000 })) {
      longest = Math.max(longest, 1000 * seconds);
      steps++;
    }
    throw new Error("hearAbort: expected an abort within 30,000 steps, got none");
  } catch (error) {
    if (!controller.signal.aborted || error !== controller.signal.reason) throw error;
    return { late: clock() - (error as { due: number }).due, longest, steps };
  } finally {
    disposeTraining(training);
    for (const tensor of [start.a, start.b, x]) tensor.dispose();
  }
}
