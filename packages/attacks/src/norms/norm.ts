import type { Draws } from "../driver/draws.js";

export type NormName = "linf" | "l2" | "l1" | "l0";

/** Where an image may be: what is left of the bounds by the mask, around the image itself. */
export interface Box {
  readonly x: Float32Array;
  readonly lower: Float32Array;
  readonly upper: Float32Array;
}

/** A step of this size along the steepest direction, projected onto ball and box: good until the next but one. */
export type Climb = (from: Float32Array, step: number, gradient: ArrayLike<number>) => Float32Array;

/** How far images are from each other, and what follows for steps. */
export interface Norm {
  readonly name: NormName;
  /** Of a difference. */
  readonly size: (delta: ArrayLike<number>) => number;
  /** The norm that bounds an inner product with this one: `⟨g, d⟩ ≤ ‖g‖_dual ‖d‖`. */
  readonly dualSize: (gradient: ArrayLike<number>) => number;
  /** The direction of size 1 that raises a loss with this gradient the most; zeros where the gradient is zero. */
  readonly steepest: (gradient: ArrayLike<number>) => Float64Array;
  /**
   * A point of the ball and the box, in single precision and within ε in double precision: the point itself where it
   * is one, and near it where not.
   */
  readonly project: (point: ArrayLike<number>, box: Box, epsilon: number) => Float32Array;
  /** `climber` of its own, where that is faster; the same numbers. */
  readonly climber?: (box: Box, epsilon: number) => Climb;
  /** A difference, uniform in the ball. */
  readonly randomInBall: (draws: Draws, length: number, epsilon: number) => Float64Array;
}

/** The distance of two images, in double precision. */
export function distanceOf(norm: Norm, a: ArrayLike<number>, b: ArrayLike<number>): number {
  return norm.size(differenceOf(a, b));
}

/** `a - b`. */
export function differenceOf(a: ArrayLike<number>, b: ArrayLike<number>): Float64Array {
  const delta = new Float64Array(a.length);
  for (let i = 0; i < a.length; i++) delta[i] = a[i]! - b[i]!;
  return delta;
}
