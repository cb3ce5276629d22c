import { embed, expectShape, normalTensor, type SequenceModel, ShapeError } from "@gradlab/core";
import {
  add,
  concat,
  matMul,
  mul,
  reshape,
  slice,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  type Tensor4D,
  tidy,
  zeros,
} from "@tensorflow/tfjs-core";
import { type Dropout, dropout, dropoutOf, expectDropout } from "./dropout.js";
import { rangeMismatch } from "./expect-argument.js";
import { expectOptions } from "./expect-options.js";
import { expectInteger } from "./expect-values.js";
import { fullGptConfig, type GptConfig } from "./gpt-config.js";
import type { LinearParams } from "./linear.js";
import { sinusoidalPositions } from "./sinusoidal-positions.js";
import { tidyRecord } from "./tidy-record.js";
import {
  initTransformer,
  type TransformerCache,
  type TransformerParams,
  transformer,
  transformerCached,
} from "./transformer.js";
import type { TransformerBlockParams } from "./transformer-block.js";

export interface GptParams extends Required<TransformerParams> {
  /** A row per id, `[vocabulary, width]`. */
  readonly tokens: Tensor2D;
  /** A row per position, `[context, width]`; where positions are learned. */
  readonly positions?: Tensor2D;
  /** `[width, vocabulary]`; where it is not the table of the tokens. */
  readonly head?: Tensor2D;
}

/** Keys and values of the tokens so far, layer by layer. */
export type GptCache = TransformerCache;

export interface InitGptOptions {
  /** An integer of at least 0; 0 is a seed. */
  readonly seed?: number;
  /** The standard deviation of tables and kernels; 0.02 unless given. */
  readonly std?: number;
}

/**
 * A small GPT before any training: tables and kernels of N(0, std²), those at the ends of residual parts divided by
 * √(2 · layers), biases 0, scales 1.
 *
 * @returns The caller disposes it.
 * @throws {TypeError | RangeError} when the configuration or an option is out of range.
 * @see Radford et al. 2019, §2.3, Language models are unsupervised multitask learners
 */
export function initGpt(config: GptConfig, { seed = 0, std = 0.02 }: InitGptOptions = {}): GptParams {
  const full = fullGptConfig("initGpt", config);
  const { vocabulary, context, width, layers, heads, groups, hidden, position, norm, tied } = full;
  expectInteger("initGpt: seed", seed, 0);
  const drawn = (shape: readonly number[], purpose: string, by = std) =>
    normalTensor(shape, { seed, purpose, std: by }) as Tensor2D;
  return tidyRecord(() => {
    const again = ({ kernel, bias }: LinearParams, purpose: string, by = std): LinearParams => ({
      kernel: drawn(kernel.shape, `${purpose}.kernel`, by),
      ...(bias !== undefined && { bias }),
    });
    const last = std / Math.sqrt(2 * layers);
    const stack = initTransformer({ width, heads, groups, hidden, norm, layers });
    return {
      tokens: drawn([vocabulary, width], "tokens"),
      ...(position === "learned" && { positions: drawn([context, width], "positions") }),
      blocks: stack.blocks.map((block, i): TransformerBlockParams => {
        const at = `blocks.${i}`;
        const { query, key, value, output } = block.attention;
        const [first, second] = block.feedForward.layers as [LinearParams, LinearParams];
        return {
          ...block,
          attention: {
            query: again(query, `${at}.attention.query`),
            key: again(key, `${at}.attention.key`),
            value: again(value, `${at}.attention.value`),
            output: again(output, `${at}.attention.output`, last),
          },
          feedForward: {
            layers: [
              again(first, `${at}.feedForward.layers.0`),
              again(second, `${at}.feedForward.layers.1`, last),
            ],
          },
        };
      }),
      norm: stack.norm!,
      ...(!tied && { head: drawn([width, vocabulary], "head") }),
    };
  });
}

export interface ApplyGptOptions {
  /** Drops places of the embedded tokens, weights of attention, and what each part adds; in a training alone. */
  readonly dropout?: Dropout;
  /** So many keys at a time, in memory linear in the tokens; all at once unless given. */
  readonly chunk?: number;
}

/**
 * The logits of the id that follows each token.
 *
 * @param ids `[batch, t]`, int32, t at most `config.context`. An id out of range makes the logits of
 *   its sequence NaN.
 * @param config That of `initGpt`.
 * @returns `[batch, t, vocabulary]`; the caller disposes it.
 * @throws {ShapeError} when the parameters are not those of the configuration, or there are too many tokens.
 * @throws {TypeError | RangeError} when the configuration or an option is not as stated.
 * @see Radford et al. 2019, §2.3, Language models are unsupervised multitask learners
 */
export function applyGpt(
  params: GptParams,
  ids: Tensor2D,
  config: GptConfig,
  options: ApplyGptOptions = {},
): Tensor3D {
  const where = "applyGpt";
  expectOptions(where, options, ["dropout", "chunk"]);
  const { dropout: dropped, chunk } = options;
  if (dropped !== undefined) expectDropout(`${where}: dropout`, dropped);
  const { full, blockOptions } = prepared(where, params, ids, config, 0);
  return tidy(() => {
    let x = embedded(params, ids, full, 0);
    if (dropped !== undefined) x = dropout(x, dropoutOf(dropped, "embedding"));
    const more = {
      ...(dropped !== undefined && { dropout: dropped }),
      ...(chunk !== undefined && { chunk }),
    };
    return logitsOf(params, transformer(params, x, { ...blockOptions, ...more }), full);
  });
}

