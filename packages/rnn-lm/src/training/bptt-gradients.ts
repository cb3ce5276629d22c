import { disposeParams, flattenParams, lossAndGradients, mapParams, type Params } from "@gradlab/core";
import { add, div, keep, memory, slice, type Tensor2D } from "@tensorflow/tfjs-core";
import { rangeMismatch } from "../expect-argument.js";
import { expectInteger } from "../expect-values.js";
import {
  expectSpec,
  type LanguageModelParams,
  type LanguageModelSpec,
  type LanguageModelState,
  languageModelLoss,
} from "../model/language-model.js";
import type { LayerCarry } from "../recurrent-network.js";

export interface BpttOptions {
  /** The gradient goes back so many steps and no further, as it does in a training; all of them unless given. */
  readonly length?: number;
}

export interface BpttGradients {
  /** Mean over all tokens. */
  readonly loss: number;
  /** Of that mean; the caller disposes them. */
  readonly gradients: LanguageModelParams;
  /** What is held for the way back when it begins, the most of all pieces, in bytes. */
  readonly heldBytes: number;
}

/**
 * The gradient of the mean loss over a text, by backpropagation through all of its steps or truncated to pieces of
 * `length`: each piece begins with the state that the one before it has left, and no gradient goes there. Both to be
 * compared: the loss is the same, the gradient is not, and truncated it takes the memory of one piece.
 *
 * @param tokens Tensors `[batch, T]`, int32. Borrowed, as the state is.
 * @throws {RangeError} when T is no multiple of the length.
 */
export async function bpttGradients(
  spec: LanguageModelSpec,
  { params, carry }: LanguageModelState,
  { inputs, targets }: { readonly inputs: Tensor2D; readonly targets: Tensor2D },
  options: BpttOptions = {},
): Promise<BpttGradients> {
  expectSpec("bpttGradients: spec", spec);
  const [batch, steps] = inputs.shape;
  const { length = steps } = options;
  expectInteger("bpttGradients: length", length, 1);
  if (steps % length !== 0) throw rangeMismatch("bpttGradients: length", `a divisor of ${steps}`, length);
  const pieces = steps / length;
  const part = (ids: Tensor2D, piece: number) => slice(ids, [0, piece * length], [batch, length]) as Tensor2D;
  let before: readonly LayerCarry[] = carry;
  let sums: LanguageModelParams | null = null;
  let heldBytes = 0;
  let loss = 0;
  try {
    for (let piece = 0; piece < pieces; piece++) {
      const tokens = { inputs: part(inputs, piece), targets: part(targets, piece) };
      const already = memory().numBytes;
      let after: LayerCarry[] = [];
      const found = lossAndGradients({ params }, (state) => {
        const pass = languageModelLoss(spec, { ...state, carry: before }, tokens);
        after = pass.carry.map(({ h, c }) => ({ h: keep(h.clone()), ...(c && { c: keep(c.clone()) }) }));
        heldBytes = Math.max(heldBytes, memory().numBytes - already);
        return pass.loss;
      });
      if (before !== carry) disposeParams(before as unknown as Params);
      before = after;
      const total: LanguageModelParams = sums === null ? found.gradients : summed(sums, found.gradients);
      if (sums !== null) for (const one of [sums, found.gradients]) disposeParams(one);
      sums = total;
      loss += (await found.loss.data())[0]!;
      for (const tensor of [found.loss, tokens.inputs, tokens.targets]) tensor.dispose();
    }
    const gradients = mapParams(sums!, (gradient) => div(gradient, pieces));
    return { loss: loss / pieces, gradients, heldBytes };
  } finally {
    if (before !== carry) disposeParams(before as unknown as Params);
    if (sums !== null) disposeParams(sums);
  }
}

function summed(a: LanguageModelParams, b: LanguageModelParams): LanguageModelParams {
  const others = new Map(flattenParams(b));
  return mapParams(a, (tensor, path) => add(tensor, others.get(path)!));
}
