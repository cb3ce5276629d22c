import { div, sub, type Tensor, tensor1d, tidy } from "@tensorflow/tfjs-core";
import type { Classifier } from "./classifier.js";
import { rangeMismatch, typeMismatch } from "./expect-argument.js";

export interface Preprocessing {
  /** Subtracted from each channel (the last axis), or from all. */
  readonly mean?: number | readonly number[];
  /** Divided by after that. */
  readonly std?: number | readonly number[];
  /** What images lie between before that; the bounds of the classifier taken back through `mean` and `std` are wrong
   *  for channels of different means, so this says it. `[0, 1]` unless given. */
  readonly bounds?: readonly [lowest: number, highest: number];
}

/**
 * A classifier of images as they are, made of one of images that are normalized: `logits((x - mean) / std)`. Attacks
 * then have ε and bounds in the units of the images.
 *
 * @param classifier Borrowed, as long as the result is used.
 * @throws {TypeError | RangeError} when a mean or deviation is no finite number, or a deviation is 0.
 */
export function withPreprocessing(classifier: Classifier, options: Preprocessing): Classifier {
  const { mean = 0, std = 1, bounds = [0, 1] } = options;
  const [means, stds] = [numbersOf("mean", mean), numbersOf("std", std)];
  if (stds.some((value) => value === 0))
    throw rangeMismatch("withPreprocessing: std", "numbers other than 0", 0);
  return {
    ...classifier,
    bounds,
    logits: (x, rows) =>
      tidy(() => {
        const channels = x.shape.at(-1)!;
        for (const [name, values] of [
          ["mean", means],
          ["std", stds],
        ] as const) {
          if (values.length !== 1 && values.length !== channels) {
            throw new RangeError(
              `withPreprocessing: ${name}: expected 1 or ${channels} numbers, got ${values.length}`,
            );
          }
        }
        const normalized: Tensor = div(sub(x, tensor1d(means)), tensor1d(stds));
        return classifier.logits(normalized, rows);
      }),
  };
}

function numbersOf(name: string, value: number | readonly number[]): number[] {
  const numbers = typeof value === "number" ? [value] : Array.from(value ?? []);
  if (numbers.length === 0)
    throw typeMismatch(`withPreprocessing: ${name}`, "a number, or one for each channel", value);
  for (const each of numbers) {
    if (!Number.isFinite(each)) throw rangeMismatch(`withPreprocessing: ${name}`, "finite numbers", each);
  }
  return numbers;
}
