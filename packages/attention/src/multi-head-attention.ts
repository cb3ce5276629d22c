import { expectShape, ShapeError } from "@gradlab/core";
import { concat, reshape, type Tensor3D, type Tensor4D, tidy, transpose } from "@tensorflow/tfjs-core";
import { withAlibi } from "./alibi.js";
import { type AttendOptions, attend, attendWithWeights } from "./attend.js";
import { inChunks } from "./attend-in-chunks.js";
import { rangeMismatch, typeMismatch } from "./expect-argument.js";
import { expectOptions } from "./expect-options.js";
import { expectTokens } from "./expect-tokens.js";
import { expectInteger } from "./expect-values.js";
import { initLinear, type LinearParams, linear } from "./linear.js";
import { rotary } from "./rotary.js";
import { expectMasking, maskingOptions } from "./score-mask.js";
import { tidyRecord } from "./tidy-record.js";

export interface MultiHeadAttentionParams {
  /** `[width, heads * headSize]`. */
  readonly query: LinearParams;
  /** `[context width, groups * headSize]`. */
  readonly key: LinearParams;
  /** `[context width, groups * valueSize]`. */
  readonly value: LinearParams;
  /** `[heads * valueSize, width]`. */
  readonly output: LinearParams;
}

export interface InitMultiHeadAttentionOptions {
  /** Of the tokens. */
  readonly width: number;
  /** Heads of the queries. */
  readonly heads: number;
  /** Heads of keys and values, a divisor of `heads`; `heads` unless given. 1 is multi-query attention. */
  readonly groups?: number;
  /** `width / heads` unless given. */
  readonly headSize?: number;
  /** Of the tokens that are attended to; `width` unless given. */
  readonly contextWidth?: number;
  /** Whether the four layers have biases; true unless given. */
  readonly bias?: boolean;
  /** An integer of at least 0; 0 is a seed. */
  readonly seed?: number;
  /** Names the part: parts of one seed and other names have other numbers. */
  readonly purpose?: string;
}

/** How positions enter the scores: by `rotary`, or by `alibiBias`. */
export type ScorePosition = "rotary" | "alibi";

export interface MultiHeadAttentionOptions extends AttendOptions {
  /** Heads of the queries; those of keys and values follow from the parameters. */
  readonly heads: number;
  /** What is attended to, `[batch, s, context width]`; `x` itself unless given. */
  readonly context?: Tensor3D;
  readonly position?: ScorePosition;
  /** So many keys at a time, by `attendInChunks`, in memory linear in the tokens; all at once unless given. */
  readonly chunk?: number;
}

/** Keys and values of the tokens so far, `[batch, groups, s, size]`. */
export interface KeyValueCache {
  readonly key: Tensor4D;
  readonly value: Tensor4D;
}

/**
 * The four layers of multi-head attention before any training: Xavier-uniform, biases 0.
 *
 * @returns The caller disposes it.
 * @throws {TypeError | RangeError} when an option is out of range.
 */
export function initMultiHeadAttention(options: InitMultiHeadAttentionOptions): MultiHeadAttentionParams {
  const where = "initMultiHeadAttention";
  const { width, heads, groups = heads, contextWidth = width, seed = 0, purpose = "attention" } = options;
  expectInteger(`${where}: width`, width, 1);
  expectInteger(`${where}: heads`, heads, 1);
  expectInteger(`${where}: groups`, groups, 1);
  if (heads % groups !== 0) throw rangeMismatch(`${where}: groups`, `a divisor of ${heads}`, groups);
  if (options.headSize === undefined && width % heads !== 0) {
    throw rangeMismatch(`${where}: heads`, `a divisor of the width ${width}, or a headSize`, heads);
  }
  const { headSize = width / heads, bias = true } = options;
  expectInteger(`${where}: headSize`, headSize, 1);
  const layer = (name: string, inputs: number, outputs: number) =>
    initLinear(inputs, outputs, { seed, bias, purpose: `${purpose}.${name}` });
  return {
    query: layer("query", width, heads * headSize),
    key: layer("key", contextWidth, groups * headSize),
    value: layer("value", contextWidth, groups * headSize),
    output: layer("output", heads * headSize, width),
  };
}

