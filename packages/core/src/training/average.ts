import { add, div, mul, sub, type Tensor, tidy, type Variable, variable } from "@tensorflow/tfjs-core";
import { typeMismatch } from "../expect-argument.js";
import { expectFraction, expectInteger } from "../expect-values.js";
import { mapParams } from "../params/map-params.js";
import type { ParamsOf } from "../params/params.js";

/**
 * How the weights are averaged: `{decay}`, exponentially, `a ← decay · a + (1 - decay) · w` after each update (the
 * first copies); or `{from}`, the mean of the weights after update `from` and all later ones.
 *
 * @see Polyak and Juditsky 1992; Izmailov et al. 2018, algorithm 1 (`from`), https://arxiv.org/abs/1803.05407
 */
export type AverageOptions = { readonly decay: number } | { readonly from: number };

/** The options, checked. */
export function averageOf(where: string, options: unknown): AverageOptions {
  if (typeof options !== "object" || options === null) {
    throw typeMismatch(where, "{decay} or {from}", options);
  }
  const names = Object.keys(options);
  if (names.length !== 1 || !["decay", "from"].includes(names[0]!)) {
    throw new RangeError(`${where}: expected {decay} or {from}, got {${names.join(", ")}}`);
  }
  if ("decay" in options) {
    expectFraction(`${where}: decay`, options.decay);
    return { decay: options.decay as number };
  }
  const { from } = options as { from: unknown };
  expectInteger(`${where}: from`, from, 1);
  return { from: from as number };
}

/** A state like another that owns what is trained and shares the rest. */
export function averageLike<S extends ParamsOf<S>>(state: S, trained: readonly string[]): S {
  const own = new Set(trained);
  return mapParams(state, (tensor, path) => (own.has(path) ? variable(tensor, false) : tensor));
}

/** Takes the weights after update `step` (from 1) into the average. */
export function takeIntoAverage(
  average: Variable,
  weights: Tensor,
  options: AverageOptions,
  step: number,
): void {
  const first = "decay" in options ? 1 : options.from;
  tidy(() => {
    if (step <= first) average.assign(weights);
    else if ("decay" in options) {
      average.assign(add(mul(average, options.decay), mul(weights, 1 - options.decay)));
    } else average.assign(add(average, div(sub(weights, average), step - first + 1)));
  });
}
