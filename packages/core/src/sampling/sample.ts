import { categorical, type RandomStream } from "@gradlab/random";
import { probabilitiesOf, type SamplingOptions } from "./token-probabilities.js";

/**
 * Draws an index from the softmax of logits: multinomial sampling, with temperature, top-k and top-p. Draws 2 words of
 * the stream whatever the options are, so that it is the same on every backend that gives these logits.
 *
 * @param stream Random numbers of `@gradlab/random`; it advances.
 * @param logits As in `tokenProbabilities`: numbers that have been read, `-Infinity` for what must not be drawn.
 * @returns An index of `logits`.
 * @throws {TypeError | RangeError} when an argument is not as stated; then nothing is drawn.
 */
export function sample(
  stream: RandomStream,
  logits: ArrayLike<number>,
  options: SamplingOptions = {},
): number {
  return categorical(stream, probabilitiesOf("sample", logits, options));
}