/**
 * Multi-head attention: `concat(head 1, …, head h) · output` with
 * `head i = attend(x · query i, context · key i, context · value i)`.
 *
 * @param x `[batch, t, width]`.
 * @returns `[batch, t, width]`; the caller disposes it.
 * @throws {ShapeError} when the parameters, the context or a mask do not fit.
 * @throws {TypeError | RangeError} when an option is not as stated, or of another name.
 * @see Vaswani et al. 2017, §3.2.2, https://arxiv.org/abs/1706.03762
 */
export function multiHeadAttention(
  params: MultiHeadAttentionParams,
  x: Tensor3D,
  options: MultiHeadAttentionOptions,
): Tensor3D {
  return tidy(() => compute("multiHeadAttention", params, x, null, options, false).output);
}

/** `multiHeadAttention` with the weights of all heads, `[batch, heads, t, s]`; see there. */
export function multiHeadAttentionWithWeights(
  params: MultiHeadAttentionParams,
  x: Tensor3D,
  options: MultiHeadAttentionOptions,
): { output: Tensor3D; weights: Tensor4D } {
  return tidyRecord(() => {
    const { output, weights } = compute("multiHeadAttentionWithWeights", params, x, null, options, true);
    return { output, weights: weights! };
  });
}

/**
 * `multiHeadAttention` of the tokens that follow those of a cache: they see these and each other. With `causal` the same
 * as all tokens at once.
 *
 * @param x The next tokens, `[batch, t, width]`.
 * @param cache Borrowed; null before the first token.
 * @returns The output for these tokens, and the cache that has them too; the caller disposes both.
 * @throws As `multiHeadAttention`; also with a `context` or `queryStart`, which a cache leaves no room for.
 */
export function multiHeadAttentionCached(
  params: MultiHeadAttentionParams,
  x: Tensor3D,
  cache: KeyValueCache | null,
  options: Omit<MultiHeadAttentionOptions, "context" | "queryStart">,
): { output: Tensor3D; cache: KeyValueCache } {
  const where = "multiHeadAttentionCached";
  for (const name of ["context", "queryStart"] as const) {
    if ((options as MultiHeadAttentionOptions)[name] !== undefined) {
      throw rangeMismatch(
        `${where}: ${name}`,
        "none beside a cache",
        (options as MultiHeadAttentionOptions)[name],
      );
    }
  }
  return tidyRecord(() => {
    const { output, key, value } = compute(where, params, x, cache, options, false);
    // Where there was no cache the tensors are those that attention has used.
    return { output, cache: { key: key.clone() as Tensor4D, value: value.clone() as Tensor4D } };
  });
}

