import { expectPositive } from "../expect-values.js";
import { ShapeError } from "../shape-error.js";

/** How many inputs an output sums, and how many outputs an input reaches. */
export interface Fans {
  readonly fanIn: number;
  readonly fanOut: number;
}

/**
 * The fans of a weight, from its shape: `[in, out]` of a dense layer, `[..window, in, out]` of a convolution
 * (`[height, width, in, out]`), where each of the two is multiplied by the size of the window.
 *
 * For a grouped convolution `in` is the channels of one group. A depthwise filter `[height, width, in, multiplier]`
 * is not told from a convolution: each of its outputs sums one channel, so its `fanIn` is `height · width`.
 *
 * @throws {ShapeError} when `shape` has fewer than two axes, or an axis of size 0.
 */
export function fans(shape: readonly number[]): Fans {
  return fansOf("fans", shape, {});
}

/** The fans of a shape, unless they are given. */
export function fansOf(where: string, shape: readonly number[], given: Partial<Fans>): Fans {
  if (given.fanIn !== undefined && given.fanOut !== undefined) return checked(where, given as Fans);
  if (shape.length < 2 || shape.includes(0)) {
    throw new ShapeError(`${where}: shape: expected [.., in, out] without a 0, got [${shape.join(", ")}]`);
  }
  const window = shape.slice(0, -2).reduce((a, b) => a * b, 1);
  const { fanIn = window * shape.at(-2)!, fanOut = window * shape.at(-1)! } = given;
  return checked(where, { fanIn, fanOut });
}

function checked(where: string, fans: Fans): Fans {
  expectPositive(`${where}: fanIn`, fans.fanIn);
  expectPositive(`${where}: fanOut`, fans.fanOut);
  return fans;
}
