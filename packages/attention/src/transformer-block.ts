import { add, type Tensor3D, tidy } from "@tensorflow/tfjs-core";
import type { Activation } from "./activation.js";
import { type Dropout, dropout, dropoutOf, expectDropout } from "./dropout.js";
import { rangeMismatch } from "./expect-argument.js";
import { expectOptions } from "./expect-options.js";
import { expectTokens } from "./expect-tokens.js";
import { type FeedForwardParams, feedForward, initFeedForward } from "./feed-forward.js";
import { initLayerNorm, initRmsNorm } from "./layer-norm.js";
import {
  type InitMultiHeadAttentionOptions,
  initMultiHeadAttention,
  type KeyValueCache,
  type MultiHeadAttentionOptions,
  type MultiHeadAttentionParams,
  multiHeadAttention,
  multiHeadAttentionCached,
} from "./multi-head-attention.js";
import { applyNorm, type NormParams } from "./norm.js";
import { expectKeyMask, maskingOptions } from "./score-mask.js";
import { tidyRecord } from "./tidy-record.js";

export interface TransformerBlockParams {
  readonly attentionNorm: NormParams;
  readonly attention: MultiHeadAttentionParams;
  /** There in a decoder that looks at an encoder's output. */
  readonly crossNorm?: NormParams;
  readonly cross?: MultiHeadAttentionParams;
  readonly feedForwardNorm: NormParams;
  readonly feedForward: FeedForwardParams;
}

export interface InitTransformerBlockOptions extends Omit<InitMultiHeadAttentionOptions, "contextWidth"> {
  /** Units of the feed-forward part; `4 * width` unless given. */
  readonly hidden?: number;
  /** `"layer"` unless given. */
  readonly norm?: "layer" | "rms";
  /** The width of an encoder's output to look at; the block has no cross-attention unless given. */
  readonly contextWidth?: number;
}

/** Masks and positions are those of the tokens among each other; `scale` and `chunk` hold for the cross-attention too. */
export interface TransformerBlockOptions extends Omit<MultiHeadAttentionOptions, "context" | "dropout"> {
  /** Whether a norm stands before each part (`"pre"`, the default) or after each sum (`"post"`, the paper's). */
  readonly placement?: "pre" | "post";
  /** `"gelu"` unless given. */
  readonly activation?: Activation;
  /** Of norms; 1e-5 unless given. */
  readonly epsilon?: number;
  /** Drops weights of the attention, and what each part adds. The parts have streams of their own. */
  readonly dropout?: Dropout;
  /** An encoder's output for the cross-attention, `[batch, s, context width]`. */
  readonly context?: Tensor3D;
  /** bool, true: attend, `[batch, s]`: tokens of the context that are no padding. */
  readonly contextKeyMask?: MultiHeadAttentionOptions["keyMask"];
}

/**
 * A transformer block before any training: Xavier-uniform, biases 0, scales 1.
 *
 * @returns The caller disposes it.
 * @throws {TypeError | RangeError} when an option is out of range.
 */
export function initTransformerBlock(options: InitTransformerBlockOptions): TransformerBlockParams {
  const { hidden, norm = "layer", contextWidth, ...rest } = options;
  const { width, seed = 0, purpose = "block", bias = true } = options;
  if (norm !== "layer" && norm !== "rms") {
    throw rangeMismatch("initTransformerBlock: norm", `"layer" or "rms"`, norm);
  }
  const initNorm = norm === "layer" ? initLayerNorm : initRmsNorm;
  const part = (name: string) => ({ ...rest, purpose: `${purpose}.${name}` });
  return {
    attentionNorm: initNorm(width),
    attention: initMultiHeadAttention(part("attention")),
    ...(contextWidth !== undefined && {
      crossNorm: initNorm(width),
      cross: initMultiHeadAttention({ ...part("cross"), contextWidth }),
    }),
    feedForwardNorm: initNorm(width),
    feedForward: initFeedForward([width, hidden ?? 4 * width, width], {
      seed,
      bias,
      purpose: `${purpose}.feed-forward`,
    }),
  };
}

/**
 * Attention and a feed-forward part, each with a residual sum around it: `y = x + attention(norm(x))`,
 * `y + feedForward(norm(y))`; or with norms after the sums, `norm(x + attention(x))`.
 *
 * @param x `[batch, t, width]`.
 * @returns `[batch, t, width]`; the caller disposes it.
 * @throws {ShapeError} when the parameters, the context or a mask do not fit.
 * @throws {TypeError | RangeError} when an option is not as stated, or of another name.
 * @see Vaswani et al. 2017, §3.1, https://arxiv.org/abs/1706.03762; Xiong et al. 2020 (norms before),
 *   https://arxiv.org/abs/2002.04745
 */
export function transformerBlock(
  params: TransformerBlockParams,
  x: Tensor3D,
  options: TransformerBlockOptions,
): Tensor3D {
  return tidy(() => {
    return run("transformerBlock", params, x, options, (given, attentionOptions) => ({
      output: multiHeadAttention(params.attention, given, attentionOptions),
      cache: null,
    })).output;
  });
}

