import { gather, type Tensor, tensor1d } from "@tensorflow/tfjs-core";
import type { Attack } from "../attack.js";
import type { Target } from "../classifier.js";
import { type Labels, readLabels } from "../driver/read-arguments.js";
import { stepsOf } from "../driver/run-attack.js";
import type { RunOptions } from "../driver/run-options.js";
import { rangeMismatch, typeMismatch } from "../expect-argument.js";
import { expectAtLeast0 } from "../expect-values.js";
import type { NormName } from "../norms/norm.js";
import type { Preflight } from "../preflight.js";

export interface EvaluateOptions
  extends Pick<RunOptions, "seed" | "ids" | "batchSize" | "mask" | "preflight" | "signal"> {
  /** Radii of the curve, from the smallest to the largest. */
  readonly epsilons: readonly number[];
}

/** How far a sample stands, as far as the attacks know. */
export interface SampleRobustness {
  readonly id: number;
  readonly label: number;
  readonly cleanPrediction: number;
  /** Of the nearest adversarial image that was found: 0 where it is the one given, null where none was. */
  readonly distance: number | null;
  /** The attack that found it. */
  readonly by: string | null;
  readonly queries: number;
  readonly gradients: number;
}

export interface CurvePoint {
  readonly epsilon: number;
  /** Samples that are right and have no known adversarial image within ε. */
  readonly standing: number;
  /** Their share of all samples. */
  readonly robustAccuracy: number;
  /** Their share of the samples that are right; null where none is. */
  readonly ofCorrect: number | null;
}

export interface RobustnessResult {
  readonly norm: NormName;
  readonly attacks: readonly string[];
  readonly samples: readonly SampleRobustness[];
  readonly summary: RobustnessSummary;
  readonly preflight: Preflight | null;
  /** The signal came before all attacks were through. */
  readonly interrupted: boolean;
}

export interface RobustnessSummary {
  readonly samples: number;
  readonly correct: number;
  readonly cleanAccuracy: number;
  /** Cannot rise with ε: a sample that has fallen stays so. */
  readonly curve: readonly CurvePoint[];
  /** Half of the samples that are right have an adversarial image at most so far away; null where half have none. */
  readonly medianDistance: number | null;
  readonly queries: number;
  readonly gradients: number;
}

/**
 * Robust accuracy under the worst of several attacks, as a curve over ε.
 *
 * Attacks that look for the nearest image run once. Those that look within ε run for each radius, on the samples that
 * still stand there. A sample's distance is that of the nearest image that any of them has found; so more attacks or
 * larger radii can only lower the curve.
 *
 * @param attacks Of one norm, untargeted.
 * @param x Images `[n, ...]` in the bounds of the classifier. Borrowed.
 * @returns Progress as it goes, the result in the end. Plain data.
 * @throws {TypeError | RangeError | ShapeError} as `runAttack` does, and when norms differ or radii do not grow.
 */
export async function* evaluateRobustness(
  classifier: Target,
  attacks: readonly Attack[],
  x: Tensor,
  labels: Labels,
  options: EvaluateOptions,
): AsyncGenerator<
  { readonly attack: string; readonly done: number; readonly total: number },
  RobustnessResult
