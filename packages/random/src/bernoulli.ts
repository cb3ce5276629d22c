import { numberMismatch } from "./expect-argument.js";
import { expectStream, type RandomStream } from "./random-stream.js";
import { nextUnit53 } from "./uniform.js";

/**
 * `true` with a given probability, rounded up to a multiple of 2^-53. Draws 2 words.
 *
 * @param probability In [0, 1]; 0 is never true, 1 always.
 * @throws {TypeError | RangeError} when `probability` is not as stated.
 */
export function bernoulli(stream: RandomStream, probability: number): boolean {
  expectStream("bernoulli", stream, 2);
  if (!(Number.isFinite(probability) && probability >= 0 && probability <= 1)) {
    throw numberMismatch("bernoulli: probability", "a number in [0, 1]", probability);
  }
  return nextUnit53(stream) < probability;
}
