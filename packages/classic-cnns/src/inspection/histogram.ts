import { expectInteger } from "../expect-values.js";

/** How numbers are distributed. */
export interface Histogram {
  /** How many numbers there are, finite or not. */
  readonly count: number;
  /** How many of them are NaN or infinite; the rest of the fields is about the others. */
  readonly nonFinite: number;
  /** How many are exactly 0. */
  readonly zeros: number;
  /** Null where no number is finite; so are `max`, `mean` and `std`. */
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  /** Standard deviation, divided by the count. */
  readonly std: number | null;
  /** How many lie in each of equally wide bins from `min` to `max`, which the last one includes. */
  readonly bins: readonly number[];
}

/**
 * The histogram of numbers, from their least to their largest.
 *
 * @param bins How many bins; numbers that are all equal are in the first.
 * @throws {RangeError} when `bins` is not an integer, 1 to 4096.
 */
export function histogram(values: ArrayLike<number>, bins: number): Histogram {
  expectBins("histogram", bins);
  const counts = Array.from({ length: bins }, () => 0);
  let [finite, zeros, sum] = [0, 0, 0];
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) continue;
    finite++;
    sum += value;
    if (value === 0) zeros++;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const nonFinite = values.length - finite;
  if (finite === 0) {
    return {
      count: values.length,
      nonFinite,
      zeros,
      min: null,
      max: null,
      mean: null,
      std: null,
      bins: counts,
    };
  }
  const mean = sum / finite;
  const width = max - min;
  let squares = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) continue;
    squares += (value - mean) ** 2;
    const bin = width > 0 ? Math.floor(((value - min) / width) * bins) : 0;
    counts[Math.min(bin, bins - 1)]!++;
  }
  return {
    count: values.length,
    nonFinite,
    zeros,
    min,
    max,
    mean,
    std: Math.sqrt(squares / finite),
    bins: counts,
  };
}

export function expectBins(caller: string, bins: number): void {
  expectInteger(`${caller}: bins`, bins, 1, 4096);
}
