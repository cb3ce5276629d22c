import { type Tensor3D, tidy } from "@tensorflow/tfjs-core";
import { dropoutOf, expectDropout } from "./dropout.js";
import { rangeMismatch, typeMismatch } from "./expect-argument.js";
import { expectInteger } from "./expect-values.js";
import { initLayerNorm, initRmsNorm } from "./layer-norm.js";
import type { KeyValueCache } from "./multi-head-attention.js";
import { applyNorm, type NormParams } from "./norm.js";
import { tidyRecord } from "./tidy-record.js";
import {
  type InitTransformerBlockOptions,
  initTransformerBlock,
  type TransformerBlockOptions,
  type TransformerBlockParams,
  transformerBlock,
  transformerBlockCached,
} from "./transformer-block.js";

/** Blocks one after the other, and a norm at their end. */
export interface TransformerParams {
  readonly blocks: readonly TransformerBlockParams[];
  /** None where the norms stand after the sums: the last block ends in one. */
  readonly norm?: NormParams;
}

export interface InitTransformerOptions extends InitTransformerBlockOptions {
  /** At least 1. */
  readonly layers: number;
  /** Whether there is a norm at the end; true unless given, as norms before the parts ask for. */
  readonly lastNorm?: boolean;
}

/** Keys and values of the tokens so far, layer by layer. */
export interface TransformerCache {
  readonly layers: readonly KeyValueCache[];
}

/**
 * An encoder before any training; with a `contextWidth`, a decoder whose blocks look at an encoder's output too.
 *
 * @returns The caller disposes it.
 * @throws {TypeError | RangeError} when an option is out of range.
 */
export function initTransformer(options: InitTransformerOptions): TransformerParams {
  const { layers, lastNorm = true, ...rest } = options;
  const { purpose = "transformer", norm = "layer", width } = options;
  expectInteger("initTransformer: layers", layers, 1);
  return {
    blocks: Array.from({ length: layers }, (_, i) =>
      initTransformerBlock({ ...rest, purpose: `${purpose}.blocks.${i}` }),
    ),
    ...(lastNorm && { norm: norm === "layer" ? initLayerNorm(width) : initRmsNorm(width) }),
  };
}

/**
 * Blocks one after the other: an encoder; with `causal`, or with a `context`, a decoder.
 *
 * @param x `[batch, t, width]`.
 * @returns `[batch, t, width]`; the caller disposes it.
 * @throws As `transformerBlock`.
 * @see Vaswani et al. 2017, §3.1, https://arxiv.org/abs/1706.03762
 */
export function transformer(
  { blocks, norm }: TransformerParams,
  x: Tensor3D,
  options: TransformerBlockOptions,
): Tensor3D {
  expectDropoutIn("transformer", options);
  return tidy(() => {
    let y = x;
    for (const [i, block] of blocks.entries()) y = transformerBlock(block, y, keyed(options, i));
    return norm === undefined ? y.clone() : applyNorm(norm, y, options);
  });
}

/**
 * `transformer` of the tokens that follow those of a cache; with `causal` the same as all tokens at once.
 *
 * @param x The next tokens, `[batch, t, width]`.
 * @param cache Borrowed; null before the first token.
 * @returns The output for these tokens, and the cache that has them too; the caller disposes both.
 * @throws As `transformerBlock`, and when the cache is not one of as many layers.
 */
export function transformerCached(
  { blocks, norm }: TransformerParams,
  x: Tensor3D,
  cache: TransformerCache | null,
  options: Omit<TransformerBlockOptions, "queryStart">,
): { output: Tensor3D; cache: TransformerCache } {
  if (cache === undefined) throw typeMismatch("transformerCached: cache", "a cache, or null", cache);
  expectDropoutIn("transformerCached", options);
  if (cache !== null && cache.layers.length !== blocks.length) {
    throw rangeMismatch("transformerCached: cache.layers", `${blocks.length} of them`, cache.layers);
  }
  return tidyRecord(() => {
    let y = x;
    const layers = blocks.map((block, i) => {
      const next = transformerBlockCached(block, y, cache?.layers[i] ?? null, keyed(options, i));
      y = next.output;
      return next.cache;
    });
    return { output: norm === undefined ? y.clone() : applyNorm(norm, y, options), cache: { layers } };
  });
}

/** Before its purpose becomes that of the blocks. */
function expectDropoutIn(where: string, options: Pick<TransformerBlockOptions, "dropout">): void {
  if (options?.dropout !== undefined) expectDropout(`${where}: dropout`, options.dropout);
}

/** The options of a block, with a stream of its own for dropout. */
function keyed<O extends Pick<TransformerBlockOptions, "dropout">>(options: O, block: number): O {
  const { dropout } = options;
  if (dropout === undefined) return options;
  return { ...options, dropout: dropoutOf(dropout, `blocks.${block}`) };
}
