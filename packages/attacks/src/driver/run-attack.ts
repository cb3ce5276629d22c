import { breather, expectShape } from "@gradlab/core";
import { Tensor, tensor } from "@tensorflow/tfjs-core";
import type { Attack } from "../attack.js";
import { expectTarget, type Target } from "../classifier.js";
import { rangeMismatch, typeMismatch } from "../expect-argument.js";
import { expectAtLeast0, expectInteger } from "../expect-values.js";
import { type Preflight, preflight } from "../preflight.js";
import { certify, distancesOf } from "./certificate.js";
import { type Draws, seededDraws } from "./draws.js";
import { type Goal, judge, marginOf, predictionOf } from "./judge.js";
import { type Asked, type Oracle, oracleOf } from "./oracle.js";
import { type Answer, logitsAt, type Query, type Steps } from "./query.js";
import {
  expectInBounds,
  type Labels,
  type PerSample,
  readEpsilon,
  readLabels,
  readLike,
  readRows,
} from "./read-arguments.js";
import { type AttackResult, type SampleResult, summarize } from "./result.js";
import type { Found, Sample } from "./sample.js";

export interface RunOptions {
  /** The largest distance, in the norm of the attack: one for all samples, or one for each. */
  readonly epsilon?: PerSample;
  /** The classes to arrive at; untargeted without. */
  readonly targets?: Labels;
  /** Of everything random; 0 unless given. */
  readonly seed?: number;
  /** What keys the random numbers of each sample, its place in `x` unless given. Shards of one set name their samples. */
  readonly ids?: readonly number[];
  /** How many images go through the classifier at once, 64 unless given. No result depends on it. */
  readonly batchSize?: number;
  /** 1 where a number of an image may change and 0 where not: `[n, ...]`, or the shape of one image. */
  readonly mask?: Tensor;
  /** Bounds of each number, inside those of the classifier: `[n, ...]`, or the shape of one image. */
  readonly box?: { readonly lower: Tensor; readonly upper: Tensor };
  /** Where to begin: `[n, ...]`. What the attack would draw for a first start is not drawn. */
  readonly start?: Tensor;
  /** Random numbers in place of seeded ones, for comparisons with other programs. */
  readonly draws?: (purpose: string, id: number) => Draws;
  /**
   * By how much a wrong class, or the target, has to be ahead for the attack to be content; 0 unless given. When an image
   * is looked at again, being ahead is enough.
   */
  readonly confidence?: number;
  /** In place of that: a rule of one's own. */
  readonly criterion?: Goal["criterion"];
  /**
   * When an attack is through with a sample: at the first adversarial image, or when it has done all its steps, of which
   * the best is kept (the largest margin, or the smallest distance). `"first"` for a goal within ε, `"best"` for the
   * nearest one, unless given.
   */
  readonly until?: "first" | "best";
  /** Whether to look at the classifier first, as is usual; or what such a look has shown before. */
  readonly preflight?: boolean | Preflight;
  /**
   * What an interrupted run has come to: samples that it was through with are taken from there, the others (by their
   * ids) go on with the attack of an ensemble that they had not passed.
   */
  readonly resume?: Pick<AttackResult, "samples" | "adversarial">;
  /** An abort ends the attack with the best images so far. */
  readonly signal?: AbortSignal;
}

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

/** One sample on its way. */
interface Running {
  readonly sample: Sample;
  readonly judge: (x: Float32Array, logits: Float32Array) => Omit<Found, "x" | "logits"> | null;
  readonly better: (a: Omit<Found, "x" | "logits">, b: Found) => boolean;
  readonly steps: Steps;
  asked: readonly Query[];
  answers: Answer[];
  found: Found | null;
  clean: Float32Array | null;
  queries: number;
  gradients: number;
  firstSuccess: SampleResult["firstSuccess"];
  finished: boolean;
  /** The attack of an ensemble that is at work. */
  stage: string | null;
  foundBy: string | null;
  readonly passed: string[];
  /** What a run before this one came to. */
  readonly earlier: Earlier | null;
}

interface Earlier {
  readonly sample: SampleResult;
  readonly adversarial: Float32Array;
}

