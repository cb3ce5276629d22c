import type { Attack } from "../attack.js";
import { distanceOf } from "../norms/norm.js";
import { norms } from "../norms/norms.js";
import type { Found, Sample } from "./sample.js";

/** What makes an image adversarial. */
export interface Goal {
  /** By how much a wrong class (the target) has to be ahead, 0 unless given. */
  readonly confidence: number;
  /** In place of that: a rule of one's own about the logits. */
  readonly criterion: ((logits: Float32Array, sample: Pick<Sample, "label" | "target">) => boolean) | null;
}

/** Whether these logits are what the attack is after. */
export function isAdversarial(
  logits: Float32Array,
  sample: Pick<Sample, "label" | "target">,
  { confidence, criterion }: Goal,
): boolean {
  if (criterion !== null) return criterion(logits, sample);
  if (confidence > 0) return marginOf(logits, sample) >= confidence;
  const predicted = predictionOf(logits);
  return sample.target === null
    ? predicted !== sample.label && predicted !== -1
    : predicted === sample.target;
}

/** The class of the largest logit, the first of equal ones; -1 where one is no number. */
export function predictionOf(logits: ArrayLike<number>): number {
  let best = 0;
  for (let i = 0; i < logits.length; i++) {
    if (Number.isNaN(logits[i])) return -1;
    if (logits[i]! > logits[best]!) best = i;
  }
  return best;
}

/** By how much another class is ahead of the label, or the target ahead of all others: positive where adversarial. */
export function marginOf(
  logits: ArrayLike<number>,
  { label, target }: Pick<Sample, "label" | "target">,
): number {
  const own = target ?? label;
  let other = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < logits.length; i++) if (i !== own) other = Math.max(other, logits[i]!);
  return target === null ? other - logits[own]! : logits[own]! - other;
}

/**
 * What a point is worth: null where it is not adversarial, or lies outside of the box or the ball; else its distance
 * and margin.
 */
export function judge(
  x: Float32Array,
  logits: Float32Array,
  sample: Sample,
  attack: Pick<Attack, "norm">,
  goal: Goal,
): Omit<Found, "x" | "logits"> | null {
  if (!isAdversarial(logits, sample, goal)) return null;
  const { lower, upper } = sample;
  for (let i = 0; i < x.length; i++) if (!(x[i]! >= lower[i]! && x[i]! <= upper[i]!)) return null;
  const distance = distanceOf(norms[attack.norm], x, sample.x);
  if (!(distance <= sample.epsilon)) return null;
  return { distance, margin: marginOf(logits, sample) };
}
