import { expectFraction, expectInteger, expectPositive } from "../expect-values.js";
import { alongCosine } from "./cosine-rate.js";
import { type Schedule, schedule } from "./schedule.js";

export interface OneCycleRateOptions {
  /** All steps of the cycle, at least 2. */
  readonly steps: number;
  /** The part of the steps that rise, in [0, 1); 0.3 unless given. */
  readonly rising?: number;
  /** The first rate is the highest by this number, greater than 0; 25 unless given. */
  readonly initialDivisor?: number;
  /** The last rate is the first by this number, greater than 0; 10,000 unless given. */
  readonly finalDivisor?: number;
}

/**
 * A learning rate that rises along half a cosine from `rate / initialDivisor` to `rate`, falls along another to
 * `rate / initialDivisor / finalDivisor` at step `steps - 1`, and stays there.
 *
 * Unlike the paper, which uses straight lines in three phases: two phases of cosines, as in fast.ai and PyTorch.
 *
 * @param rate The highest, greater than 0.
 * @throws {TypeError | RangeError} when an argument is out of range.
 * @see Smith and Topin 2018, https://arxiv.org/abs/1708.07120
 */
export function oneCycleRate(rate: number, options: OneCycleRateOptions): Schedule {
  const { steps, rising = 0.3, initialDivisor = 25, finalDivisor = 1e4 } = options;
  expectPositive("oneCycleRate: rate", rate);
  expectInteger("oneCycleRate: steps", steps, 2);
  expectFraction("oneCycleRate: rising", rising);
  expectPositive("oneCycleRate: initialDivisor", initialDivisor);
  expectPositive("oneCycleRate: finalDivisor", finalDivisor);
  const initial = rate / initialDivisor;
  const last = steps - 1;
  const top = Math.max(0, rising * steps - 1); // where the rate is highest
  return schedule("oneCycleRate", (step) =>
    step < top
      ? alongCosine(initial, rate, step / top)
      : alongCosine(rate, initial / finalDivisor, (step - top) / (last - top)),
  );
}
