import type { Attack } from "../attack.js";
import type { Target } from "../classifier.js";
import { type Draws, seededDraws } from "./draws.js";
import { type Goal, judge } from "./judge.js";
import { type Answer, logitsAt, type Query, type Steps } from "./query.js";
import type { SampleResult } from "./result.js";
import type { RunOptions } from "./run-options.js";
import type { Found, Sample } from "./sample.js";

/** One sample on its way. */
export interface Running {
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

export interface Earlier {
  readonly sample: SampleResult;
  readonly adversarial: Float32Array;
}

type Given = Pick<
  Sample,
  "id" | "label" | "target" | "epsilon" | "lower" | "upper" | "x" | "shape" | "start"
>;

/** A sample with its attack at the first question. */
export function begin(
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

/** Judges what was asked for, and lets the attack go on with the answers. */
export function advance(running: Running, until: "first" | "best"): void {
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
