import type { Tensor } from "@tensorflow/tfjs-core";
import type { NormName } from "../norms/norm.js";
import type { Preflight } from "../preflight.js";
import type { Certificate, Distances } from "./certificate.js";

/** What came of one sample. */
export interface SampleResult {
  readonly id: number;
  readonly label: number;
  readonly target: number | null;
  /** Of the image as it was given. */
  readonly cleanPrediction: number;
  /** Of the returned image, in a batch of its own. */
  readonly prediction: number;
  /** An adversarial image was found, and every check of the certificate but that of 8 bits holds. */
  readonly success: boolean;
  /** Of the returned image; all 0 where it is the one that was given. */
  readonly distances: Distances;
  /** By how much a wrong class (or the target) is ahead in the returned image; negative where it is behind. */
  readonly margin: number;
  /** How many times the classifier was asked, the first look at the image included. */
  readonly queries: number;
  /** How many of these asked for a gradient. */
  readonly gradients: number;
  /** The same counts when the first adversarial image was found; null where none was. */
  readonly firstSuccess: { readonly queries: number; readonly gradients: number } | null;
  /** The attack of an ensemble that found the image; null where none did, or none was needed. */
  readonly by: string | null;
  /** The attacks of an ensemble that are through with the sample and have found nothing: where a resumed run goes on. */
  readonly passed: readonly string[];
  /** False where the attack was interrupted before it was through with the sample. */
  readonly finished: boolean;
  /** Null where nothing was found. */
  readonly certificate: Certificate | null;
}

export interface AttackSummary {
  readonly samples: number;
  /** Classified right as they were given. */
  readonly correct: number;
  /** Of these, those that no adversarial image was found of. */
  readonly standing: number;
  readonly cleanAccuracy: number;
  /** Of all samples: right, and without an adversarial image. */
  readonly robustAccuracy: number;
  /** Of the samples that were right, those that an adversarial image was found of; null where none was right. */
  readonly successOfCorrect: number | null;
  /** Of all samples: with an adversarial image, were it the one that was given. */
  readonly successOfAll: number;
  /** Of the found images, in the norm of the attack; null where none was found. */
  readonly medianDistance: number | null;
  readonly queries: number;
  readonly gradients: number;
}

export interface AttackResult {
  readonly attack: string;
  readonly norm: NormName;
  /** Null where none was given; several where samples have their own. */
  readonly epsilon: number | readonly number[] | null;
  readonly seed: number;
  /** `[n, ...]`: the adversarial images, and those that were given where none was found. The caller disposes it. */
  readonly adversarial: Tensor;
  readonly samples: readonly SampleResult[];
  readonly summary: AttackSummary;
  /** What the look at the classifier brought up; null where it was left out. */
  readonly preflight: Preflight | null;
  /** The signal came before all samples were through; what was found until then is there. */
  readonly interrupted: boolean;
}

export function summarize(samples: readonly SampleResult[], norm: NormName): AttackSummary {
  const correct = samples.filter(({ cleanPrediction, label }) => cleanPrediction === label);
  const fallen = correct.filter(({ success }) => success);
  const found = samples.filter(({ success }) => success);
  const distances = found.map((each) => each.distances[norm]).sort((a, b) => a - b);
  const sum = (of: (sample: SampleResult) => number) => samples.reduce((total, each) => total + of(each), 0);
  const share = (count: number) => (samples.length === 0 ? 0 : count / samples.length);
  return {
    samples: samples.length,
    correct: correct.length,
    standing: correct.length - fallen.length,
    cleanAccuracy: share(correct.length),
    robustAccuracy: share(correct.length - fallen.length),
    successOfCorrect: correct.length === 0 ? null : fallen.length / correct.length,
    successOfAll: share(found.length),
    medianDistance: distances.length === 0 ? null : medianOf(distances),
    queries: sum(({ queries }) => queries),
    gradients: sum(({ gradients }) => gradients),
  };
}

function medianOf(sorted: readonly number[]): number {
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
