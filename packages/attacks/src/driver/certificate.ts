import type { Bounds, Target } from "../classifier.js";
import { differenceOf, type NormName } from "../norms/norm.js";
import { norms } from "../norms/norms.js";
import { type Goal, isAdversarial, predictionOf } from "./judge.js";
import type { Oracle } from "./oracle.js";
import type { Sample } from "./sample.js";

/** What was found when an image was looked at again, outside of the attack. */
export interface Certificate {
  /** Every number lies in the bounds, and is what it was where the mask leaves it alone. */
  readonly inBounds: boolean;
  /** At most ε away, in double precision; true where no ε was given. */
  readonly inBall: boolean;
  /** Adversarial in a batch of its own. */
  readonly alone: boolean;
  /** Still adversarial with every number rounded to one of 256 levels of the bounds. */
  readonly eightBits: boolean;
}

export type Distances = Readonly<Record<NormName, number>>;

/** How far an image is from another, in double precision. */
export function distancesOf(a: ArrayLike<number>, b: ArrayLike<number>): Distances {
  const delta = differenceOf(a, b);
  const { linf, l2, l1, l0 } = norms;
  return { linf: linf.size(delta), l2: l2.size(delta), l1: l1.size(delta), l0: l0.size(delta) };
}

/** Numbers rounded to 256 levels of the bounds, as a picture of 8 bits has them. */
export function roundToEightBits(x: Float32Array, [lowest, highest]: Bounds): Float32Array {
  return x.map(
    (value) =>
      lowest + (Math.round(((value - lowest) / (highest - lowest)) * 255) / 255) * (highest - lowest),
  );
}

interface Certified {
  readonly certificate: Certificate;
  /** In a batch of its own. */
  readonly prediction: number;
  readonly logits: Float32Array;
}

/** Looks at an image again, alone, and as a picture of 8 bits. */
export async function certify(
  oracle: Oracle,
  target: Target,
  x: Float32Array,
  sample: Sample,
  norm: NormName,
  goal: Goal,
  query: number,
): Promise<Certified> {
  const alone = async (image: Float32Array, after: number) => {
    const asked = { x: image, row: { id: sample.id, query: query + after }, loss: null, label: 0, target: 0 };
    return (await oracle.ask([asked], false)).logits.slice();
  };
  const logits = await alone(x, 0);
  const rounded = await alone(roundToEightBits(x, target.bounds), 1);
  const { lower, upper } = sample;
  return {
    certificate: {
      inBounds: x.every((value, i) => value >= lower[i]! && value <= upper[i]!),
      inBall: norms[norm].size(differenceOf(x, sample.x)) <= sample.epsilon,
      alone: isAdversarial(logits, sample, goal),
      eightBits: isAdversarial(rounded, sample, goal),
    },
    prediction: predictionOf(logits),
    logits,
  };
}
