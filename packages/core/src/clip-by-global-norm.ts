import {
  addN,
  div,
  maximum,
  mul,
  type Scalar,
  scalar,
  sqrt,
  square,
  sum,
  type Tensor,
  tidy,
} from "@tensorflow/tfjs-core";
import { expectNumber } from "./expect-values.js";
import { mapParams } from "./params/map-params.js";
import { entriesOf, type ParamsOf } from "./params/params.js";

/** `√ Σ g²` over all elements of all tensors; 0 for none. */
export function globalNorm(tensors: readonly Tensor[]): Scalar {
  return tidy(() =>
    tensors.length === 0 ? scalar(0) : sqrt(addN(tensors.map((tensor) => sum(square(tensor)))) as Scalar),
  );
}

/** A bound that is positive and finite as a float32. */
export function expectMaxNorm(where: string, maxNorm: unknown): void {
  const positive = (x: number) => Math.fround(x) > 0 && Math.fround(x) < Number.POSITIVE_INFINITY;
  expectNumber(`${where}: maxNorm`, maxNorm, "a float32 greater than 0, finite", positive);
}

/**
 * Scales gradients by one factor, `maxNorm / max(norm, maxNorm)`, so that the norm of all of them together is at most
 * `maxNorm`.
 *
 * Gradients of norm 0 stay 0, and those within the bound are multiplied by 1. The norm comes as a tensor, so that nothing
 * waits for it. Where it is not finite (also by overflow, from about 1.8e19 on) the scaled gradients are of no use.
 *
 * @param gradients A record or list of float32 tensors; borrowed.
 * @param maxNorm Greater than 0 and finite, as a float32.
 * @returns `clipped`, a record of the same structure, and `norm`, the norm before; the caller disposes both.
 * @throws {TypeError | RangeError} when `maxNorm` is out of range or `gradients` is no record of tensors.
 * @see Pascanu, Mikolov, Bengio 2013, §3.2, https://arxiv.org/abs/1211.5063
 */
export function clipByGlobalNorm<T extends ParamsOf<T>>(
  gradients: T,
  maxNorm: number,
): { clipped: T; norm: Scalar } {
  expectMaxNorm("clipByGlobalNorm", maxNorm);
  const tensors = entriesOf("clipByGlobalNorm: gradients", gradients).map(([, tensor]) => tensor);
  const norm = globalNorm(tensors);
  const factor = tidy(() => div(maxNorm, maximum(norm, maxNorm)));
  const clipped = mapParams(gradients, (gradient) => mul(gradient, factor));
  factor.dispose();
  return { clipped, norm };
}
