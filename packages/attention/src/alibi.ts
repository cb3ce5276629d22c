import { add, type Tensor4D, tensor4d } from "@tensorflow/tfjs-core";
import { expectInteger } from "./expect-values.js";
import { type Masking, type ScorePart, type Sizes, scoreAxes } from "./score-mask.js";

/**
 * The slopes of ALiBi: `2^(-8i/heads)` for head i = 1 … heads.
 *
 * Unlike the paper's code, which mixes two sequences where the number of heads is no power of two, this is its formula
 * for every number.
 *
 * @see Press, Smith, Lewis 2021, §3, https://arxiv.org/abs/2108.12409
 */
export function alibiSlopes(heads: number): number[] {
  expectInteger("alibiSlopes: heads", heads, 1);
  return Array.from({ length: heads }, (_, i) => 2 ** ((-8 * (i + 1)) / heads));
}

export interface AlibiOptions {
  readonly heads: number;
  readonly queries: number;
  readonly keys: number;
  /** The position of the first query among the keys, at least 0; 0 unless given. */
  readonly queryStart?: number;
}

/**
 * Attention with linear biases: what is added to the score of a query at position i and a key at position j,
 * `-slope · |i - j|`, a slope for each head.
 *
 * @returns `[1, heads, queries, keys]`, a `bias` of `attend`; the caller disposes it.
 * @throws {TypeError | RangeError} when a size is out of range.
 * @see Press, Smith, Lewis 2021, §3, https://arxiv.org/abs/2108.12409
 */
export function alibiBias({ heads, queries, keys, queryStart = 0 }: AlibiOptions): Tensor4D {
  expectInteger("alibiBias: queries", queries, 1);
  expectInteger("alibiBias: keys", keys, 1);
  expectInteger("alibiBias: queryStart", queryStart, 0);
  return alibiPart(alibiSlopes(heads), queryStart, { first: 0, last: queries, from: 0, to: keys });
}

/** `alibiBias` of some of the scores, `[1, heads, queries, keys]`. */
export function alibiPart(
  slopes: readonly number[],
  queryStart: number,
  { first, last, from, to }: ScorePart,
): Tensor4D {
  const values = new Float32Array(slopes.length * (last - first) * (to - from));
  let at = 0;
  for (const slope of slopes) {
    for (let i = first; i < last; i++) {
      for (let j = from; j < to; j++) values[at++] = -slope * Math.abs(queryStart + i - j);
    }
  }
  return tensor4d(values, [1, slopes.length, last - first, to - from]);
}

/** The options of an attention with the bias of ALiBi in them, beside one that was there. */
export function withAlibi<M extends Masking>(masking: M, sizes: Sizes): M {
  const { heads, t: queries, s: keys } = sizes;
  const slopes = alibiBias({ heads, queries, keys, queryStart: masking.queryStart ?? 0 });
  return {
    ...masking,
    bias: masking.bias === undefined ? slopes : add(slopes, scoreAxes(masking.bias, sizes)),
  };
}
