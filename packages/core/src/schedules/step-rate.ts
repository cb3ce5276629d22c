import { expectAtLeast0, expectInteger } from "../expect-values.js";
import { type Schedule, schedule } from "./schedule.js";

export interface StepRateOptions {
  /** Steps between two changes, at least 1. */
  readonly every: number;
  /** What the rate is multiplied by at each change, at least 0; 0.1 unless given. */
  readonly factor?: number;
}

/**
 * A learning rate in stairs: `rate · factor^⌊step / every⌋`.
 *
 * @param rate The first, at least 0.
 * @throws {TypeError | RangeError} when an argument is out of range.
 */
export function stepRate(rate: number, { every, factor = 0.1 }: StepRateOptions): Schedule {
  expectAtLeast0("stepRate: rate", rate);
  expectInteger("stepRate: every", every, 1);
  expectAtLeast0("stepRate: factor", factor);
  return schedule("stepRate", (step) => rate * factor ** Math.floor(step / every));
}
