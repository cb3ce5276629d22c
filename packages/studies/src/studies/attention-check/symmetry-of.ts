import {
  checkEquivariance,
  initMultiHeadAttention,
  type MultiHeadAttentionOptions,
  multiHeadAttention,
  multiHeadAttentionWithWeights,
  sinusoidalPositions,
} from "@gradlab/attention";
import { disposeParams, normalTensor } from "@gradlab/core";
import { add, clone, dispose, reshape, type Tensor, type Tensor3D, tidy } from "@tensorflow/tfjs-core";
import type { AttentionCheckOptions } from "./attention-check-options.js";
import type { AttentionCheckRecord } from "./attention-check-record.js";

/** What permutations of its tokens do to multi-head attention with random weights. */
export async function symmetryOf(
  { tokens, width, heads, position, causal, permutations, seed }: AttentionCheckOptions,
  signal: AbortSignal,
): Promise<AttentionCheckRecord> {
  const params = initMultiHeadAttention({ width, heads, seed });
  const placed = positionsOf(position, tokens, width, seed);
  const x = normalTensor([tokens, width], { seed, purpose: "attention-check tokens" });
  const options: MultiHeadAttentionOptions = {
    heads,
    ...(causal && { causal }),
    ...((position === "rotary" || position === "alibi") && { position }),
  };
  const input = (given: Tensor) => {
    const there = placed === null ? clone(given) : add(given, placed);
    return reshape(there, [1, tokens, width]) as Tensor3D;
  };
  const f = (given: Tensor) => reshape(multiHeadAttention(params, input(given), options), [tokens, width]);
  try {
    const common = {
      x,
      seed,
      signal,
      permutations: permutations ?? (tokens <= 7 ? ("all" as const) : 200),
    };
    const equivariant = await checkEquivariance(f, common);
    const pooled = await checkEquivariance(f, { ...common, expected: "pooled" });
    const weights = tidy(() => multiHeadAttentionWithWeights(params, input(x), options).weights.clone());
    const numbers = await weights.data();
    weights.dispose();
    const row = (h: number, i: number) => {
      const from = (h * tokens + i) * tokens;
      return Array.from(numbers.subarray(from, from + tokens));
    };
    return {
      ...{ tokens, width, heads, position, causal, equivariant, pooled },
      expected: position === "none" && !causal,
      weights: Array.from({ length: heads }, (_, h) => Array.from({ length: tokens }, (__, i) => row(h, i))),
    };
  } finally {
    disposeParams(params);
    dispose(placed === null ? [x] : [x, placed]);
  }
}

/** What is added to the tokens, `[tokens, width]`; null where nothing is. */
function positionsOf(
  position: AttentionCheckOptions["position"],
  tokens: number,
  width: number,
  seed: number,
): Tensor | null {
  if (position === "sinusoidal") return sinusoidalPositions(tokens, width);
  if (position === "learned")
    return normalTensor([tokens, width], { seed, purpose: "attention-check positions" });
  return null;
}
