import { type RandomStream, randomStream } from "@gradlab/random";
import { mean, reshape, type Tensor, tidy, tile } from "@tensorflow/tfjs-core";
import type { Classifier } from "./classifier.js";
import { typeMismatch } from "./expect-argument.js";
import { expectInteger } from "./expect-values.js";

export interface TransformationOptions {
  /**
   * Changes images `[n, ...]` (differentiably), each by the numbers of its own stream. Called in a `tidy`.
   */
  readonly transform: (x: Tensor, streams: readonly RandomStream[]) => Tensor;
  /** How many changed copies of each image are looked at; 16 unless given. */
  readonly draws?: number;
  /**
   * What is averaged over them: gradients of the loss (unless given), or logits, of whose mean the loss is taken.
   * Predictions are those of the mean logits both times.
   */
  readonly average?: "gradients" | "logits";
  /** 0 unless given. */
  readonly seed?: number;
}

/**
 * Expectation over transformations: a classifier that looks at changed copies of each image, so that what is found
 * survives the changes; or one that draws random numbers itself, looked at several times.
 *
 * What a copy draws depends on the seed, the sample, and the how manyth question about it this is.
 *
 * @param classifier Borrowed, as long as the result is used.
 * @see Athalye et al. 2018, §2.2, https://arxiv.org/abs/1707.07397
 */
export function withTransformation(classifier: Classifier, options: TransformationOptions): Classifier {
  const { transform, draws = 16, average = "gradients", seed = 0 } = options;
  if (typeof transform !== "function") {
    throw typeMismatch("withTransformation: transform", "a function of images and streams", transform);
  }
  expectInteger("withTransformation: draws", draws, 1);
  expectInteger("withTransformation: seed", seed, 0);
  if (average !== "gradients" && average !== "logits") {
    throw new RangeError(
      `withTransformation: average: expected "gradients" or "logits", got ${String(average)}`,
    );
  }
  const { draws: inner = 1, classes, bounds } = classifier;
  const copiesOf = (x: Tensor) => {
    const [n, ...shape] = x.shape as [number, ...number[]];
    const repeated = tile(reshape(x, [n, 1, ...shape]), [1, draws, ...shape.map(() => 1)]);
    return reshape(repeated, [n * draws, ...shape]);
  };
  const logits: Classifier["logits"] = (x, rows) =>
    tidy(() => {
      const copies = rows.flatMap((row) => Array.from({ length: draws }, (_, copy) => ({ ...row, copy })));
      const streams = copies.map(({ id, query, copy }) =>
        randomStream({ seed, purpose: `attacks transformation ${query} ${copy}`, index: id }),
      );
      return classifier.logits(transform(copiesOf(x), streams), copies);
    });
  if (average === "gradients") return { bounds, classes, draws: draws * inner, logits };
  return {
    bounds,
    classes,
    logits: (x, rows) => tidy(() => mean(reshape(logits(x, rows), [rows.length, draws * inner, classes]), 1)),
  };
}