function compute(
  where: string,
  params: MultiHeadAttentionParams,
  x: Tensor3D,
  cache: KeyValueCache | null,
  options: MultiHeadAttentionOptions,
  withWeights: boolean,
) {
  const known = [...maskingOptions, "heads", "context", "position", "scale", "dropout", "chunk"];
  expectOptions(where, options, known);
  const { heads, context = x, position, chunk, ...rest } = options;
  expectInteger(`${where}: heads`, heads, 1);
  if (chunk !== undefined && withWeights) {
    throw rangeMismatch(`${where}: chunk`, "none where weights are asked for", chunk);
  }
  if (position !== undefined && position !== "rotary" && position !== "alibi") {
    throw rangeMismatch(`${where}: position`, `"rotary" or "alibi"`, position);
  }
  expectTokens(`${where}: x`, x);
  const [batch, t, width] = x.shape;
  expectShape(`${where}: context`, context, [batch, null, null]);
  expectTokens(`${where}: context`, context);
  if (cache === undefined) throw typeMismatch(`${where}: cache`, "a cache, or null", cache);
  const { headSize, groups, valueSize } = sizesOf(where, params, heads, width, context.shape[2]);
  const past = cache === null ? 0 : cache.key.shape[2];
  if (cache !== null) {
    expectShape(`${where}: cache.key`, cache.key, [batch, groups, null, headSize]);
    expectShape(`${where}: cache.value`, cache.value, [batch, groups, past, valueSize]);
  }
  const s = past + context.shape[1];
  const sizes = { batch, heads, groups, t, s, d: headSize, e: valueSize, plain: false };
  const start = cache === null ? rest.queryStart : past;
  const masking = start === undefined ? rest : { ...rest, queryStart: start };
  expectMasking(where, masking, sizes);
  if (position !== undefined && t !== s && start === undefined) {
    throw rangeMismatch(`${where}: queryStart`, "the position of the first query", start);
  }
  const turned = (heads: Tensor4D, from: number) =>
    position === "rotary" ? rotary(heads, { start: from }) : heads;
  const q = turned(split(linear(params.query, x), heads, headSize), start ?? 0);
  const newKey = turned(split(linear(params.key, context), groups, headSize), past);
  const newValue = split(linear(params.value, context), groups, valueSize);
  const [key, value] =
    cache === null || past === 0
      ? [newKey, newValue]
      : [concat([cache.key, newKey], 2), concat([cache.value, newValue], 2)];
  const plain = (options: AttendOptions) =>
    withWeights
      ? attendWithWeights(q, key, value, options)
      : { output: attend(q, key, value, options), weights: null };
  const isAlibi = position === "alibi";
  const { output, weights } =
    chunk === undefined
      ? plain(isAlibi ? withAlibi(masking, sizes) : masking)
      : { output: inChunks(where, q, key, value, { ...masking, chunk }, isAlibi), weights: null };
  const joined = reshape(transpose(output, [0, 2, 1, 3]), [batch, t, heads * valueSize]) as Tensor3D;
  return { output: linear(params.output, joined), weights, key, value };
}

/** `[batch, tokens, heads * size]` to `[batch, heads, tokens, size]`. */
function split(x: Tensor3D, heads: number, size: number): Tensor4D {
  const [batch, tokens] = x.shape;
  return transpose(reshape(x, [batch, tokens, heads, size]), [0, 2, 1, 3]) as Tensor4D;
}

/** What the shapes of the parameters say, checked against each other. */
function sizesOf(
  where: string,
  params: MultiHeadAttentionParams,
  heads: number,
  width: number,
  contextWidth: number,
) {
  for (const [name, inputs] of [
    ["query", width],
    ["key", contextWidth],
    ["value", contextWidth],
    ["output", null],
  ] as const) {
    expectShape(`${where}: params.${name}.kernel`, params[name]?.kernel, [inputs, null]);
  }
  const { query, key, value, output } = params;
  const inner = query.kernel.shape[1];
  if (inner % heads !== 0) {
    throw new ShapeError(`${where}: heads: expected a divisor of ${inner}, got ${heads}`);
  }
  const headSize = inner / heads;
  const groups = key.kernel.shape[1] / headSize;
  if (!Number.isInteger(groups) || heads % groups !== 0) {
    throw new ShapeError(
      `${where}: params.key.kernel: expected [${contextWidth}, ${headSize} for each of a divisor of ${heads} heads], got [${key.kernel.shape.join(", ")}]`,
    );
  }
  const valueSize = value.kernel.shape[1] / groups;
  if (!Number.isInteger(valueSize)) {
    throw new ShapeError(
      `${where}: params.value.kernel: expected [${contextWidth}, a multiple of ${groups}], got [${value.kernel.shape.join(", ")}]`,
    );
  }
  expectShape(`${where}: params.output.kernel`, output.kernel, [heads * valueSize, null]);
  return { headSize, groups, valueSize };
}
