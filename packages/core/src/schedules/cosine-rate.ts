import { expectAtLeast0, expectInteger } from "../expect-values.js";
import { type Schedule, schedule } from "./schedule.js";

export interface CosineRateOptions {
  /** The step at which `final` is reached, at least 1. */
  readonly steps: number;
  /** The rate from step `steps` on, at least 0; 0 unless given. */
  readonly final?: number;
}

/**
 * A learning rate that falls along half a cosine: `final + (rate - final) (1 + cos(π step / steps)) / 2`, and stays at
 * `final` afterwards.
 *
 * @param rate The first, at least 0.
 * @throws {TypeError | RangeError} when an argument is out of range.
 * @see Loshchilov and Hutter 2017, equation 5 (without restarts), https://arxiv.org/abs/1608.03983
 */
export function cosineRate(rate: number, { steps, final = 0 }: CosineRateOptions): Schedule {
  expectAtLeast0("cosineRate: rate", rate);
  expectInteger("cosineRate: steps", steps, 1);
  expectAtLeast0("cosineRate: final", final);
  return schedule("cosineRate", (step) => alongCosine(rate, final, step / steps));
}

/** From `begin` to `end` along half a cosine, for a part of the way in [0, 1]; `end` beyond. */
export function alongCosine(begin: number, end: number, part: number): number {
  return part < 1 ? end + (begin - end) * 0.5 * (1 + Math.cos(Math.PI * part)) : end;
}
