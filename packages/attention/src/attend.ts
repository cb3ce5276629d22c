import { ShapeError } from "@gradlab/core";
import {
  add,
  matMul,
  mul,
  reshape,
  softmax,
  type Tensor,
  type Tensor4D,
  Tensor as TensorClass,
  tidy,
} from "@tensorflow/tfjs-core";
import { type Dropout, dropout, expectDropout } from "./dropout.js";
import { expectFinite, typeMismatch } from "./expect-argument.js";
import { expectOptions } from "./expect-options.js";
import { expectMasking, type Masking, maskingOptions, type Sizes, scoreMask } from "./score-mask.js";
import { tidyRecord } from "./tidy-record.js";

export interface AttendOptions extends Masking {
  /** What the products of queries and keys are multiplied by, finite; `1 / √d` unless given. */
  readonly scale?: number;
  /** Drops weights, after the softmax. */
  readonly dropout?: Dropout;
}

/** A mixture, and the weights of what is mixed. */
export interface Attended<T extends Tensor> {
  readonly output: T;
  /** `[batch, heads, t, s]`, or `[batch, t, s]`; rows add up to 1, to 0 where a query sees no key; after dropout. */
  readonly weights: T;
}

/**
 * Scaled dot-product attention: `softmax(q kᵀ · scale + bias) v`, for every head.
 *
 * Where `k` and `v` have fewer heads than `q`, their number divides that of `q` and head i of `q` uses head
 * `⌊i · groups / heads⌋` of theirs: grouped queries, with one head multi-query attention.
 *
 * A query that sees no key at all gets zeros, and its gradients are zeros. Differentiable twice.
 *
 * @param q Queries, `[batch, heads, t, d]`, or `[batch, t, d]`.
 * @param k Keys, `[batch, groups, s, d]`, or `[batch, s, d]`.
 * @param v Values, `[batch, groups, s, e]`, or `[batch, s, e]`.
 * @returns One mixture of values per query, `[batch, heads, t, e]` or `[batch, t, e]`; the caller disposes it.
 * @throws {ShapeError} when `k`, `v` or a mask does not line up with `q`.
 * @throws {TypeError | RangeError} when an option is not as stated, or of another name.
 * @see Vaswani et al. 2017, §3.2.1, https://arxiv.org/abs/1706.03762; Ainslie et al. 2023 (groups),
 *   https://arxiv.org/abs/2305.13245
 */
export function attend<T extends Tensor>(q: T, k: T, v: T, options: AttendOptions = {}): T {
  const plan = planAttention("attend", q, k, v, options);
  return tidy(() => compute(plan, q, k, v, options).output as T);
}

/** `attend`, with the weights beside what they mix; see there. */
export function attendWithWeights<T extends Tensor>(
  q: T,
  k: T,
  v: T,
  options: AttendOptions = {},
): Attended<T> {
  const plan = planAttention("attendWithWeights", q, k, v, options);
  return tidyRecord(() => compute(plan, q, k, v, options) as Attended<Tensor> as Attended<T>);
}

function compute(sizes: Sizes, q: Tensor, k: Tensor, v: Tensor, options: AttendOptions) {
  const { batch, heads, groups, t, s, d, e, plain } = sizes;
  const { scale = 1 / Math.sqrt(d), dropout: dropped } = options;
  // Heads that share keys stand below each other, as if they were more queries of one head.
  const rows = [batch, groups, (heads / groups) * t] as const;
  const queries = reshape(mul(q, scale), [...rows, d]) as Tensor4D;
  const keys = reshape(k, [batch, groups, s, d]) as Tensor4D;
  let scores: Tensor = reshape(matMul(queries, keys, false, true), [batch, heads, t, s]);
  const { added, seen } = scoreMask(options, sizes);
  if (added !== null) scores = add(scores, added);
  let weights = softmax(scores);
  if (seen !== null) weights = mul(weights, seen);
  if (dropped !== undefined) weights = dropout(weights, dropped);
  const values = reshape(v, [batch, groups, s, e]) as Tensor4D;
  const mixed = matMul(reshape(weights, [...rows, s]) as Tensor4D, values);
  return {
    output: reshape(mixed, plain ? [batch, t, e] : [batch, heads, t, e]),
    weights: plain ? reshape(weights, [batch, t, s]) : weights,
  };
}

const attendOptions = [...maskingOptions, "scale", "dropout"];

/** Checks an attention at its boundary, and returns its sizes. */
export function planAttention(
  where: string,
  q: Tensor,
  k: Tensor,
  v: Tensor,
  options: AttendOptions,
  known: readonly string[] = attendOptions,
): Sizes {
  expectOptions(where, options, known);
  for (const [name, tensor] of Object.entries({ q, k, v })) {
    if (!(tensor instanceof TensorClass)) throw typeMismatch(`${where}: ${name}`, "a tensor", tensor);
  }
  const plain = q.rank === 3;
  if (!plain && q.rank !== 4) {
    const got = `[${q.shape.join(", ")}]`;
    throw new ShapeError(`${where}: q: expected [batch, heads, t, d] or [batch, t, d], got ${got}`);
  }
  const [batch, heads, t, d] = plain
    ? [q.shape[0]!, 1, q.shape[1]!, q.shape[2]!]
    : (q.shape as [number, number, number, number]);
  const expected = (got: Tensor, fits: boolean, name: string, axes: readonly (number | string)[]) => {
    const shown = plain ? axes.toSpliced(1, 1) : axes;
    if (fits) return;
    throw new ShapeError(`${where}: ${name}: expected [${shown.join(", ")}], got [${got.shape.join(", ")}]`);
  };
  const groups = plain ? 1 : k.shape[1]!;
  const s = k.shape.at(-2)!;
  expected(
    k,
    k.rank === q.rank && k.shape[0] === batch && k.shape.at(-1) === d && groups > 0 && heads % groups === 0,
    "k",
    [batch, heads === 1 ? 1 : `a divisor of ${heads}`, "s", d],
  );
  expected(
    v,
    v.rank === q.rank && v.shape[0] === batch && (plain || v.shape[1] === groups) && v.shape.at(-2) === s,
    "v",
    [batch, groups, s, "e"],
  );
  for (const [name, tensor] of Object.entries({ q, k, v })) {
    if (tensor.dtype !== "float32") throw typeMismatch(`${where}: ${name}`, "float32", tensor.dtype);
  }
  for (const [name, tensor] of Object.entries({ q, k, v })) {
    const got = `got [${tensor.shape.join(", ")}]`;
    if (name === "k" && s === 0) throw new ShapeError(`${where}: k: expected at least one key, ${got}`);
    if (tensor.size === 0) throw new ShapeError(`${where}: ${name}: expected no axis of size 0, ${got}`);
  }
  const { scale, dropout } = options;
  if (scale !== undefined) expectFinite(`${where}: scale`, scale);
  if (dropout !== undefined) expectDropout(`${where}: dropout`, dropout);
  const sizes = { batch, heads, groups, t, s, d, e: v.shape.at(-1)!, plain };
  expectMasking(where, options, sizes);
  return sizes;
}
