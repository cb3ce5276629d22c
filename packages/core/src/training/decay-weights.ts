import { mul, tidy, type Variable } from "@tensorflow/tfjs-core";
import { expectFinite } from "../expect-argument.js";

/**
 * Decoupled weight decay: each variable becomes `(1 - rate) · variable`, in place. `train` does this with the rate
 * `learningRate · weightDecay` before each update, which makes AdamW of Adam.
 *
 * Unlike the paper, which scales the decay by the schedule's multiplier alone: by the whole learning rate, as in PyTorch.
 *
 * @param variables What decays; changed.
 * @param rate Finite.
 * @throws {TypeError | RangeError} when `rate` is no finite number.
 * @see Loshchilov and Hutter 2019, algorithm 2, https://arxiv.org/abs/1711.05101
 */
export function decayWeights(variables: readonly Variable[], rate: number): void {
  expectFinite("decayWeights: rate", rate);
  tidy(() => {
    for (const variable of variables) variable.assign(mul(variable, 1 - rate));
  });
}
