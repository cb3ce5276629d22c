import { expectShape, ShapeError } from "@gradlab/core";
import {
  add,
  cast,
  expandDims,
  greater,
  greaterEqual,
  lessEqual,
  logicalNot,
  maximum,
  mul,
  range,
  reshape,
  slice,
  type Tensor,
  type Tensor2D,
  type Tensor4D,
  Tensor as TensorClass,
  tidy,
} from "@tensorflow/tfjs-core";
import { rangeMismatch, typeMismatch } from "./expect-argument.js";
import { expectInteger } from "./expect-values.js";

/** Which keys a query sees, and what is added to its scores. What is given together holds together. */
export interface Masking {
  /**
   * bool, **true: attend**. `[t, s]` for every head of every sample, or four axes `[batch, heads, t, s]` (`[batch, t,
   * s]` where the queries have no heads), each of full size or 1.
   */
  readonly mask?: Tensor;
  /** bool, **true: attend**: the keys of each sample that are there and not padding, `[batch, s]`. */
  readonly keyMask?: Tensor2D;
  /** float32, added to the scaled scores; shapes as those of `mask`. What is -1e30 or less counts as masked. */
  readonly bias?: Tensor;
  /** A query sees no key after its own position. */
  readonly causal?: boolean;
  /** A query at position p sees the keys p - before to p + after; each at least 0. */
  readonly window?: readonly [before: number, after: number];
  /**
   * The position of the first query among the keys, at least 0; 0 unless given. To be given with `causal` or `window`
   * where there are not as many queries as keys: it is not guessed.
   */
  readonly queryStart?: number;
}

export const maskingOptions = ["mask", "keyMask", "bias", "causal", "window", "queryStart"] as const;

/** The sizes of one attention: `heads` queries share `groups` keys and values. */
export interface Sizes {
  readonly batch: number;
  readonly heads: number;
  readonly groups: number;
  readonly t: number;
  readonly s: number;
  readonly d: number;
  readonly e: number;
  /** Queries came as `[batch, t, d]`. */
  readonly plain: boolean;
}

/** Scores that no sum with others brings back; finite, so that a row of nothing else stays finite. */
const never = -1e30;

/** Checks masks against the sizes before any work. */
export function expectMasking(where: string, masking: Masking, sizes: Sizes): void {
  const { mask, keyMask, bias, causal, window, queryStart } = masking;
  const { batch, t, s } = sizes;
  if (mask !== undefined) {
    expectKind(`${where}: mask`, mask, "bool", "bool (true: attend; numbers to be added are a bias)");
    expectScoreShape(`${where}: mask`, mask, sizes);
  }
  if (keyMask !== undefined) expectKeyMask(`${where}: keyMask`, keyMask, [batch, s]);
  if (bias !== undefined) {
    expectKind(`${where}: bias`, bias, "float32", "float32 (truth values are a mask)");
    expectScoreShape(`${where}: bias`, bias, sizes);
  }
  if (causal !== undefined && typeof causal !== "boolean") {
    throw typeMismatch(`${where}: causal`, "true or false", causal);
  }
  if (window !== undefined) {
    if (!Array.isArray(window) || window.length !== 2) {
      throw typeMismatch(`${where}: window`, "[before, after]", window);
    }
    for (const side of window) expectInteger(`${where}: window`, side, 0);
  }
  const placed = causal === true || window !== undefined;
  if (queryStart === undefined) {
    if (placed && t !== s) {
      throw rangeMismatch(
        `${where}: queryStart`,
        `the position of the first query where ${t} queries meet ${s} keys`,
        queryStart,
      );
    }
  } else expectInteger(`${where}: queryStart`, queryStart, 0);
}

/** Checks which tokens are there, `[batch, tokens]`. */
export function expectKeyMask(where: string, keyMask: Tensor, shape: readonly number[]): void {
  expectKind(where, keyMask, "bool", "bool (true: attend)");
  expectShape(where, keyMask, shape);
}

function expectKind(where: string, tensor: Tensor, dtype: string, expected: string): void {
  if (!(tensor instanceof TensorClass)) throw typeMismatch(where, `a tensor of ${dtype}`, tensor);
  if (tensor.dtype !== dtype) throw new TypeError(`${where}: expected ${expected}, got ${tensor.dtype}`);
}

/** `[t, s]`, or all axes of the scores, each of its size or 1. */
function expectScoreShape(where: string, tensor: Tensor, { batch, heads, t, s, plain }: Sizes): void {
  const full = plain ? [batch, t, s] : [batch, heads, t, s];
  const { shape } = tensor;
  const fits =
    (shape.length === 2 && shape[0] === t && shape[1] === s) ||
    (shape.length === full.length && shape.every((size, i) => size === 1 || size === full[i]));
  if (fits) return;
  throw new ShapeError(
    `${where}: expected [${t}, ${s}] or [${full.join(", ")}] (or 1 in the place of a size), got [${shape.join(", ")}]`,
  );
}