type Given = Pick<
  Sample,
  "id" | "label" | "target" | "epsilon" | "lower" | "upper" | "x" | "shape" | "start"
>;

function begin(
  attack: Attack,
  goal: Goal,
  given: Given,
  { classes }: Target,
  options: RunOptions,
  earlier: Earlier | null,
): Running {
  const { seed = 0, draws } = options;
  const known = new Map<string, Draws>();
  const drawsOf = (purpose: string) => {
    const own =
      known.get(purpose) ?? draws?.(purpose, given.id) ?? seededDraws(seed, `attacks ${purpose}`, given.id);
    known.set(purpose, own);
    return own;
  };
  const sample: Sample = {
    ...given,
    classes,
    confidence: goal.confidence,
    draws: drawsOf,
    found: () => running.found,
    enter: (name) => {
      if (running.stage !== null) running.passed.push(running.stage);
      running.stage = name;
    },
    passed: (name) => running.passed.includes(name),
    get clean() {
      return running.clean!;
    },
  };
  const running: Running = {
    sample,
    judge: (x, logits) => judge(x, logits, sample, attack, goal),
    better: (a, b) => (attack.goal === "nearest" ? a.distance < b.distance : a.margin > b.margin),
    steps: wholeRun(attack, sample, (clean) => {
      running.clean = clean;
    }),
    asked: [],
    answers: [],
    found: null,
    clean: null,
    queries: 0,
    gradients: 0,
    firstSuccess: null,
    finished: earlier?.sample.finished ?? false,
    stage: null,
    foundBy: null,
    passed: [...(earlier?.sample.passed ?? [])],
    earlier,
  };
  if (running.finished) return running;
  running.asked = running.steps.next().value as readonly Query[];
  return running;
}

