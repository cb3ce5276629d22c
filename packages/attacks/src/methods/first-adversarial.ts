import { isAdversarial } from "../driver/judge.js";
import { logitsAt, type Steps } from "../driver/query.js";
import type { Sample } from "../driver/sample.js";

/** Whether a decision is what is looked for: attacks that know decisions alone have no margin. */
export function decides(logits: Float32Array, sample: Sample): boolean {
  return isAdversarial(logits, sample, { confidence: 0, criterion: null });
}

/**
 * An adversarial image to begin with: the start that was given, or uniform noise, blended into the image as little as
 * it takes by halving; null where none of the tries is adversarial.
 */
export function* firstAdversarial(sample: Sample, purpose: string, tries = 100): Steps<Float32Array | null> {
  const { x, lower, upper } = sample;
  const draws = sample.draws(purpose);
  for (let k = 0; k < tries; k++) {
    const noise = draws.uniform(x.length);
    const far =
      k === 0 && sample.start !== null
        ? sample.start
        : x.map((_, i) => lower[i]! + noise[i]! * (upper[i]! - lower[i]!));
    if (!decides(yield* logitsAt(far), sample)) continue;
    return yield* onBoundary(sample, far, (point, share) => between(x, point, share), 1e-3);
  }
  return null;
}

/** The last adversarial point on the way from a far one to the image, by halving. */
export function* onBoundary(
  sample: Sample,
  far: Float32Array,
  at: (far: Float32Array, share: number) => Float32Array,
  threshold: number,
): Steps<Float32Array> {
  let [low, high] = [0, 1];
  let best = far;
  while (high - low > threshold) {
    const middle = (low + high) / 2;
    const point = at(far, middle);
    if (decides(yield* logitsAt(point), sample)) [high, best] = [middle, point];
    else low = middle;
  }
  return best;
}

/** `a + share · (b - a)`. */
export function between(a: Float32Array, b: Float32Array, share: number): Float32Array {
  return a.map((value, i) => value + share * (b[i]! - value));
}
