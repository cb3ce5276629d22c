import { expectFinite, rangeMismatch } from "../expect-argument.js";
import { expectFraction } from "../expect-values.js";

/**
 * How often a model that is trained reads the true token, and how often one that it has drawn itself: a probability of
 * the true one by the step of the training. 1 is teacher forcing, 0 is free running, anything between or falling is
 * scheduled sampling.
 *
 * What is drawn is a constant: no gradient goes through the draw. The objective of scheduled sampling is not consistent:
 * its optimum is not the distribution of the text (Huszár 2015, https://arxiv.org/abs/1511.05101).
 */
export type Feeding = (step: number) => number;

/** Always the true token. */
export const teacherForcing: Feeding = () => 1;

/** Always what the model has drawn. */
export const freeRunning: Feeding = () => 0;

export interface ScheduledSamplingOptions {
  /** `max(floor, k - c · step)`, `k^step`, or `k / (k + exp(step / k))`. */
  readonly decay: "linear" | "exponential" | "inverse-sigmoid";
  /** In (0, 1] of the linear, (0, 1) of the exponential one, at least 1 of the inverse sigmoid. */
  readonly k: number;
  /** Slope of the linear one, at least 0; 0 unless given. */
  readonly c?: number;
  /** Of the linear one, in [0, 1]; 0 unless given. */
  readonly floor?: number;
}

/**
 * The three schedules of scheduled sampling.
 *
 * @throws {TypeError | RangeError} when an option is not as stated.
 * @see Bengio, Vinyals, Jaitly, Shazeer 2015, §2.4, https://arxiv.org/abs/1506.03099
 */
export function scheduledSampling({ decay, k, c = 0, floor = 0 }: ScheduledSamplingOptions): Feeding {
  expectFinite("scheduledSampling: k", k);
  expectFinite("scheduledSampling: c", c);
  expectFraction("scheduledSampling: floor", floor, true);
  const expectK = (expected: string, holds: boolean) => {
    if (!holds) throw rangeMismatch("scheduledSampling: k", expected, k);
  };
  switch (decay) {
    case "linear":
      expectK("a number in (0, 1]", k > 0 && k <= 1);
      if (c < 0) throw rangeMismatch("scheduledSampling: c", "a number, at least 0", c);
      return (step) => Math.max(floor, k - c * step);
    case "exponential":
      expectK("a number in (0, 1)", k > 0 && k < 1);
      return (step) => k ** step;
    case "inverse-sigmoid":
      expectK("a number, at least 1", k >= 1);
      return (step) => k / (k + Math.exp(step / k));
    default:
      throw rangeMismatch("scheduledSampling: decay", "linear, exponential or inverse-sigmoid", decay);
  }
}