/**
 * `transformerBlock` of the tokens that follow those of a cache; with `causal` the same as all tokens at once.
 *
 * @param x The next tokens, `[batch, t, width]`.
 * @param cache Borrowed; null before the first token.
 * @returns The output for these tokens, and the cache that has them too; the caller disposes both.
 */
export function transformerBlockCached(
  params: TransformerBlockParams,
  x: Tensor3D,
  cache: KeyValueCache | null,
  options: Omit<TransformerBlockOptions, "queryStart">,
): { output: Tensor3D; cache: KeyValueCache } {
  return tidyRecord(() => {
    const { output, cache: next } = run("transformerBlockCached", params, x, options, (given, rest) =>
      multiHeadAttentionCached(params.attention, given, cache, rest),
    );
    return { output, cache: next! };
  });
}

/**
 * `transformerBlock` whose tokens attend to others instead of themselves: `multiHeadAttention` with a context, residual
 * sums and a feed-forward part.
 *
 * @param x `[batch, t, width]`.
 * @param context What is attended to, `[batch, s, width]`.
 * @returns `[batch, t, width]`; the caller disposes it.
 * @throws As `transformerBlock`.
 * @see Lee et al. 2019, equations 6 and 7 (MAB, with norms after the sums), https://arxiv.org/abs/1810.00825
 */
export function crossBlock(
  params: Omit<TransformerBlockParams, "cross" | "crossNorm">,
  x: Tensor3D,
  context: Tensor3D,
  options: Omit<TransformerBlockOptions, "context" | "contextKeyMask">,
): Tensor3D {
  return tidy(() => {
    return run("crossBlock", params, x, options, (given, attentionOptions) => ({
      output: multiHeadAttention(params.attention, given, { ...attentionOptions, context }),
      cache: null,
    })).output;
  });
}

type Attention = (
  x: Tensor3D,
  options: MultiHeadAttentionOptions,
) => { output: Tensor3D; cache: KeyValueCache | null };

function run(
  where: string,
  params: TransformerBlockParams,
  x: Tensor3D,
  options: TransformerBlockOptions,
  attention: Attention,
): { output: Tensor3D; cache: KeyValueCache | null } {
  expectOptions(where, options, blockOptions);
  expectTokens(`${where}: x`, x);
  const {
    placement = "pre",
    activation = "gelu",
    epsilon = 1e-5,
    dropout: dropped,
    context,
    contextKeyMask,
    ...rest
  } = options;
  if (placement !== "pre" && placement !== "post") {
    throw rangeMismatch(`${where}: placement`, `"pre" or "post"`, placement);
  }
  const isCross = params.cross !== undefined;
  if (isCross !== (context !== undefined)) {
    throw rangeMismatch(
      `${where}: context`,
      isCross ? "one, for the cross-attention" : "none, in a block without cross-attention",
      context,
    );
  }
  if (contextKeyMask !== undefined) {
    if (context === undefined) {
      throw rangeMismatch(`${where}: contextKeyMask`, "a context beside it", context);
    }
    expectKeyMask(`${where}: contextKeyMask`, contextKeyMask, context.shape.slice(0, 2));
  }
  if (dropped !== undefined) expectDropout(`${where}: dropout`, dropped);
  const norm = (given: NormParams, y: Tensor3D) => applyNorm(given, y, { epsilon });
  const keyed = (name: string) => (dropped === undefined ? undefined : dropoutOf(dropped, name));
  const residual = (y: Tensor3D, normParams: NormParams, name: string, part: (y: Tensor3D) => Tensor3D) => {
    const key = keyed(name);
    const added = part(placement === "pre" ? norm(normParams, y) : y);
    const sum = add(y, key === undefined ? added : dropout(added, key)) as Tensor3D;
    return placement === "pre" ? sum : norm(normParams, sum);
  };
  const withDropout = (name: string) => {
    const key = keyed(name);
    return key === undefined ? {} : { dropout: key };
  };
  let cache: KeyValueCache | null = null;
  let y = residual(x, params.attentionNorm, "attention", (given) => {
    const attended = attention(given, { ...rest, ...withDropout("attention-weights") });
    cache = attended.cache;
    return attended.output;
  });
  if (params.cross !== undefined && params.crossNorm !== undefined) {
    const cross = params.cross;
    y = residual(y, params.crossNorm, "cross", (given) =>
      multiHeadAttention(cross, given, {
        heads: rest.heads,
        context: context!,
        ...(rest.chunk !== undefined && { chunk: rest.chunk }),
        ...(rest.scale !== undefined && { scale: rest.scale }),
        ...(contextKeyMask !== undefined && { keyMask: contextKeyMask }),
        ...withDropout("cross-weights"),
      }),
    );
  }
  const output = residual(y, params.feedForwardNorm, "feed-forward", (given) =>
    feedForward(params.feedForward, given, { activation }),
  );
  return { output, cache };
}

const blockOptions = [
  ...maskingOptions,
  "heads",
  "position",
  "chunk",
  "scale",
  "placement",
  "activation",
  "epsilon",
  "dropout",
  "context",
  "contextKeyMask",
];
