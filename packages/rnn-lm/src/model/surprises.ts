import { breather, crossEntropy, disposeParams, type Params } from "@gradlab/core";
import { tensor1d, tensor2d } from "@tensorflow/tfjs-core";
import { rangeMismatch } from "../expect-argument.js";
import { expectInteger } from "../expect-values.js";
import { initCarry, type LayerCarry } from "../recurrent-network.js";
import { scoped } from "../scoped.js";
import {
  expectSpec,
  hiddenStates,
  type LanguageModelParams,
  type LanguageModelSpec,
  outputLogits,
  recurrentSpec,
} from "./language-model.js";

export interface SurprisesOptions {
  /**
   * The text is read in so many columns side by side, each from a state of zeros: faster, and less is known of the words
   * before the top of a column. 1, the text as it stands, unless given.
   */
  readonly columns?: number;
  /** How many tokens are read at once; 64 unless given. The result does not depend on it but for rounding. */
  readonly steps?: number;
  readonly signal?: AbortSignal;
}

/**
 * How surprised a model is by each token of a text that has one before it: `-log p(token | those before)`, in nats.
 * Every token is counted exactly once, also where the text does not divide into columns.
 *
 * @param ids At least two, in [0, vocabulary).
 * @returns `[ids.length - 1]`.
 * @throws {TypeError | RangeError} when the text is too short or has an id out of range, or an option is not as stated.
 */
export async function surprises(
  spec: LanguageModelSpec,
  params: LanguageModelParams,
  ids: ArrayLike<number>,
  options: SurprisesOptions = {},
): Promise<Float64Array> {
  expectSpec("surprises: spec", spec);
  const { columns = 1, steps = 64, signal } = options;
  expectInteger("surprises: columns", columns, 1);
  expectInteger("surprises: steps", steps, 1);
  const count = ids.length - 1;
  if (count < columns) {
    throw rangeMismatch(
      "surprises: ids",
      `at least ${columns + 1} tokens for ${columns} columns`,
      ids.length,
    );
  }
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i]!;
    if (Number.isSafeInteger(id) && id >= 0 && id < spec.vocabulary) continue;
    throw rangeMismatch(`surprises: ids[${i}]`, `an integer in [0, ${spec.vocabulary})`, id);
  }
  // Column i has the targets [starts[i], starts[i + 1]): lengths that differ by one at most.
  const starts = Array.from({ length: columns + 1 }, (_, i) => Math.floor((i * count) / columns));
  const longest = Math.max(...starts.slice(1).map((end, i) => end - starts[i]!));
  const result = new Float64Array(count);
  const breathe = breather();
  let carry: LayerCarry[] = initCarry(recurrentSpec(spec), columns);
  try {
    for (let from = 0; from < longest; from += steps) {
      await breathe();
      signal?.throwIfAborted();
      const size = Math.min(steps, longest - from);
      const inputs = new Int32Array(size * columns);
      const targets = new Int32Array(size * columns).fill(-1);
      for (let t = 0; t < size; t++) {
        for (let column = 0; column < columns; column++) {
          const at = starts[column]! + from + t;
          if (at >= starts[column + 1]!) continue; // the end of a shorter column
          inputs[t * columns + column] = ids[at]!;
          targets[t * columns + column] = ids[at + 1]!;
        }
      }
      const next = scoped(() => {
        const shape: [number, number] = [size, columns];
        const pass = hiddenStates(spec, params, tensor2d(inputs, shape, "int32"), carry, {});
        const labels = tensor1d(targets, "int32");
        const losses = crossEntropy(outputLogits(params, pass.hidden), labels, {
          reduction: "none",
          ignoreIndex: -1,
        });
        return { losses, carry: pass.carry };
      });
      disposeParams(carry as unknown as Params);
      carry = next.carry;
      const losses = await next.losses.data();
      next.losses.dispose();
      for (let t = 0; t < size; t++) {
        for (let column = 0; column < columns; column++) {
          const at = starts[column]! + from + t;
          if (at < starts[column + 1]!) result[at] = losses[t * columns + column]!;
        }
      }
    }
  } finally {
    disposeParams(carry as unknown as Params);
  }
  return result;
}

/**
 * The perplexity of surprises: `exp` of their mean, tokens counted, not batches. That of a model that gives all tokens
 * the same probability is their number.
 *
 * @throws {RangeError} when there is none.
 */
export function perplexityOf(surprises: ArrayLike<number>): number {
  if (surprises.length === 0) throw rangeMismatch("perplexityOf: surprises", "at least one", surprises);
  let sum = 0;
  for (let i = 0; i < surprises.length; i++) sum += surprises[i]!;
  return Math.exp(sum / surprises.length);
}
