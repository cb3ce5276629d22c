import { permutation, randomStream } from "@gradlab/random";
import { expectBetween, expectInteger } from "./expect-values.js";
import {
  adapt,
  copyMadaline,
  emptyResponses,
  forward,
  forwardFrom,
  hamming,
  type Madaline,
  type Responses,
  toPatterns,
} from "./madaline.js";
import type { Matrix, MatrixLike } from "./matrix.js";

/** What Madaline Rule II takes beside the net and the patterns. */
export interface MadalineRule2Options {
  /** Step of α-LMS in (0, 1]; 0.3 unless given. At 1 an accepted unit flips at once, and many starts stall. */
  readonly rate?: number;
  /** Passes over the patterns at most, each in a new random order; 100 unless given. */
  readonly epochs?: number;
  /** Trial flips of single units (1), then of pairs (2), then of triples (3); 2 unless given. */
  readonly flips?: number;
  /** Passes are cut short when this many forward passes of one pattern have been made; no limit unless given. */
  readonly maxEvaluations?: number;
  /** Of the order of the patterns; 0 unless given. */
  readonly seed?: number;
}

/** What the training of a Madaline has come to. */
export interface MadalineResult {
  /** The trained net; the one that was given is as it was. */
  readonly net: Madaline;
  /** Whether every output is right for every pattern. */
  readonly solved: boolean;
  /** `[epochs done + 1]`, the wrong outputs over all patterns, at the start and after every epoch. */
  readonly errors: Float64Array;
  /** Forward passes of one pattern, full or from a flipped layer on, those of counting errors included. */
  readonly evaluations: number;
  /** How many trial flips were accepted. */
  readonly accepted: number;
  /** `Σ ‖Δw‖` over all updates of a unit: how much was disturbed. */
  readonly disturbance: number;
}

/**
 * Madaline Rule II, for networks whose layers are all adaptive: minimal disturbance without gradients.
 *
 * For a pattern with wrong outputs, layer by layer from the first: the outputs of units, then of pairs of them, are
 * flipped in trial, those with the smallest `|s|` (for a pair the sum of both) first. The first flip that leaves fewer
 * outputs wrong is accepted: its units are adapted toward it by α-LMS. Then the next layer has its turn with what is
 * still wrong, and output units that are wrong in the end are adapted to their targets.
 *
 * Unlike the paper, which adapts until a unit has flipped, `rate` below 1 only moves it closer, one group a layer and
 * presentation: where it has not flipped yet, the output unit moves too. With `rate` 1 an output unit that listens to
 * few of its inputs never changes, because some hidden flip always helps, and training stalls.
 *
 * @param net The start; copied.
 * @param X `[K, inputs + 1]`, patterns of 1, then -1 or 1 (`truthTable`).
 * @param T `[K, outputs]`, wanted outputs, each -1 or 1.
 * @throws {TypeError | RangeError} when an argument is not as stated.
 * @see Winter & Widrow 1988, "Madaline Rule II: a training algorithm for neural networks",
 *   https://doi.org/10.1109/ICNN.1988.23872; Widrow & Lehr 1990, §V, https://doi.org/10.1109/5.58323
 */
