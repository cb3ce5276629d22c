import type { Attack } from "../attack.js";
import type { Target } from "../classifier.js";
import { rangeMismatch } from "../expect-argument.js";
import { certify, distancesOf } from "./certificate.js";
import { type Goal, marginOf, predictionOf } from "./judge.js";
import type { Oracle } from "./oracle.js";
import { readRows } from "./read-arguments.js";
import type { SampleResult } from "./result.js";
import type { RunOptions } from "./run-options.js";
import type { Earlier, Running } from "./running-sample.js";

/** Looks at every image that was found again, and says what came of every sample. */
export async function finish(
  oracle: Oracle,
  target: Target,
  attack: Attack,
  goal: Goal,
  running: readonly Running[],
  breathe: () => Promise<void>,
): Promise<{ adversarial: Float32Array; samples: SampleResult[] }> {
  const length = running[0]!.sample.x.length;
  const adversarial = new Float32Array(running.length * length);
  const samples: SampleResult[] = [];
  for (const [i, each] of running.entries()) {
    const { sample, found, clean, queries, gradients, firstSuccess, finished, earlier } = each;
    if (earlier?.sample.finished) {
      adversarial.set(earlier.adversarial, i * length);
      samples.push(earlier.sample);
      continue;
    }
    const seen = found && (await certify(oracle, target, found.x, sample, attack.norm, goal, queries));
    const certificate = seen?.certificate ?? null;
    const success =
      certificate !== null && [certificate.inBounds, certificate.inBall, certificate.alone].every(Boolean);
    const returned = success ? found!.x : sample.x;
    adversarial.set(returned, i * length);
    const cleanPrediction = clean === null ? -1 : predictionOf(clean);
    const logits = success ? seen!.logits : clean;
    samples.push({
      id: sample.id,
      label: sample.label,
      target: sample.target,
      cleanPrediction,
      prediction: success ? seen!.prediction : cleanPrediction,
      success,
      distances: distancesOf(returned, sample.x),
      margin: logits === null ? Number.NaN : marginOf(logits, sample),
      queries: queries + (earlier?.sample.queries ?? 0),
      gradients: gradients + (earlier?.sample.gradients ?? 0),
      firstSuccess,
      by: success && found!.distance > 0 ? (each.foundBy ?? attack.name) : null,
      passed: each.passed,
      finished,
      certificate,
    });
    await breathe();
  }
  return { adversarial, samples };
}

/** What a run before this one came to, by the ids of the samples. */
export async function earlierResults(
  caller: string,
  resume: RunOptions["resume"],
  length: number,
): Promise<ReadonlyMap<number, Earlier>> {
  if (resume === undefined) return new Map();
  const { samples, adversarial } = resume;
  if (adversarial.size !== samples.length * length) {
    throw rangeMismatch(`${caller}: resume`, `${samples.length} images like those of x`, adversarial.shape);
  }
  const rows = await readRows(adversarial);
  return new Map(samples.map((sample, i) => [sample.id, { sample, adversarial: rows[i]! }]));
}
