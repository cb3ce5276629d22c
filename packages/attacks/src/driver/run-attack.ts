import { breather } from "@gradlab/core";
import { type Tensor, tensor } from "@tensorflow/tfjs-core";
import type { Attack } from "../attack.js";
import { expectTarget, type Target } from "../classifier.js";
import { type Preflight, preflight } from "../preflight.js";
import type { Goal } from "./judge.js";
import { type Asked, type Oracle, oracleOf } from "./oracle.js";
import { expectAttack, expectImages, type Prepared, prepare } from "./prepare-samples.js";
import { type Labels, type PerSample, readLike, readRows } from "./read-arguments.js";
import { type AttackResult, summarize } from "./result.js";
import type { RunOptions } from "./run-options.js";
import { advance, begin, type Running } from "./running-sample.js";
import { earlierResults, finish } from "./sample-results.js";

export interface AttackProgress {
  /** Samples that the attack is through with. */
  readonly done: number;
  readonly total: number;
  /** Samples with an adversarial image. */
  readonly found: number;
  readonly queries: number;
}

/**
 * Attacks images, and looks at what it has found again.
 *
 * A sample's result depends on the classifier, the attack, the image, its label, target and ε, the seed and the sample's
 * id, and on nothing else: neither on the batch it is in, nor on the order, nor on other samples (to the bit where the
 * classifier computes a row in the same way in every batch, as on cpu and wasm).
 *
 * @param classifier Borrowed.
 * @param attack Of `fgsm`, `pgd`, …
 * @param x Images `[n, ...]` in the bounds of the classifier, float32. Borrowed.
 * @param labels Their classes.
 * @returns Adversarial images, the ones that were given where none was found, and what came of every sample.
 * @throws {TypeError | RangeError | ShapeError} when arguments are out of range or do not fit each other: before any
 *   step.
 */
export async function runAttack(
  classifier: Target,
  attack: Attack,
  x: Tensor,
  labels: Labels,
  options: RunOptions = {},
): Promise<AttackResult> {
  const steps = stepsOf("runAttack", classifier, attack, x, labels, options);
  for (;;) {
    const next = await steps.next();
    if (next.done) return next.value;
  }
}

/** `runAttack`, one turn each time the next progress is asked for. What it returns in the end is the result. */
export function attackSteps(
  classifier: Target,
  attack: Attack,
  x: Tensor,
  labels: Labels,
  options: RunOptions = {},
): AsyncGenerator<AttackProgress, AttackResult> {
  return stepsOf("attackSteps", classifier, attack, x, labels, options);
}

