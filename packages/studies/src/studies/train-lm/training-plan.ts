import { cosineRate, type Schedule } from "@gradlab/core";
import {
  type Feeding,
  freeRunning,
  scheduledSampling,
  type TrainLanguageModelOptions,
} from "@gradlab/rnn-lm";
import type { TrainLmOptions } from "./train-lm-options.js";

/** What the options say of the learning rate and of the tokens that are read, by the step. */
export function trainingPlan(
  { epochs, feeding, decay, decayBy, decayAfter }: TrainLmOptions,
  rate: number,
  perEpoch: number,
): Pick<TrainLanguageModelOptions, "feeding" | "schedule"> {
  const steps = epochs * perEpoch;
  const feedings: Readonly<Record<TrainLmOptions["feeding"], Feeding | null>> = {
    teacher: null,
    free: freeRunning,
    // From true tokens alone to a quarter of them, to few of them, and to half of them in the middle.
    linear: scheduledSampling({ decay: "linear", k: 1, c: 0.75 / steps, floor: 0.25 }),
    exponential: scheduledSampling({ decay: "exponential", k: 0.05 ** (1 / steps) }),
    "inverse-sigmoid": inverseSigmoid(steps),
  };
  const schedules: Readonly<Record<TrainLmOptions["decay"], Schedule | null>> = {
    none: null,
    plateau: null,
    epochs: (step) => rate * decayBy ** Math.max(0, Math.floor(step / perEpoch) + 1 - decayAfter),
    cosine: cosineRate(rate, { steps }),
  };
  return {
    ...(feedings[feeding] && { feeding: feedings[feeding] }),
    ...(schedules[decay] && { schedule: schedules[decay] }),
  };
}

/** The k at which half of the tokens are true in the middle of a training: `k log k` is half of its steps. */
function inverseSigmoid(steps: number): Feeding {
  let [low, high] = [1, Math.max(2, steps)];
  for (let i = 0; i < 60; i++) {
    const k = (low + high) / 2;
    if (k * Math.log(k) < steps / 2) low = k;
    else high = k;
  }
  return scheduledSampling({ decay: "inverse-sigmoid", k: low });
}
