import { expectAtLeast0 } from "../expect-values.js";
import { type Schedule, schedule } from "./schedule.js";

/**
 * The same learning rate at every step.
 *
 * @param rate At least 0.
 * @throws {TypeError | RangeError} when `rate` is out of range.
 */
export function constantRate(rate: number): Schedule {
  expectAtLeast0("constantRate: rate", rate);
  return schedule("constantRate", () => rate);
}
