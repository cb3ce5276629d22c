import { ShapeError } from "@gradlab/core";
import { add, concat, mul, slice, sub, type Tensor, tensor2d, tidy } from "@tensorflow/tfjs-core";
import { expectInteger, expectPositive } from "./expect-values.js";
import { type SinusoidalOptions, turnRates } from "./sinusoidal-positions.js";

/**
 * Rotary positions: the places i and i + width/2 of a token at position p, as a point of the plane, are turned by the
 * angle `p / base^(2i/width)`. The product of a turned query and a turned key depends on the distance of their
 * positions alone.
 *
 * Unlike the paper, the two places of a pair are half a width apart and not neighbours (as in most implementations):
 * the same up to the order of the places.
 *
 * @param x Queries or keys, `[..., tokens, width]`, width even.
 * @param options `start`: the position of the first token; `base` as in `sinusoidalPositions`.
 * @returns The shape of `x`; the caller disposes it.
 * @throws {ShapeError} when the width is odd.
 * @throws {TypeError | RangeError} when an option is out of range.
 * @see Su et al. 2021, §3.2, https://arxiv.org/abs/2104.09864
 */
export function rotary<T extends Tensor>(x: T, { start = 0, base = 10_000 }: SinusoidalOptions = {}): T {
  const [tokens = 0, width = 1] = x.shape.slice(-2);
  if (x.rank < 2 || tokens === 0 || width === 0 || width % 2 === 1) {
    throw new ShapeError(
      `rotary: x: expected [..., tokens, width] with an even width, got [${x.shape.join(", ")}]`,
    );
  }
  expectInteger("rotary: start", start, 0);
  expectPositive("rotary: base", base);
  const half = width / 2;
  const rates = turnRates(width, base);
  const angles = (of: (angle: number) => number) => {
    const values = Float32Array.from({ length: tokens * half }, (_, k) => {
      return of((start + Math.floor(k / half)) * rates[k % half]!);
    });
    return tensor2d(values, [tokens, half]);
  };
  return tidy(() => {
    const [cos, sin] = [angles(Math.cos), angles(Math.sin)];
    const before = x.shape.slice(0, -1);
    const part = (from: number) => slice(x, [...before.map(() => 0), from], [...before, half]) as Tensor;
    const [a, b] = [part(0), part(half)];
    return concat([sub(mul(a, cos), mul(b, sin)), add(mul(a, sin), mul(b, cos))], -1);
  }) as T;
}
