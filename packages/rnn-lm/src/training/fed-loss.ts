import { crossEntropy } from "@gradlab/core";
import { fillUniform, randomStream } from "@gradlab/random";
import {
  cast,
  concat,
  cumsum,
  customGrad,
  type GradSaveFunc,
  less,
  minimum,
  reshape,
  type Scalar,
  scalar,
  slice,
  softmax,
  sum,
  type Tensor,
  type Tensor2D,
  tensor2d,
  transpose,
  where,
  zerosLike,
} from "@tensorflow/tfjs-core";
import {
  type ApplyLanguageModelOptions,
  hiddenStates,
  type LanguageModelSpec,
  type LanguageModelState,
  outputLogits,
} from "../model/language-model.js";
import type { LayerCarry } from "../recurrent-network.js";

export interface FedLossOptions extends ApplyLanguageModelOptions {
  /** The probability of the true token at each place but the first. */
  readonly truth: number;
  readonly seed: number;
  readonly step: number;
}

/**
 * The loss of a model that reads the true token with probability `truth` and else one that it draws from its own
 * distribution, place by place; the first of the piece is always the true one. To be called in a `tidy`.
 */
export function fedLoss(
  spec: LanguageModelSpec,
  { params, carry }: LanguageModelState,
  { inputs, targets }: { readonly inputs: Tensor2D; readonly targets: Tensor2D },
  { truth, seed, step, ...options }: FedLossOptions,
): { loss: Scalar; carry: LayerCarry[] } {
  const [batch, steps] = inputs.shape;
  const stream = randomStream({ seed, purpose: "rnn-lm/feeding", index: step });
  const truths = transpose(inputs); // [T, batch]
  const row = (t: number) => slice(truths, [t, 0], [1, batch]) as Tensor2D;
  let after: readonly LayerCarry[] = carry;
  let read = row(0);
  const logits: Tensor2D[] = [];
  for (let t = 0; t < steps; t++) {
    const pass = hiddenStates(spec, params, read, after, options);
    after = pass.carry;
    const next = outputLogits(params, pass.hidden);
    logits.push(next);
    if (t === steps - 1) break;
    // Two numbers of each sequence, whatever is done with them.
    const drawn = fillUniform(stream, new Float32Array(2 * batch), 0, 1);
    const isTrue = tensor2d(
      Array.from({ length: batch }, (_, i) => drawn[2 * i]! < truth),
      [1, batch],
      "bool",
    );
    const places = Float32Array.from({ length: batch }, (_, i) => drawn[2 * i + 1]!);
    const own = reshape(drawTokens(next, tensor2d(places, [batch, 1])), [1, batch]);
    read = where(isTrue, row(t + 1), own) as Tensor2D;
  }
  const labels = reshape(transpose(targets), [targets.size]);
  return { loss: crossEntropy(concat(logits, 0), labels), carry: [...after] };
}

/**
 * `[batch]` int32: an index of each row, drawn from its softmax at a place in [0, 1). A constant: the tape of a gradient
 * does not see it.
 */
function drawTokens(logits: Tensor2D, places: Tensor2D): Tensor {
  const [, classes] = logits.shape;
  const draw = customGrad((given: Tensor | GradSaveFunc) => {
    const below = less(cumsum(softmax(logits), 1), given as Tensor);
    // Rounding may leave the whole sum below a place.
    const value = minimum(sum(cast(below, "int32"), 1), scalar(classes - 1, "int32"));
    return { value: cast(value, "int32"), gradFunc: () => zerosLike(places) };
  });
  return draw(places);
}
