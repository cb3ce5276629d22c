import { expectFinite } from "../expect-argument.js";
import type { Plateau } from "./plateau.js";
import type { Training } from "./training.js";

/**
 * Tells a training how well it does on data that it is not trained on; the rate goes down when that gets no better.
 * The training must have been started with `plateau`. Where it stands is part of the checkpoint.
 *
 * Unlike in PyTorch the rate that is reduced is the schedule's too: all rates are multiplied by what is returned.
 *
 * @param training Changed: its `plateau`.
 * @param loss Smaller is better; finite.
 * @returns What every learning rate from now on is multiplied by.
 * @throws {TypeError | RangeError} when the training has no plateau, or `loss` is not finite.
 */
export function reportValidation<S>(training: Training<S>, loss: number): number {
  const before = training.plateau;
  if (before === null) {
    throw new RangeError("reportValidation: training: expected one started with a plateau, got none");
  }
  expectFinite("reportValidation: loss", loss);
  const { options } = before;
  let { scale, best, bad, cooling } = before;
  if (best === null || loss < best * (1 - options.threshold)) {
    best = loss;
    bad = 0;
  } else bad++;
  if (cooling > 0) {
    cooling--;
    bad = 0;
  }
  if (bad > options.patience) {
    scale = Math.max(scale * options.factor, options.minScale);
    cooling = options.cooldown;
    bad = 0;
  }
  (training as { plateau: Plateau }).plateau = { options, scale, best, bad, cooling };
  return scale;
}