export function madalineRule2(
  net: Madaline,
  X: MatrixLike,
  T: MatrixLike,
  {
    rate = 0.3,
    epochs = 100,
    flips = 2,
    maxEvaluations = Number.MAX_SAFE_INTEGER,
    seed = 0,
  }: MadalineRule2Options = {},
): MadalineResult {
  const { x, t } = toPatterns("madalineRule2", net, X, T);
  expectBetween("madalineRule2: rate", rate, 0, 1, true);
  expectInteger("madalineRule2: epochs", epochs, 1);
  expectInteger("madalineRule2: flips", flips, 1, 3);
  expectInteger("madalineRule2: maxEvaluations", maxEvaluations, 1);
  expectInteger("madalineRule2: seed", seed, 0);
  const training: Training = {
    net: copyMadaline(net),
    responses: emptyResponses(net),
    groups: net.sizes.slice(1, -1).map((units) => groupsOf(units, flips)),
    rate,
    evaluations: 0,
    accepted: 0,
    disturbance: 0,
  };
  const order = randomStream({ seed, purpose: "lms: pattern order" });
  const errors = [errorsOver(training, x, t)];
  for (let epoch = 0; epoch < epochs && errors.at(-1)! > 0; epoch++) {
    for (const k of permutation(order, x.rows)) {
      if (training.evaluations >= maxEvaluations) break;
      learn(training, x, t, k);
    }
    if (training.evaluations >= maxEvaluations) break;
    errors.push(errorsOver(training, x, t));
  }
  const { evaluations, accepted, disturbance } = training;
  return {
    net: training.net,
    solved: errors.at(-1) === 0,
    errors: Float64Array.from(errors),
    evaluations,
    accepted,
    disturbance,
  };
}

interface Training {
  readonly net: Madaline;
  readonly responses: Responses;
  /** The groups of units to flip, by layer. */
  readonly groups: readonly (readonly Group[])[];
  readonly rate: number;
  evaluations: number;
  accepted: number;
  disturbance: number;
}

type Group = readonly number[];

/** All groups of at most `size` of the units, small ones first. */
function groupsOf(units: number, size: number): Group[] {
  let last: Group[] = [[]];
  const all: Group[] = [];
  for (let n = 1; n <= Math.min(size, units); n++) {
    last = last.flatMap((group) =>
      Array.from({ length: units - ((group.at(-1) ?? -1) + 1) }, (_, i) => [
        ...group,
        (group.at(-1) ?? -1) + 1 + i,
      ]),
    );
    all.push(...last);
  }
  return all;
}

function errorsOver(training: Training, x: Matrix, t: Matrix): number {
  let errors = 0;
  for (let k = 0; k < x.rows; k++) {
    forward(training.net, x.data, k * x.columns, training.responses);
    training.evaluations += 1;
    errors += hamming(training.responses, t, k);
  }
  return errors;
}

/** One presentation of pattern k. */
function learn(training: Training, x: Matrix, t: Matrix, k: number): void {
  const { net, responses, groups, rate } = training;
  const at = k * x.columns;
  forward(net, x.data, at, responses);
  training.evaluations += 1;
  let errors = hamming(responses, t, k);
  for (let layer = 0; layer < groups.length && errors > 0; layer++) {
    const sums = responses.sums[layer]!;
    const outputs = responses.outputs[layer]!;
    const confidence = (group: Group) => group.reduce((sum, unit) => sum + Math.abs(sums[unit]!), 0);
    const inOrder = groups[layer]!.toSorted((a, b) => a.length - b.length || confidence(a) - confidence(b));
    let helpful: Group | undefined;
    for (const group of inOrder) {
      flip(outputs, group);
      forwardFrom(net, layer + 1, responses);
      training.evaluations += 1;
      const fewer = hamming(responses, t, k) < errors;
      flip(outputs, group);
      if (!fewer) continue;
      helpful = group;
      break;
    }
    if (helpful === undefined) {
      forwardFrom(net, layer + 1, responses); // trial flips have left their traces in the layers above
      continue;
    }
    training.accepted += 1;
    for (const unit of helpful) {
      training.disturbance += adapt(net, layer, unit, -outputs[unit]!, rate, responses, x.data, at);
    }
    forward(net, x.data, at, responses);
    training.evaluations += 1;
    errors = hamming(responses, t, k);
  }
  if (errors === 0) return;
  const last = net.layers.length - 1;
  for (let unit = 0; unit < t.columns; unit++) {
    const wanted = t.data[k * t.columns + unit]!;
    if (responses.outputs[last]![unit] === wanted) continue;
    training.disturbance += adapt(net, last, unit, wanted, rate, responses, x.data, at);
  }
}

function flip(outputs: Float64Array, group: Group): void {
  for (const unit of group) outputs[unit] = -outputs[unit]!;
}
