import { integer, normal, randomStream, uniform } from "@gradlab/random";

/** Random numbers of one sample for one purpose, one after the other. */
export interface Draws {
  /** In [low, high), [0, 1) unless given. */
  readonly uniform: (count: number, low?: number, high?: number) => Float64Array;
  /** Of mean 0 and deviation 1. */
  readonly normal: (count: number) => Float64Array;
  /** In [low, high). */
  readonly integer: (low: number, high: number) => number;
}

/** Draws that depend on the seed, the purpose and the sample, and on nothing else. */
export function seededDraws(seed: number, purpose: string, id: number): Draws {
  const stream = randomStream({ seed, purpose, index: id });
  return {
    uniform: (count, low = 0, high = 1) =>
      Float64Array.from({ length: count }, () => uniform(stream, low, high)),
    normal: (count) => Float64Array.from({ length: count }, () => normal(stream)),
    integer: (low, high) => integer(stream, low, high),
  };
}