/**
 * `applyGpt` of the tokens that follow those of a cache: the same logits as of all tokens at once.
 *
 * @param ids The next tokens, `[batch, t]`, int32.
 * @param cache Borrowed; null before the first token.
 * @returns The logits for these tokens, `[batch, t, vocabulary]`, and the cache that has them too; the caller disposes both.
 * @throws As `applyGpt`.
 */
export function applyGptCached(
  params: GptParams,
  ids: Tensor2D,
  cache: GptCache | null,
  config: GptConfig,
): { logits: Tensor3D; cache: GptCache } {
  const where = "applyGptCached";
  const past = cache?.layers[0]?.key.shape[2] ?? 0;
  const { full, blockOptions } = prepared(where, params, ids, config, past);
  return tidyRecord(() => {
    const next = transformerCached(params, embedded(params, ids, full, past), cache, blockOptions);
    return { logits: logitsOf(params, next.output, full), cache: next.cache };
  });
}

/** What a GPT has read: its cache, and the ids in it, `[n, t]`. */
export interface GptState extends GptCache {
  readonly ids: Tensor2D;
}

/**
 * A GPT as `generate` of `@gradlab/core` reads it, one id after the other, with a cache. When the context is full, it
 * forgets the older half of it and reads the rest again, so that a text may be of any length.
 *
 * @param params Borrowed, for as long as the model is used.
 */
export function gptModel(params: GptParams, config: GptConfig): SequenceModel<GptState> {
  const { width, heads, groups, layers, context } = fullGptConfig("gptModel", config);
  const empty = () => zeros([1, groups, 0, width / heads]) as Tensor4D;
  return {
    start: () => ({
      layers: Array.from({ length: layers }, () => ({ key: empty(), value: empty() })),
      ids: zeros([1, 0], "int32") as Tensor2D,
    }),
    step: ({ layers, ids: before }, next: Tensor1D) => {
      const [n, t] = [next.shape[0], before.shape[1]];
      const id = reshape(next, [n, 1]) as Tensor2D;
      const kept = t < context ? t : Math.floor(context / 2);
      const ids = kept === 0 ? id : concat([slice(before, [0, t - kept], [n, kept]), id], 1);
      const { logits, cache } =
        t < context
          ? applyGptCached(params, id, { layers }, config)
          : applyGptCached(params, ids, null, config);
      const read = logits.shape[1];
      const last = slice(logits, [0, read - 1, 0], [n, 1, logits.shape[2]]);
      return { logits: reshape(last, [n, logits.shape[2]]) as Tensor2D, state: { ...cache, ids } };
    },
  };
}

function prepared(where: string, params: GptParams, ids: Tensor2D, config: GptConfig, past: number) {
  const full = fullGptConfig(where, config);
  const { vocabulary, context, width, layers, heads, position, activation, epsilon, tied } = full;
  expectShape(`${where}: ids`, ids, [null, null]);
  if (ids.dtype !== "int32") throw new TypeError(`${where}: ids: expected int32, got ${ids.dtype}`);
  if (ids.size === 0)
    throw new ShapeError(`${where}: ids: expected at least one, got [${ids.shape.join(", ")}]`);
  if (past + ids.shape[1] > context) {
    const got = past === 0 ? `${ids.shape[1]}` : `${ids.shape[1]} after ${past}`;
    throw new ShapeError(`${where}: ids: expected at most ${context} tokens, got ${got}`);
  }
  expectShape(`${where}: params.tokens`, params.tokens, [vocabulary, width]);
  if ((params.positions !== undefined) !== (position === "learned")) {
    const expected = position === "learned" ? "a table" : `none with ${position} positions`;
    throw rangeMismatch(`${where}: params.positions`, expected, params.positions);
  }
  if (params.positions !== undefined) {
    expectShape(`${where}: params.positions`, params.positions, [context, width]);
  }
  if (params.blocks.length !== layers) {
    throw rangeMismatch(`${where}: params.blocks`, `${layers} of them`, params.blocks);
  }
  if ((params.head === undefined) !== tied) {
    throw rangeMismatch(`${where}: params.head`, tied ? "none, tied to the tokens" : "a kernel", params.head);
  }
  if (params.head !== undefined) expectShape(`${where}: params.head`, params.head, [width, vocabulary]);
  const scored = position === "rotary" || position === "alibi" ? { position } : {};
  return { full, blockOptions: { heads, activation, epsilon, causal: true, ...scored } as const };
}

function embedded(
  params: GptParams,
  ids: Tensor2D,
  { width, position }: Required<GptConfig>,
  past: number,
): Tensor3D {
  const x = embed(params.tokens, ids) as Tensor3D;
  const t = ids.shape[1];
  if (position === "learned") return add(x, slice(params.positions!, [past, 0], [t, width]));
  if (position !== "sinusoidal") return x;
  // As in the paper, the tokens are scaled to the size of the positions.
  return add(mul(x, Math.sqrt(width)), sinusoidalPositions(t, width, { start: past }));
}

/** The logits of normed tokens. */
function logitsOf(
  { head, tokens }: GptParams,
  x: Tensor3D,
  { width, vocabulary }: Required<GptConfig>,
): Tensor3D {
  const [batch, t] = x.shape;
  const rows = reshape(x, [batch * t, width]) as Tensor2D;
  const logits = head === undefined ? matMul(rows, tokens, false, true) : matMul(rows, head);
  return reshape(logits, [batch, t, vocabulary]) as Tensor3D;
}
