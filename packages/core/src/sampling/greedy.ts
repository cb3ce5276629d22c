import { largest } from "./token-probabilities.js";

/**
 * The index of the largest logit, the lowest of equal ones.
 *
 * @param logits At least one, none of them NaN or +Infinity, at least one finite.
 * @throws {TypeError | RangeError} when `logits` is not as stated.
 */
export function greedy(logits: ArrayLike<number>): number {
  return largest("greedy", logits);
}