> {
  const caller = "evaluateRobustness";
  const { epsilons, ids, preflight: wanted = true, signal, ...rest } = options;
  const norm = expectAttacks(caller, attacks);
  expectEpsilons(caller, epsilons);
  const n = x.shape[0]!;
  const classes = await readLabels(`${caller}: labels`, labels, n, classifier.classes);
  const names = ids ?? classes.map((_, i) => i);
  const known = new Map<number, SampleRobustness>();
  let preflight = typeof wanted === "object" ? wanted : null;
  let interrupted = false;
  const rounds = [
    ...attacks.filter(({ goal }) => goal === "nearest").map((attack) => ({ attack, epsilon: undefined })),
    ...epsilons.flatMap((epsilon) =>
      attacks.filter(({ goal }) => goal === "within").map((attack) => ({ attack, epsilon })),
    ),
  ];
  for (const { attack, epsilon } of rounds) {
    if (signal?.aborted) interrupted = true;
    if (interrupted) break;
    const standing = classes.flatMap((_, i) => {
      const distance = known.get(names[i]!)?.distance ?? null;
      return distance === null || distance > (epsilon ?? 0) ? [i] : [];
    });
    if (standing.length === 0) continue;
    const places = tensor1d(standing, "int32");
    const images = gather(x, places);
    places.dispose();
    try {
      const steps = stepsOf(
        caller,
        classifier,
        attack,
        images,
        standing.map((i) => classes[i]!),
        {
          ...rest,
          ...(epsilon !== undefined && { epsilon }),
          ...(signal && { signal }),
          ids: standing.map((i) => names[i]!),
          preflight: preflight ?? wanted,
        },
      );
      let next = await steps.next();
      for (; !next.done; next = await steps.next()) {
        yield { attack: attack.name, done: next.value.done, total: next.value.total };
      }
      const result = next.value;
      result.adversarial.dispose();
      preflight ??= result.preflight;
      interrupted ||= result.interrupted;
      for (const sample of result.samples) {
        const before = known.get(sample.id);
        const found = sample.success ? sample.distances[norm] : null;
        const isNearer = found !== null && (before?.distance == null || found < before.distance);
        known.set(sample.id, {
          id: sample.id,
          label: sample.label,
          cleanPrediction: sample.cleanPrediction,
          distance: isNearer ? found : (before?.distance ?? null),
          by: isNearer ? sample.by : (before?.by ?? null),
          queries: sample.queries + (before?.queries ?? 0),
          gradients: sample.gradients + (before?.gradients ?? 0),
        });
      }
    } finally {
      images.dispose();
    }
  }
  const samples = names.flatMap((id) => known.get(id) ?? []);
  return {
    norm,
    attacks: attacks.map(({ name }) => name),
    samples,
    summary: summarizeRobustness(samples, epsilons),
    preflight,
    interrupted,
  };
}

/** The curve of samples, from wherever their parts were evaluated. */
export function summarizeRobustness(
  samples: readonly SampleRobustness[],
  epsilons: readonly number[],
): RobustnessSummary {
  const correct = samples.filter(({ label, cleanPrediction }) => label === cleanPrediction);
  const share = (count: number) => (samples.length === 0 ? 0 : count / samples.length);
  const distances = correct.map(({ distance }) => distance ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b);
  const median = distances[Math.ceil(distances.length / 2) - 1] ?? Number.POSITIVE_INFINITY;
  return {
    samples: samples.length,
    correct: correct.length,
    cleanAccuracy: share(correct.length),
    curve: epsilons.map((epsilon) => {
      const standing = distances.filter((distance) => distance > epsilon).length;
      return {
        epsilon,
        standing,
        robustAccuracy: share(standing),
        ofCorrect: correct.length === 0 ? null : standing / correct.length,
      };
    }),
    medianDistance: Number.isFinite(median) ? median : null,
    queries: samples.reduce((sum, { queries }) => sum + queries, 0),
    gradients: samples.reduce((sum, { gradients }) => sum + gradients, 0),
  };
}

function expectAttacks(caller: string, attacks: readonly Attack[]): NormName {
  const [first] = attacks;
  if (first === undefined) throw typeMismatch(`${caller}: attacks`, "at least one attack", attacks);
  const other = attacks.find(({ norm }) => norm !== first.norm);
  if (other !== undefined) {
    throw new RangeError(`${caller}: attacks: expected one norm, got ${first.norm} and ${other.norm}`);
  }
  const targeted = attacks.find(({ targeting }) => targeting === "targeted");
  if (targeted !== undefined) {
    throw new RangeError(`${caller}: attacks: expected untargeted ones, got ${targeted.name}`);
  }
  return first.norm;
}

function expectEpsilons(caller: string, epsilons: readonly number[]): void {
  if (!Array.isArray(epsilons) || epsilons.length === 0) {
    throw typeMismatch(`${caller}: epsilons`, "at least one radius", epsilons);
  }
  for (const [i, epsilon] of epsilons.entries()) {
    expectAtLeast0(`${caller}: epsilons[${i}]`, epsilon);
    if (i > 0 && epsilon <= epsilons[i - 1]!) {
      throw rangeMismatch(`${caller}: epsilons[${i}]`, `more than ${epsilons[i - 1]}`, epsilon);
    }
  }
}
