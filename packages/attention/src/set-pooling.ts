import { expectShape, normalTensor } from "@gradlab/core";
import {
  cast,
  div,
  expandDims,
  maximum,
  mul,
  sum,
  type Tensor2D,
  type Tensor3D,
  tidy,
  tile,
} from "@tensorflow/tfjs-core";
import { dropoutOf, expectDropout } from "./dropout.js";
import { expectInteger } from "./expect-values.js";
import {
  crossBlock,
  type InitTransformerBlockOptions,
  initTransformerBlock,
  type TransformerBlockOptions,
  type TransformerBlockParams,
} from "./transformer-block.js";

/** Tokens that are there. */
export interface PoolOptions {
  /** bool, true: there, `[batch, tokens]`; all unless given. */
  readonly keyMask?: Tensor2D;
}

/** What set blocks are told: as blocks are, but for positions and what goes by them. */
export type SetBlockOptions = Pick<
  TransformerBlockOptions,
  "heads" | "keyMask" | "placement" | "activation" | "epsilon" | "dropout" | "chunk"
>;

export type InitSetBlockOptions = Omit<InitTransformerBlockOptions, "contextWidth">;

/** Seeds that attend to a set. */
export interface AttentionPoolingParams {
  /** `[seeds, width]`. */
  readonly seeds: Tensor2D;
  readonly block: TransformerBlockParams;
}

/** Points through which the tokens of a set see each other. */
export interface InducedBlockParams {
  /** `[points, width]`. */
  readonly points: Tensor2D;
  readonly inner: TransformerBlockParams;
  readonly outer: TransformerBlockParams;
}

/**
 * The sum of the tokens that are there.
 *
 * @param x `[batch, tokens, width]`.
 * @returns `[batch, width]`; the caller disposes it.
 * @throws {ShapeError} when `x` or the mask is of another shape.
 * @see Zaheer et al. 2017, theorem 2, https://arxiv.org/abs/1703.06114
 */
export function sumPool(x: Tensor3D, { keyMask }: PoolOptions = {}): Tensor2D {
  expectSet("sumPool", x, keyMask);
  return tidy(() => sum(keyMask === undefined ? x : mul(x, present(keyMask)), 1));
}

/**
 * The mean of the tokens that are there; zeros where none is.
 *
 * @param x `[batch, tokens, width]`.
 * @returns `[batch, width]`; the caller disposes it.
 * @throws {ShapeError} when `x` or the mask is of another shape.
 */
export function meanPool(x: Tensor3D, { keyMask }: PoolOptions = {}): Tensor2D {
  expectSet("meanPool", x, keyMask);
  return tidy(() => {
    if (keyMask === undefined) return div(sum(x, 1), Math.max(1, x.shape[1])) as Tensor2D;
    const there = present(keyMask);
    return div(sum(mul(x, there), 1), maximum(sum(there, 1), 1)) as Tensor2D;
  });
}

/**
 * Pooling by attention before any training: seeds of N(0, 1) and a block.
 *
 * @param options Of the block; `seeds`: how many results, 1 unless given.
 * @returns The caller disposes it.
 * @throws {TypeError | RangeError} when an option is out of range.
 */
export function initAttentionPooling(
  options: InitSetBlockOptions & { readonly seeds?: number },
): AttentionPoolingParams {
  const { seeds = 1, ...rest } = options;
  const { width, seed = 0, purpose = "pooling" } = options;
  expectInteger("initAttentionPooling: seeds", seeds, 1);
  return {
    block: initTransformerBlock({ ...rest, purpose: `${purpose}.block` }),
    seeds: normalTensor([seeds, width], { seed, purpose: `${purpose}.seeds` }) as Tensor2D,
  };
}

/**
 * Pooling by multi-head attention (PMA): learned seeds attend to a set, `crossBlock(seeds, x)`. The result does not depend
 * on the order of the tokens.
 *
 * @param x `[batch, tokens, width]`.
 * @returns `[batch, seeds, width]`; the caller disposes it.
 * @throws As `crossBlock`.
 * @see Lee et al. 2019, §3.2, https://arxiv.org/abs/1810.00825
 */
export function attentionPool(
  { seeds, block }: AttentionPoolingParams,
  x: Tensor3D,
  options: SetBlockOptions,
): Tensor3D {
  expectSet("attentionPool", x, options.keyMask);
  return tidy(() => crossBlock(block, repeated(seeds, x.shape[0]), x, options));
}

/**
 * An induced set block before any training: points of N(0, 1) and two blocks.
 *
 * @param options Of the blocks; `points`: how many there are.
 * @returns The caller disposes it.
 * @throws {TypeError | RangeError} when an option is out of range.
 */
export function initInducedBlock(
  options: InitSetBlockOptions & { readonly points: number },
): InducedBlockParams {
  const { points, ...rest } = options;
  const { width, seed = 0, purpose = "induced" } = options;
  expectInteger("initInducedBlock: points", points, 1);
  return {
    inner: initTransformerBlock({ ...rest, purpose: `${purpose}.inner` }),
    outer: initTransformerBlock({ ...rest, purpose: `${purpose}.outer` }),
    points: normalTensor([points, width], { seed, purpose: `${purpose}.points` }) as Tensor2D,
  };
}

/**
 * Self-attention of a set through a few learned points (ISAB): `crossBlock(x, crossBlock(points, x))`. Its cost grows with
 * `tokens · points`; it commutes with permutations of the tokens.
 *
 * @param x `[batch, tokens, width]`.
 * @returns `[batch, tokens, width]`; the caller disposes it.
 * @throws As `crossBlock`.
 * @see Lee et al. 2019, equation 10, https://arxiv.org/abs/1810.00825
 */
export function inducedBlock(
  { points, inner, outer }: InducedBlockParams,
  x: Tensor3D,
  options: SetBlockOptions,
): Tensor3D {
  expectSet("inducedBlock", x, options.keyMask);
  const { keyMask, dropout, ...rest } = options;
  if (dropout !== undefined) expectDropout("inducedBlock: dropout", dropout);
  const keyed = (name: string) => (dropout === undefined ? {} : { dropout: dropoutOf(dropout, name) });
  return tidy(() => {
    const seen = { ...rest, ...keyed("inner"), ...(keyMask !== undefined && { keyMask }) };
    const found = crossBlock(inner, repeated(points, x.shape[0]), x, seen);
    return crossBlock(outer, x, found, { ...rest, ...keyed("outer") });
  });
}

function expectSet(where: string, x: Tensor3D, keyMask: Tensor2D | undefined): void {
  expectShape(`${where}: x`, x, [null, null, null]);
  if (keyMask === undefined) return;
  expectShape(`${where}: keyMask`, keyMask, x.shape.slice(0, 2));
  if (keyMask.dtype !== "bool") {
    throw new TypeError(`${where}: keyMask: expected bool (true: there), got ${keyMask.dtype}`);
  }
}

/** `[batch, tokens, 1]`, 1 where a token is there. */
const present = (keyMask: Tensor2D): Tensor3D => expandDims(cast(keyMask, "float32"), 2) as Tensor3D;

/** The same rows for every sample. */
const repeated = (rows: Tensor2D, batch: number): Tensor3D =>
  tile(expandDims(rows, 0) as Tensor3D, [batch, 1, 1]);
