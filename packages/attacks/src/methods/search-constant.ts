import { marginOf } from "../driver/judge.js";
import type { Steps } from "../driver/query.js";
import type { Sample } from "../driver/sample.js";

/**
 * The constant between distance and misclassification that gives the nearest image: ten times as large until an image is
 * found, then halved between what was too small and what was large enough; each sample by itself.
 *
 * @param round One optimization with a constant: whether it has found an image.
 */
export function* searchConstant(
  { initial, searches }: { readonly initial: number; readonly searches: number },
  round: (constant: number) => Steps<boolean>,
): Steps {
  let constant = initial;
  let [low, high] = [0, Number.POSITIVE_INFINITY];
  for (let k = 0; k < searches; k++) {
    // The last of many tries as hard as it can.
    if (k === searches - 1 && searches >= 10) constant = Math.min(high, 1e10);
    if (yield* round(constant)) high = constant;
    else low = constant;
    constant = Number.isFinite(high) ? (low + high) / 2 : constant * 10;
  }
}

/** Whether these logits are what is looked for, by the confidence of the sample. */
export function isReached(logits: Float32Array, sample: Sample): boolean {
  const ahead = marginOf(logits, sample);
  return sample.confidence > 0 ? ahead >= sample.confidence : ahead > 0;
}
