import { permutation, randomStream } from "@gradlab/random";
import { type Dataset, expectDataset } from "./dataset.js";
import { rangeMismatch, typeMismatch } from "./expect-argument.js";
import { expectInteger, expectWithin } from "./expect-values.js";
import { selectSamples } from "./select-samples.js";

/** How to split: by `fractions` or by `counts`. */
export interface SplitOptions {
  /** The share of every part, in [0, 1], together at most 1. */
  readonly fractions?: readonly number[];
  /** The number of samples of every part, together at most all. */
  readonly counts?: readonly number[];
  /** Seed of the order in which samples are dealt out; 0 unless given. */
  readonly seed?: number;
  /** Give every part the classes in the proportions of the whole; false unless given. */
  readonly stratified?: boolean;
}

/**
 * Splits a data set at random into parts without a common sample. With fractions, part i ends at sample
 * `round(count · (f₀ + … + fᵢ))` of the random order, so that fractions that add up to 1 leave nothing out.
 *
 * Stratified: the samples of a class are spread evenly over the order, so that a class with `n` of `N` samples has
 * `n m / N` of a part of `m`, but for rounding (by less than 1 in either end of the part when all classes are equally
 * large).
 *
 * @returns One data set per part, each a copy.
 * @throws {TypeError | RangeError} when not exactly one of `fractions` and `counts` is given, one is out of range, or
 *   there are too few samples.
 */
export function splitDataset(dataset: Dataset, options: SplitOptions): Dataset[] {
  expectDataset("splitDataset: dataset", dataset);
  const { seed = 0, stratified = false } = options;
  expectInteger("splitDataset: seed", seed, 0);
  const ends = partEnds(options, dataset.count);
  const order = permutation(randomStream({ seed, purpose: "datasets/split" }), dataset.count);
  if (stratified) spreadClasses(order, dataset);
  return ends.map((end, part) => selectSamples(dataset, order.subarray(ends[part - 1] ?? 0, end)));
}

/** Where every part ends in the order. */
function partEnds({ fractions, counts }: SplitOptions, count: number): number[] {
  if ((fractions === undefined) === (counts === undefined)) {
    throw new TypeError(
      `splitDataset: fractions, counts: expected one of them, got ${fractions ? "both" : "neither"}`,
    );
  }
  const name = fractions ? "fractions" : "counts";
  const shares = fractions ?? counts!;
  if (!Array.isArray(shares)) throw typeMismatch(`splitDataset: ${name}`, "an array of numbers", shares);
  for (const [i, share] of shares.entries()) {
    if (fractions) expectWithin(`splitDataset: fractions[${i}]`, share, 0, 1);
    else expectInteger(`splitDataset: counts[${i}]`, share, 0);
  }
  let sum = 0;
  const sums = shares.map((share: number) => {
    sum += share;
    return sum;
  });
  // Ten times 0.1 is a little below 1, three times 0.1 and 0.7 a little above.
  const [most, what] = fractions
    ? [1 + 1e-9, "a sum of at most 1"]
    : [count, `at most ${count} samples in all`];
  if (sum > most) throw rangeMismatch(`splitDataset: ${name}`, what, sum);
  return fractions ? sums.map((part) => Math.min(count, Math.round(part * count))) : sums;
}

/** Sorts the order by `(rank of the sample in its class + 1/2) / size of the class`. */
function spreadClasses(order: Uint32Array, { labels, classes }: Dataset): void {
  const sizes = new Float64Array(classes);
  for (const label of labels) sizes[label]!++;
  const ranks = new Float64Array(classes);
  const keys = new Float64Array(order.length);
  for (const sample of order) {
    const label = labels[sample]!;
    keys[sample] = (ranks[label]!++ + 0.5) / sizes[label]!;
  }
  const places = new Float64Array(order.length); // Sorting is stable for arrays; ties go by the random order.
  order.forEach((sample, place) => {
    places[sample] = place;
  });
  order.sort((a, b) => keys[a]! - keys[b]! || places[a]! - places[b]!);
}
