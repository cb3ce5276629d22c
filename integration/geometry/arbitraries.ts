import fc from "fast-check";
import { sizeOf } from "./grid.js";
import type { Input } from "./op.js";

/** A generator of numbers in [0, 1) (mulberry32). */
function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** How the elements of an input are drawn: by a seed, so that a case stays small while it shrinks. */
export interface Fill {
  readonly seed: number;
  /** Few different values, so that some are equal and some are 0. */
  readonly ties: boolean;
}

export const fill: fc.Arbitrary<Fill> = fc.record({
  seed: fc.nat(9999),
  ties: fc.constantFrom(false, false, false, true),
});
export const smoothFill: fc.Arbitrary<Fill> = fc.record({ seed: fc.nat(9999), ties: fc.constant(false) });

/**
 * Elements between `low` and `high`, which 32 bits hold exactly; without ties no two are equal, none is within 1e-3 of
 * another or of an end.
 */
export function drawn(shape: readonly number[], { seed, ties }: Fill, low = -2, high = 2, salt = 0): Input {
  const random = uniform(seed * 31 + salt * 7919 + 1);
  const n = sizeOf(shape);
  const levels = Array.from({ length: n }, (_, i) => (i + 0.5) / n);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [levels[i], levels[j]] = [levels[j]!, levels[i]!];
  }
  const values = levels.map((level) => {
    const at = ties ? Math.round(random() * 4) / 4 : level + (random() - 0.5) * (0.5 / n);
    return Math.round((low + (high - low) * at) * 4096) / 4096;
  });
  return { shape: [...shape], values };
}

/** Whole numbers from `low` to `high`, both included. */
export function integers(shape: readonly number[], seed: number, low: number, high: number, salt = 0): Input {
  const random = uniform(seed * 31 + salt * 7919 + 1);
  const values = Array.from({ length: sizeOf(shape) }, () => low + Math.floor(random() * (high - low + 1)));
  return { shape: [...shape], dtype: "int32", values };
}

export function booleans(shape: readonly number[], seed: number): Input {
  return { ...integers(shape, seed, 0, 1), dtype: "bool" };
}

/** A size of at least 1, mostly small. */
export const size = (most: number): fc.Arbitrary<number> => fc.integer({ min: 1, max: most });
export const channels: fc.Arbitrary<number> = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 4 }) },
  { weight: 1, arbitrary: fc.integer({ min: 5, max: 17 }) },
);

/** A shape of `least` to `most` axes of 1 to 5. */
export const shape = (least: number, most: number): fc.Arbitrary<number[]> =>
  fc.array(size(most > 4 ? 3 : 5), { minLength: least, maxLength: most, size: "max" });

/** A shape with an axis of no elements. */
export const emptyShape = (most: number): fc.Arbitrary<number[]> =>
  fc
    .tuple(shape(1, most), fc.nat(most - 1))
    .map(([full, at]) => full.map((n, i) => (i === at % full.length ? 0 : n)));

/** Two shapes that broadcast: each has the axes of the result, some of them 1, or lacks the leading ones. */
export const broadcastShapes = (
  most: number,
  full: fc.Arbitrary<number[]> = shape(0, most),
): fc.Arbitrary<[number[], number[]]> =>
  fc
    .record({
      full,
      ones: fc.array(fc.constantFrom("both", "both", "a", "b"), { minLength: most, maxLength: most }),
      lackA: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(most) }),
      lackB: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(most) }),
    })
    .map(({ full, ones, lackA, lackB }) => [
      full.map((n, i) => (ones[i] === "a" ? 1 : n)).slice(lackA),
      full.map((n, i) => (ones[i] === "b" ? 1 : n)).slice(lackB),
    ]);

/** An axis of `rank` axes counted from either end. */
export const axisOf = (rank: number, pick: number): number => (rank === 0 ? 0 : (pick % (2 * rank)) - rank);