/** The first look at an image, which may be the last; then the attack. */
function* wholeRun(attack: Attack, sample: Sample, keep: (clean: Float32Array) => void): Steps {
  keep(yield* logitsAt(sample.x));
  if (sample.found() === null) yield* attack.run(sample);
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

/** Judges what was asked for, and lets the attack go on with the answers. */
function advance(running: Running, until: "first" | "best"): void {
  const { asked, answers } = running;
  // An abort left questions unanswered.
  if (asked.some((_, i) => answers[i] === undefined)) return;
  running.gradients += asked.filter(({ loss }) => loss !== undefined).length;
  for (const [i, { x }] of asked.entries()) {
    running.queries++;
    const { logits } = answers[i]!;
    const worth = running.judge(x, logits);
    if (worth === null) continue;
    running.firstSuccess ??= { queries: running.queries, gradients: running.gradients };
    if (running.found === null || running.better(worth, running.found)) {
      running.foundBy = running.stage;
      running.found = { ...worth, x: x.slice(), logits };
    }
  }
  // The image itself is adversarial: nothing is nearer.
  const isClean = running.clean === null && running.found !== null;
  if (isClean) running.clean = answers[0]!.logits;
  if (isClean || (until === "first" && running.found !== null)) {
    running.steps.return(undefined);
    running.finished = true;
    return;
  }
  const next = running.steps.next(answers);
  running.finished = next.done === true;
  if (next.done && running.stage !== null && running.found === null) running.passed.push(running.stage);
  if (!next.done) running.asked = next.value;
}

async function finish(
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
async function earlierResults(
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

type Prepared = Pick<Sample, "id" | "label" | "target" | "epsilon" | "lower" | "upper">;

/** Everything about the samples that has to be checked. */
async function prepare(
  caller: string,
  classifier: Target,
  images: readonly Float32Array[],
  x: Tensor,
  labels: Labels,
  { epsilon, targets, ids, mask, box }: RunOptions,
): Promise<Prepared[]> {
  const n = images.length;
  const { classes } = classifier;
  const classesOf = await readLabels(`${caller}: labels`, labels, n, classes);
  const aims = targets === undefined ? null : await readLabels(`${caller}: targets`, targets, n, classes);
  const radii = epsilon === undefined ? null : readEpsilon(`${caller}: epsilon`, epsilon, n);
  const names = ids ?? images.map((_, i) => i);
  if (names.length !== n || new Set(names).size !== n) {
    throw rangeMismatch(`${caller}: ids`, `${n} different integers`, names);
  }
  for (const [i, id] of names.entries()) expectInteger(`${caller}: ids[${i}]`, id, 0);
  for (const [i, aim] of (aims ?? []).entries()) {
    if (aim === classesOf[i]) {
      throw new RangeError(`${caller}: targets[${i}]: expected another class than the label, got ${aim}`);
    }
  }
  const [lowest, highest] = classifier.bounds.map(Math.fround) as [number, number];
  const whole = images[0]!.length;
  const lower = box ? await readLike(`${caller}: box.lower`, box.lower, x) : constantRows(n, whole, lowest);
  const upper = box ? await readLike(`${caller}: box.upper`, box.upper, x) : constantRows(n, whole, highest);
  for (const [i, row] of lower.entries()) {
    if (row.some((value, k) => !(value >= lowest && value <= upper[i]![k]! && upper[i]![k]! <= highest))) {
      throw new RangeError(
        `${caller}: box: expected ${lowest} <= lower <= upper <= ${highest}, got something else for image ${i}`,
      );
    }
  }
  expectInBounds(`${caller}: x`, images, lower, upper, classifier);
  const masks = mask === undefined ? null : await readLike(`${caller}: mask`, mask, x);
  for (const row of masks ?? []) {
    const wrong = row.find((value) => value !== 0 && value !== 1);
    if (wrong !== undefined) throw rangeMismatch(`${caller}: mask`, "ones and zeros", wrong);
  }
  // What the mask leaves alone has itself as its bounds.
  const masked = (bound: Float32Array, i: number) =>
    masks === null ? bound : bound.map((value, k) => (masks[i]![k] === 1 ? value : images[i]![k]!));
  return images.map((_, i) => ({
    id: names[i]!,
    label: classesOf[i]!,
    target: aims?.[i] ?? null,
    epsilon: radii?.[i] ?? Number.POSITIVE_INFINITY,
    lower: masked(lower[i]!, i),
    upper: masked(upper[i]!, i),
  }));
}

function constantRows(n: number, length: number, value: number): Float32Array[] {
  const row = new Float32Array(length).fill(value);
  return Array.from({ length: n }, () => row);
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

function expectImages(caller: string, x: Tensor): void {
  if (!(x instanceof Tensor)) throw typeMismatch(`${caller}: x`, "a tensor of images", x);
  if (x.dtype !== "float32") throw new TypeError(`${caller}: x: expected float32, got ${x.dtype}`);
  if (x.rank < 2 || x.size === 0) {
    expectShape(`${caller}: x`, x, [null, null, null, null]);
    throw rangeMismatch(`${caller}: x`, "at least one image", x.shape);
  }
}

function expectAttack(caller: string, attack: Attack, target: Target, options: RunOptions): void {
  if (typeof attack?.run !== "function") {
    throw typeMismatch(`${caller}: attack`, "an attack, such as pgd() makes", attack);
  }
  const { name, needs, targeting, goal } = attack;
  const { epsilon, targets, seed = 0, batchSize = 64, confidence = 0, until = "best" } = options;
  const gives = "predict" in target ? target.gives : "gradients";
  const order = ["decisions", "scores", "gradients"];
  if (order.indexOf(gives) < order.indexOf(needs)) {
    throw new TypeError(`${caller}: classifier: ${name} needs ${needs}, and it gives ${gives}`);
  }
  if (goal === "within" && epsilon === undefined) {
    throw typeMismatch(`${caller}: epsilon`, `how far ${name} may go`, epsilon);
  }
  if (targeting === "targeted" && targets === undefined) {
    throw typeMismatch(`${caller}: targets`, `a class for each image, which ${name} aims at`, targets);
  }
  if (targeting === "untargeted" && targets !== undefined) {
    throw new TypeError(`${caller}: targets: ${name} is untargeted: leave them out, or take another attack`);
  }
  expectInteger(`${caller}: seed`, seed, 0);
  expectInteger(`${caller}: batchSize`, batchSize, 1);
  expectAtLeast0(`${caller}: confidence`, confidence);
  if (until !== "first" && until !== "best") {
    throw rangeMismatch(`${caller}: until`, '"first" or "best"', until);
  }
}
