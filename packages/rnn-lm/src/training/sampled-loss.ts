import { crossEntropy, embed } from "@gradlab/core";
import { integer, randomStream, uniform } from "@gradlab/random";
import {
  add,
  concat,
  equal,
  expandDims,
  matMul,
  mul,
  reshape,
  type Scalar,
  scalar,
  sub,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tensor1d,
  tensor2d,
  transpose,
  where,
  zeros,
} from "@tensorflow/tfjs-core";
import { rangeMismatch } from "../expect-argument.js";
import { expectInteger, expectOneOf } from "../expect-values.js";
import type { LanguageModelParams } from "../model/language-model.js";

/** A loss over some of the vocabulary: the true token against others that are drawn. */
export interface SampledSoftmax {
  /** How many others, the same for all places of a step; at most the vocabulary. */
  readonly count: number;
  /**
   * `"uniform"`, the default: all alike. `"zipf"`: `log((k + 2) / (k + 1)) / log(V + 1)` for id k, for dictionaries with
   * frequent tokens first (`order: "frequency"`).
   */
  readonly distribution?: "uniform" | "zipf";
}

export function expectSampled(where: string, sampled: SampledSoftmax, vocabulary: number): void {
  expectInteger(`${where}: sampled.count`, sampled.count, 1);
  if (sampled.count > vocabulary) {
    throw rangeMismatch(`${where}: sampled.count`, `at most the vocabulary, ${vocabulary}`, sampled.count);
  }
  expectOneOf(`${where}: sampled.distribution`, sampled.distribution ?? "uniform", ["uniform", "zipf"]);
}

/** Tokens that were drawn, and the logarithm of how often each of the vocabulary is expected among them. */
export interface DrawnTokens {
  readonly ids: Int32Array;
  readonly logExpected: Float32Array;
}

/** Different tokens, drawn one after another until there are enough. */
export function drawTokens(
  { count, distribution = "uniform" }: SampledSoftmax,
  vocabulary: number,
  { seed, step }: { readonly seed: number; readonly step: number },
): DrawnTokens {
  const stream = randomStream({ seed, purpose: "rnn-lm/sampled softmax", index: step });
  if (distribution === "uniform") {
    // The first of a random order: of all orders alike.
    const order = Int32Array.from({ length: vocabulary }, (_, i) => i);
    for (let i = 0; i < count; i++) {
      const j = integer(stream, i, vocabulary);
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    return {
      ids: order.slice(0, count),
      logExpected: new Float32Array(vocabulary).fill(Math.log(count / vocabulary)),
    };
  }
  const found = new Set<number>();
  let tries = 0;
  for (; found.size < count; tries++) {
    const id = Math.floor(Math.exp(uniform(stream) * Math.log(vocabulary + 1))) - 1;
    found.add(Math.min(id, vocabulary - 1));
  }
  return {
    ids: Int32Array.from(found),
    logExpected: Float32Array.from({ length: vocabulary }, (_, id) => {
      const p = Math.log((id + 2) / (id + 1)) / Math.log(vocabulary + 1);
      return Math.log(-Math.expm1(tries * Math.log1p(-p)));
    }),
  };
}

/**
 * The cross-entropy of labels among themselves and the tokens that were drawn, each logit less the logarithm of how
 * often it is expected there; a drawn token that is the label does not count twice. With all of the vocabulary drawn it
 * is the whole cross-entropy. To be called in a `tidy`.
 *
 * @param hidden `[n, hidden]`.
 * @param labels `[n]`, int32.
 * @see Jean, Cho, Memisevic, Bengio 2015, §3, https://arxiv.org/abs/1412.2007
 */
export function sampledLoss(
  { embedding, kernel, bias }: LanguageModelParams,
  hidden: Tensor2D,
  labels: Tensor1D,
  { ids, logExpected }: DrawnTokens,
): Scalar {
  const [n] = hidden.shape;
  const rows = (kernel === undefined ? embedding : transpose(kernel)) as Tensor2D; // [vocabulary, hidden]
  const offsets = expandDims(sub(bias, tensor1d(logExpected)), 1) as Tensor2D; // [vocabulary, 1]
  const drawn = tensor1d(ids, "int32");
  const own = add(sum(mul(hidden, embed(rows, labels)), 1, true), embed(offsets, labels)); // [n, 1]
  const others = add(
    matMul(hidden, embed(rows, drawn) as Tensor2D, false, true),
    reshape(embed(offsets, drawn), [1, ids.length]),
  );
  const isLabel = equal(expandDims(labels, 1), tensor2d(ids, [1, ids.length], "int32"));
  const apart = where(isLabel, scalar(-1e9) as Tensor, others) as Tensor;
  return crossEntropy(concat([own, apart], 1), zeros([n], "int32"));
}
