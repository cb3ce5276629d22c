import { dropoutMask, type InitKey } from "@gradlab/core";
import { customGrad, type GradSaveFunc, mul, type Tensor, tidy } from "@tensorflow/tfjs-core";
import { typeMismatch } from "./expect-argument.js";
import { expectFraction, expectInteger } from "./expect-values.js";

/** Which units fall away: a share, and the stream that decides. In a training, key it by the step (`index`). */
export interface Dropout extends InitKey {
  /** In [0, 1). */
  readonly rate: number;
}

/** Checks a dropout before any work. */
export function expectDropout(where: string, dropout: Dropout): void {
  if (typeof dropout !== "object" || dropout === null) {
    throw typeMismatch(where, "{rate, seed, purpose}", dropout);
  }
  const { rate, seed, purpose, index = 0 } = dropout;
  expectFraction(`${where}.rate`, rate);
  expectInteger(`${where}.seed`, seed, 0);
  if (typeof purpose !== "string") throw typeMismatch(`${where}.purpose`, "a text", purpose);
  expectInteger(`${where}.index`, index, 0);
}

/** The dropout of a part, with a stream of its own. */
export const dropoutOf = (dropout: Dropout, part: string | number): Dropout => ({
  ...dropout,
  purpose: `${dropout.purpose}.${part}`,
});

/**
 * Multiplies by `dropoutMask`: 0 with probability `rate`, else 1 / (1 - rate).
 *
 * The mask is not kept for the gradient: the same stream makes it again. Differentiable to any order.
 *
 * @returns The shape of `x`; the caller disposes it.
 * @throws {TypeError | RangeError} when the rate is out of range, or the key none.
 */
export function dropout<T extends Tensor>(x: T, options: Dropout): T {
  expectDropout("dropout: options", options);
  const { rate, ...key } = options;
  if (rate === 0) return x.clone() as T;
  const drop = (given: Tensor): Tensor =>
    customGrad((...inputs: (Tensor | GradSaveFunc)[]) => ({
      value: tidy(() => mul(inputs[0] as Tensor, dropoutMask(given.shape, rate, key))),
      gradFunc: (dy: Tensor) => drop(dy),
    }))(given);
  return drop(x) as T;
}
