import { flattenParams, lossAndGradients } from "@gradlab/core";
import { add, div, slice, square, stack, sum, type Tensor2D, tensor2d, tidy } from "@tensorflow/tfjs-core";
import { rangeMismatch } from "../expect-argument.js";
import {
  expectSpec,
  type LanguageModelSpec,
  type LanguageModelState,
  languageModelLoss,
} from "../model/language-model.js";
import type { TokenBatch } from "./train-language-model.js";

/** How noisy the gradient of one tensor of weights is. */
export interface GradientNoise {
  /** Of the weights: `layers.0.recurrent`. */
  readonly path: string;
  /** The norm of the gradient of the whole batch. */
  readonly norm: number;
  /** An unbiased estimate of the squared norm of the true gradient: may fall below 0 where noise is all there is. */
  readonly signal: number;
  /** An unbiased estimate of the variance of the gradient of one text, summed over its elements. */
  readonly noise: number;
  /** `noise / signal`: the batch, in texts, at which both are equal; null where the signal is not above 0. */
  readonly scale: number | null;
}

/**
 * The noise of the gradients of each tensor of weights, from the two halves of a batch: each half has the variance of
 * half as many texts.
 *
 * @param state As a training holds it: what is carried is that before the batch. Borrowed.
 * @param batch Of an even number of texts.
 * @returns In the order of the paths.
 * @throws {RangeError} when the batch has no two halves.
 * @see McCandlish, Kaplan, Amodei 2018, appendix A.1, https://arxiv.org/abs/1812.06162
 */
export async function gradientNoise(
  spec: LanguageModelSpec,
  { params, carry }: LanguageModelState,
  { inputs, targets, shape }: TokenBatch,
): Promise<GradientNoise[]> {
  expectSpec("gradientNoise: spec", spec);
  const [batch, steps] = shape;
  if (batch % 2 !== 0 || batch < 2)
    throw rangeMismatch("gradientNoise: batch", "an even number of texts", batch);
  const half = batch / 2;
  const rows = (tensor: Tensor2D, from: number) =>
    slice(tensor, [from, 0], [half, tensor.shape[1]]) as Tensor2D;
  const names: string[] = [];
  const table = tidy(() => {
    const [first, second] = [0, half].map((from) => {
      const own = carry.map(({ h, c }) => ({ h: rows(h, from), ...(c && { c: rows(c, from) }) }));
      const part = (ids: Int32Array) =>
        tensor2d(ids.subarray(from * steps, (from + half) * steps), [half, steps], "int32");
      const tokens = { inputs: part(inputs), targets: part(targets) };
      const found = lossAndGradients(
        { params },
        (state) => languageModelLoss(spec, { ...state, carry: own }, tokens).loss,
      );
      return flattenParams(found.gradients);
    });
    const squares = first!.map(([path, gradient], i) => {
      names.push(path);
      const other = second![i]![1];
      return stack([gradient, other, div(add(gradient, other), 2)].map((one) => sum(square(one))));
    });
    return stack(squares); // [tensors, 3]
  });
  const values = await table.data();
  table.dispose();
  return names.map((path, i): GradientNoise => {
    const [a, b, whole] = [values[3 * i]!, values[3 * i + 1]!, values[3 * i + 2]!];
    const small = (a + b) / 2;
    const signal = (batch * whole - half * small) / (batch - half);
    const noise = (small - whole) / (1 / half - 1 / batch);
    return { path, norm: Math.sqrt(whole), signal, noise, scale: signal > 0 ? noise / signal : null };
  });
}
