import { permutation, randomStream } from "@gradlab/random";
import { expectBetween, expectInteger, expectOneOf } from "./expect-values.js";
import {
  adapt,
  copyMadaline,
  countErrors,
  emptyResponses,
  forward,
  hamming,
  type Madaline,
  toPatterns,
} from "./madaline.js";
import type { MadalineResult } from "./madaline-rule-2.js";
import type { MatrixLike } from "./matrix.js";

const LOGICS = ["or", "and", "majority"] as const;

/** The fixed output of a Madaline I: true when one, all, or more than half of the units are. */
export type MadalineLogic = (typeof LOGICS)[number];

/** What Madaline Rule I takes beside the net and the patterns. */
export interface MadalineRule1Options {
  /** What the output unit computes; its weights are set to it and stay. */
  readonly logic: MadalineLogic;
  /** Step of α-LMS in (0, 2); 0.5 unless given. */
  readonly rate?: number;
  /** Passes over the patterns at most, each in a new random order; 100 unless given. */
  readonly epochs?: number;
  /** Of the order of the patterns; 0 unless given. */
  readonly seed?: number;
}

/**
 * Madaline Rule I: one layer of adaptive units under a fixed logic gate.
 *
 * Where the output is wrong, as few units as can put it right are adapted toward the other sign by α-LMS: those with
 * the smallest `|s|`, the easiest to turn.
 *
 * @param net `sizes` must be `[inputs, units, 1]`; copied, its last layer replaced by the gate.
 * @param X `[K, inputs + 1]`, patterns of 1, then -1 or 1 (`truthTable`).
 * @param t `[K, 1]`, wanted outputs, each -1 or 1.
 * @throws {TypeError | RangeError} when an argument is not as stated.
 * @see Widrow & Lehr 1990, §V, https://doi.org/10.1109/5.58323 (Ridgway 1962, Hoff 1962)
 */
export function madalineRule1(
  net: Madaline,
  X: MatrixLike,
  t: MatrixLike,
  { logic, rate = 0.5, epochs = 100, seed = 0 }: MadalineRule1Options,
): MadalineResult {
  if (net.sizes.length !== 3 || net.sizes[2] !== 1) {
    throw new RangeError(
      `madalineRule1: net.sizes: expected [inputs, units, 1], got [${net.sizes.join(", ")}]`,
    );
  }
  const { x, t: target } = toPatterns("madalineRule1", net, X, t);
  expectOneOf("madalineRule1: logic", logic, LOGICS);
  expectBetween("madalineRule1: rate", rate, 0, 2);
  expectInteger("madalineRule1: epochs", epochs, 1);
  expectInteger("madalineRule1: seed", seed, 0);
  const units = net.sizes[1]!;
  const needed = { or: 1, and: units, majority: Math.floor(units / 2) + 1 }[logic];
  const trained = copyMadaline({
    sizes: net.sizes,
    // Σ y + bias is 1 with as many true units as needed, -1 with one less.
    layers: [
      net.layers[0]!,
      Float64Array.from({ length: units + 1 }, (_, i) => (i === 0 ? units - 2 * needed + 1 : 1)),
    ],
  });
  const responses = emptyResponses(trained);
  const order = randomStream({ seed, purpose: "lms: pattern order" });
  const errors = [countErrors(trained, x, target)];
  let [evaluations, accepted, disturbance] = [x.rows, 0, 0];
  for (let epoch = 0; epoch < epochs && errors.at(-1)! > 0; epoch++) {
    for (const k of permutation(order, x.rows)) {
      const at = k * x.columns;
      forward(trained, x.data, at, responses);
      evaluations += 1;
      if (hamming(responses, target, k) === 0) continue;
      const wanted = target.data[k]!;
      const [outputs, sums] = [responses.outputs[0]!, responses.sums[0]!];
      const on = outputs.filter((output) => output === 1).length;
      const count = wanted === 1 ? needed - on : on - needed + 1;
      const easiest = Array.from({ length: units }, (_, unit) => unit)
        .filter((unit) => outputs[unit] !== wanted)
        .sort((a, b) => Math.abs(sums[a]!) - Math.abs(sums[b]!))
        .slice(0, count);
      accepted += 1;
      for (const unit of easiest) {
        disturbance += adapt(trained, 0, unit, wanted, rate, responses, x.data, at);
      }
    }
    errors.push(countErrors(trained, x, target));
    evaluations += x.rows;
  }
  return {
    net: trained,
    solved: errors.at(-1) === 0,
    errors: Float64Array.from(errors),
    evaluations,
    accepted,
    disturbance,
  };
}
