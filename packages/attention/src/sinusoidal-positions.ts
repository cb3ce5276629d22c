import { type Tensor2D, tensor2d } from "@tensorflow/tfjs-core";
import { expectInteger, expectPositive } from "./expect-values.js";

export interface SinusoidalOptions {
  /** The first position, at least 0; 0 unless given. */
  readonly start?: number;
  /** The wavelengths go from 2π to 2π · base; 10000 unless given. */
  readonly base?: number;
}

/**
 * Sinusoidal positions: `PE(p, 2i) = sin(p / base^(2i/width))`, `PE(p, 2i+1) = cos` of the same.
 *
 * From a position to the one k further each pair turns by the angle `k / base^(2i/width)`, whatever the position:
 * `PE(p + k) = R(k) PE(p)`. Computed in double precision.
 *
 * @param tokens How many positions, at least 1.
 * @param width At least 1. The last place of an odd width is a sine without its cosine.
 * @returns `[tokens, width]`, to be added to the tokens; the caller disposes it.
 * @throws {TypeError | RangeError} when an argument is not as stated.
 * @see Vaswani et al. 2017, §3.5, https://arxiv.org/abs/1706.03762
 */
export function sinusoidalPositions(
  tokens: number,
  width: number,
  { start = 0, base = 10_000 }: SinusoidalOptions = {},
): Tensor2D {
  const where = "sinusoidalPositions";
  expectInteger(`${where}: tokens`, tokens, 1);
  expectInteger(`${where}: width`, width, 1);
  expectInteger(`${where}: start`, start, 0);
  expectPositive(`${where}: base`, base);
  const rates = turnRates(width, base);
  const values = new Float32Array(tokens * width);
  for (let p = 0; p < tokens; p++) {
    for (const [i, rate] of rates.entries()) {
      values[p * width + 2 * i] = Math.sin((start + p) * rate);
      if (2 * i + 1 < width) values[p * width + 2 * i + 1] = Math.cos((start + p) * rate);
    }
  }
  return tensor2d(values, [tokens, width]);
}

/** The angle per position of each pair of places (and of one that is left): `base^(-2i/width)`. */
export function turnRates(width: number, base: number): Float64Array {
  return Float64Array.from({ length: Math.ceil(width / 2) }, (_, i) => base ** ((-2 * i) / width));
}