/** A mask or bias with the four axes of the scores. */
export function scoreAxes(tensor: Tensor, { plain }: Sizes): Tensor {
  if (tensor.rank === 2) return reshape(tensor, [1, 1, ...tensor.shape]);
  return plain ? expandDims(tensor, 1) : tensor;
}

/** What masks make of scores. */
export interface ScoreMask {
  /** To be added, null where nothing is: the bias, and for masked keys a score that no other equals. */
  readonly added: Tensor | null;
  /** 1 where a query sees a key, 0 elsewhere; null where every query sees some key. */
  readonly seen: Tensor | null;
}

/** Where the first query stands, and how far a query sees before and after itself; null where places do not decide. */
export function placesOf({ causal = false, window, queryStart = 0 }: Masking): Places | null {
  if (!causal && window === undefined) return null;
  const [before, after] = window ?? [Infinity, Infinity];
  return { start: queryStart, before, after: causal ? 0 : after };
}

/** Some of the scores: queries from `first` to before `last`, keys from `from` to before `to`. */
export interface ScorePart {
  readonly first: number;
  readonly last: number;
  readonly from: number;
  readonly to: number;
}

/** The part of a tensor with the axes of the scores; axes of size 1 stay. */
export function scorePart(tensor: Tensor4D, { first, last, from, to }: ScorePart): Tensor4D {
  const [, , t, s] = tensor.shape;
  const [row, rows] = t === 1 ? [0, 1] : [first, last - first];
  const [column, columns] = s === 1 ? [0, 1] : [from, to - from];
  if (rows === t && columns === s) return tensor;
  return slice(tensor, [0, 0, row, column], [-1, -1, rows, columns]);
}

/**
 * The masks for a part of the scores (all of them unless given), with axes that broadcast to it. To be called in a
 * `tidy`.
 */
export function scoreMask(
  masking: Masking,
  sizes: Sizes,
  part: ScorePart = { first: 0, last: sizes.t, from: 0, to: sizes.s },
): ScoreMask {
  const { keyMask, mask, bias } = masking;
  const partOf = (tensor: Tensor) => scorePart(tensor as Tensor4D, part);
  const seen: Tensor[] = [];
  if (mask !== undefined) seen.push(cast(partOf(scoreAxes(mask, sizes)), "float32"));
  if (keyMask !== undefined) {
    seen.push(cast(partOf(reshape(keyMask, [sizes.batch, 1, 1, sizes.s])), "float32"));
  }
  const places = placesOf(masking);
  if (places !== null) seen.push(...placesSeen(places, part));
  let added: Tensor | null = null;
  if (bias !== undefined) {
    const given = partOf(scoreAxes(bias, sizes));
    seen.push(cast(greater(given, never), "float32"));
    added = maximum(given, never);
  }
  if (seen.length === 0) return { added, seen: null };
  const all = seen.reduce((a, b) => mul(a, b));
  const penalty = mul(add(all, -1), -never); // 0, or -1e30
  const given = mask !== undefined || keyMask !== undefined || bias !== undefined;
  const empty = places !== null && hidesAll(places, part);
  return {
    added: added === null ? penalty : add(added, penalty),
    seen: given || empty ? all : null,
  };
}

interface Places {
  readonly start: number;
  readonly before: number;
  readonly after: number;
}

/** For each side of the window, 1 where the key lies within, with the axes of the scores. */
function placesSeen({ start, before, after }: Places, { first, last, from, to }: ScorePart): Tensor[] {
  const queries = reshape(range(start + first, start + last, 1, "int32"), [1, 1, last - first, 1]);
  const keys = reshape(range(from, to, 1, "int32"), [1, 1, 1, to - from]);
  const sides: Tensor[] = [];
  if (Number.isFinite(after)) sides.push(lessEqual(keys, shifted(queries, after)));
  if (Number.isFinite(before)) sides.push(greaterEqual(keys, shifted(queries, -before)));
  return sides.map((side) => cast(side, "float32"));
}

const shifted = (positions: Tensor, by: number): Tensor =>
  by === 0 ? positions : cast(add(positions, by), "int32");

/** Whether there is a query that sees none of the keys. */
function hidesAll({ start, before, after }: Places, { first, last, from, to }: ScorePart): boolean {
  // The first query sees the least far to the right, the last one the least far to the left.
  return start + first + after < from || start + last - 1 - before > to - 1;
}

/**
 * The mask of a library in which **true: leave out** (PyTorch's `MultiheadAttention` and its `key_padding_mask`) as one
 * in which true: attend, as here and in PyTorch's `scaled_dot_product_attention`.
 *
 * @param dropped bool of any shape.
 * @returns The same shape; the caller disposes it.
 * @throws {TypeError} when `dropped` is not bool.
 */
export function maskFromDropped<T extends Tensor>(dropped: T): T {
  expectKind("maskFromDropped: dropped", dropped, "bool", "bool (true: leave out)");
  return tidy(() => logicalNot(dropped)) as T;
}
