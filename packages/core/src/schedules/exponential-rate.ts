import { expectAtLeast0 } from "../expect-values.js";
import { type Schedule, schedule } from "./schedule.js";

export interface ExponentialRateOptions {
  /** What the rate is multiplied by at each step, at least 0. */
  readonly factor: number;
}

/**
 * A learning rate that falls by the same factor at each step: `rate · factor^step`.
 *
 * @param rate The first, at least 0.
 * @throws {TypeError | RangeError} when an argument is out of range.
 */
export function exponentialRate(rate: number, { factor }: ExponentialRateOptions): Schedule {
  expectAtLeast0("exponentialRate: rate", rate);
  expectAtLeast0("exponentialRate: factor", factor);
  return schedule("exponentialRate", (step) => rate * factor ** step);
}