/** @param caller Begins the messages. */
export async function* stepsOf(
  caller: string,
  classifier: Target,
  attack: Attack,
  x: Tensor,
  labels: Labels,
  options: RunOptions,
): AsyncGenerator<AttackProgress, AttackResult> {
  const { seed = 0, batchSize = 64, signal, start } = options;
  expectTarget(caller, classifier);
  expectAttack(caller, attack, classifier, options);
  expectImages(caller, x);
  const [n, ...shape] = x.shape as [number, ...number[]];
  const images = await readRows(x);
  const prepared = await prepare(caller, classifier, images, x, labels, options);
  const oracle = oracleOf(caller, classifier, shape);
  const looked = await lookFirst(oracle, classifier, prepared, images, options);
  const goal: Goal = { confidence: options.confidence ?? 0, criterion: options.criterion ?? null };
  const starts = start === undefined ? null : await readLike(`${caller}: start`, start, x);
  const earlier = await earlierResults(caller, options.resume, images[0]!.length);
  const running = prepared.map((each, i) =>
    begin(
      attack,
      goal,
      { ...each, x: images[i]!, shape, start: starts?.[i] ?? null },
      classifier,
      options,
      earlier.get(each.id) ?? null,
    ),
  );
  const until = options.until ?? (attack.goal === "within" ? "first" : "best");
  const tally = { done: 0, found: 0, queries: 0 };
  const breathe = breather();
  const waiting = running.filter(({ finished }) => !finished);
  tally.done = n - waiting.length;
  tally.found = running.filter((each) => each.earlier?.sample.success && each.finished).length;
  let next = 0;
  let active: Running[] = [];
  while (!signal?.aborted) {
    while (active.length < batchSize && next < waiting.length) active.push(waiting[next++]!);
    if (active.length === 0) break;
    await answerAll(oracle, active, batchSize, signal);
    tally.queries += active.reduce((sum, { asked }) => sum + asked.length, 0);
    for (const each of active) advance(each, until);
    const through = active.filter(({ finished }) => finished);
    tally.done += through.length;
    tally.found += through.filter(({ found }) => found !== null).length;
    active = active.filter(({ finished }) => !finished);
    yield { ...tally, total: n };
    await breathe();
  }
  // A confidence is there to be used up by what differs when an image is looked at again.
  const again = { ...goal, confidence: 0 };
  const { adversarial, samples } = await finish(oracle, classifier, attack, again, running, breathe);
  return {
    attack: attack.name,
    norm: attack.norm,
    epsilon: epsilonOf(options.epsilon),
    seed,
    adversarial: tensor(adversarial, [n, ...shape], "float32"),
    samples,
    summary: summarize(samples, attack.norm),
    preflight: looked,
    interrupted: running.some(({ finished }) => !finished),
  };
}

function epsilonOf(epsilon: PerSample | undefined): AttackResult["epsilon"] {
  if (epsilon === undefined) return null;
  return typeof epsilon === "number" ? epsilon : Array.from(epsilon);
}

const nothing = new Float32Array(0);

/** Asks what all active samples want to know, in batches. */
async function answerAll(
  oracle: Oracle,
  active: readonly Running[],
  batchSize: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const all = active.flatMap((running) => {
    const { sample } = running;
    running.answers = [];
    return running.asked.map((query, i): Asked & { readonly running: Running; readonly place: number } => ({
      x: query.x,
      row: { id: sample.id, query: running.queries + i },
      loss: query.loss ?? null,
      label: query.label ?? sample.label,
      target: query.target ?? sample.target ?? sample.label,
      running,
      place: i,
    }));
  });
  const plain = all.filter(({ loss }) => loss === null);
  // Questions of one loss stand together.
  const losses = [...new Set(all.map(({ loss }) => loss))].filter((loss) => loss !== null);
  const sloped = losses.flatMap((loss) => all.filter((each) => each.loss === loss));
  for (const [rows, withGradients] of [
    [plain, false],
    [sloped, true],
  ] as const) {
    for (let from = 0; from < rows.length; from += batchSize) {
      if (signal?.aborted) return;
      const part = rows.slice(from, from + batchSize);
      const { logits, losses, gradients } = await oracle.ask(part, withGradients);
      const [classes, length] = [logits.length / part.length, part[0]!.x.length];
      for (const [i, { running, place }] of part.entries()) {
        running.answers[place] = {
          // Parts of what was read: an attack that keeps one keeps them all, and writes into none.
          logits: logits.subarray(i * classes, (i + 1) * classes),
          loss: losses?.[i] ?? Number.NaN,
          gradient: gradients?.subarray(i * length, (i + 1) * length) ?? nothing,
        };
      }
    }
  }
}

/** How many images are enough to see what is wrong with a classifier. */
const looks = 16;

async function lookFirst(
  oracle: Oracle,
  classifier: Target,
  prepared: readonly Prepared[],
  images: readonly Float32Array[],
  { preflight: wanted = true, batchSize = 64 }: RunOptions,
): Promise<Preflight | null> {
  if (wanted === false) return null;
  if (wanted !== true) return wanted;
  const few = Math.min(looks, batchSize, images.length);
  return preflight(
    oracle,
    classifier,
    images.slice(0, few),
    prepared.slice(0, few).map(({ label }) => label),
  );
}
