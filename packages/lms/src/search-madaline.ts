import { expectInteger } from "./expect-values.js";
import { emptyResponses, forward, hamming, initMadaline, type Madaline, toPatterns } from "./madaline.js";
import { type MadalineRule2Options, madalineRule2 } from "./madaline-rule-2.js";
import type { MatrixLike } from "./matrix.js";

/** What a search over starts has found. */
export interface MadalineSearch {
  /** The net that solves all patterns; null where none did. */
  readonly net: Madaline | null;
  /** How many random nets were tried. */
  readonly starts: number;
  /** Forward passes of one pattern, over all of them. */
  readonly evaluations: number;
}

/**
 * Madaline Rule II from one random start after another, until one solves all patterns.
 *
 * @param sizes Number of inputs, then of units layer by layer.
 * @param options Those of `madalineRule2`, of which `epochs` (30 unless given) and `seed` hold for every start, and
 *   `maxEvaluations` for all together; `starts`: how many at most, 11 unless given (a start and 10 restarts).
 * @throws {TypeError | RangeError} when an argument is not as stated.
 */
export function restartMadalineRule2(
  sizes: readonly number[],
  X: MatrixLike,
  T: MatrixLike,
  {
    starts = 11,
    seed = 0,
    epochs = 30,
    maxEvaluations = Number.MAX_SAFE_INTEGER,
    ...options
  }: MadalineRule2Options & { readonly starts?: number } = {},
): MadalineSearch {
  expectInteger("restartMadalineRule2: starts", starts, 1);
  let evaluations = 0;
  for (let index = 0; index < starts && evaluations < maxEvaluations; index++) {
    const result = madalineRule2(initMadaline(sizes, { seed, index }), X, T, {
      ...options,
      seed,
      epochs,
      maxEvaluations: maxEvaluations - evaluations,
    });
    evaluations += result.evaluations;
    if (result.solved) return { net: result.net, starts: index + 1, evaluations };
  }
  return { net: null, starts, evaluations };
}

/**
 * What training has to beat: random weights, again and again, until all patterns come out right. A net is given up at
 * its first wrong pattern, so that it costs few evaluations.
 *
 * @param options `maxEvaluations`: forward passes of one pattern at most. `seed`: 0 unless given.
 * @throws {TypeError | RangeError} when an argument is not as stated.
 */
export function randomMadalineSearch(
  sizes: readonly number[],
  X: MatrixLike,
  T: MatrixLike,
  { maxEvaluations, seed = 0 }: { readonly maxEvaluations: number; readonly seed?: number },
): MadalineSearch {
  expectInteger("randomMadalineSearch: maxEvaluations", maxEvaluations, 1);
  const { x, t } = toPatterns("randomMadalineSearch", initMadaline(sizes), X, T);
  let [starts, evaluations] = [0, 0];
  while (evaluations < maxEvaluations) {
    const net = initMadaline(sizes, { seed, index: starts });
    const responses = emptyResponses(net);
    starts += 1;
    for (let k = 0; k < x.rows && evaluations < maxEvaluations; k++) {
      forward(net, x.data, k * x.columns, responses);
      evaluations += 1;
      if (hamming(responses, t, k) > 0) break;
      if (k === x.rows - 1) return { net, starts, evaluations };
    }
  }
  return { net: null, starts, evaluations };
}
