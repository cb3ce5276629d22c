import type { ParamsOf } from "../params/params.js";
import { type AverageOptions, averageLike, averageOf } from "./average.js";
import type { Training } from "./training.js";

/**
 * Begins to keep averages of the weights in the middle of a training, in `training.average`; until the next update they
 * are the weights themselves. Averaged SGD that is triggered: begin where validation gets no better. It is part of the
 * checkpoint, as if the training had been started so.
 *
 * @param training Changed: its `average` and `averaging`. It has none yet.
 * @param options As in `startTraining`; the mean of the weights after the next update and all later ones unless given.
 * @throws {TypeError | RangeError} when the training has averages already, or the options are not as stated.
 * @see Polyak and Juditsky 1992; Merity, Keskar, Socher 2018, §3 (the trigger), https://arxiv.org/abs/1708.02182
 */
export function startAverage<S extends ParamsOf<S>>(
  training: Training<S>,
  options: AverageOptions = { from: training.step + 1 },
): void {
  const averaging = averageOf("startAverage: options", options);
  if (training.averaging !== null) {
    throw new RangeError("startAverage: training: expected one without averages, got one with them");
  }
  if ("from" in averaging && averaging.from <= training.step) {
    throw new RangeError(
      `startAverage: options: from: expected an update to come, after ${training.step}, got ${averaging.from}`,
    );
  }
  Object.assign(training, { averaging, average: averageLike(training.state, training.trained) });
}
