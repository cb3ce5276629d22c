import { fillUniform } from "@gradlab/random";
import type { Tensor } from "@tensorflow/tfjs-core";
import { expectFraction } from "./expect-values.js";
import { expectSizes, type InitKey, make } from "./initializers/random-tensor.js";

/**
 * What dropout multiplies by: 0 with probability `rate`, else `1 / (1 - rate)`, so that the mean stays.
 *
 * The numbers are those of a stream of `@gradlab/random`, made on the CPU: the same on every backend, and for a sample
 * at the same place in a batch of any size. In a training, key them by the step: `{ seed, purpose: "dropout fc",
 * index: step }`.
 *
 * @param shape Of the mask.
 * @param rate In [0, 1).
 * @param key Of the stream: seed, purpose, and what index and position are to be.
 * @returns float32; the caller disposes it.
 * @throws {TypeError | RangeError} when an argument is not as stated.
 * @see Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html
 */
export function dropoutMask(shape: readonly number[], rate: number, key: InitKey): Tensor {
  expectSizes("dropoutMask", shape);
  expectFraction("dropoutMask: rate", rate);
  const kept = 1 / (1 - rate);
  return make(shape, key, (stream, values) => {
    fillUniform(stream, values, 0, 1);
    for (let i = 0; i < values.length; i++) values[i] = values[i]! < rate ? 0 : kept;
    return values;
  });
}
