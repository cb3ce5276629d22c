import { expectInteger } from "../expect-values.js";
import { type Schedule, schedule } from "./schedule.js";

export interface WarmUpOptions {
  /** How many steps rise, at least 0. */
  readonly steps: number;
}

/**
 * A linear rise before another schedule: `(step + 1) / steps` of its first rate for the first `steps` steps, so that
 * the last of them has all of it; then that schedule from its own step 0 on.
 *
 * @throws {TypeError | RangeError} when `steps` is out of range.
 * @see Goyal et al. 2017, §2.2, https://arxiv.org/abs/1706.02677
 */
export function warmUp(after: Schedule, { steps }: WarmUpOptions): Schedule {
  expectInteger("warmUp: steps", steps, 0);
  return schedule("warmUp", (step) => (step < steps ? (after(0) * (step + 1)) / steps : after(step - steps)));
}
