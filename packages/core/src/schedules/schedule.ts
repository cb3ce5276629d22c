import { expectInteger } from "../expect-values.js";

/**
 * A learning rate for each step: a pure function of how many updates were applied before, 0 at the first.
 * A schedule therefore has nothing to save; a resumed training goes on with the rate of its step.
 */
export type Schedule = (step: number) => number;

/** A schedule that refuses what is no step. */
export function schedule(where: string, rate: Schedule): Schedule {
  return (step) => {
    expectInteger(`${where}: step`, step, 0);
    return rate(step);
  };
}
