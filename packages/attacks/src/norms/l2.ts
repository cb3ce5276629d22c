import type { Norm } from "./norm.js";
import { shrinkWithin } from "./shrink-within.js";

/** Euclid's. */
export const l2: Norm = {
  name: "l2",
  size: euclidean,
  dualSize: euclidean,
  steepest: (gradient) => {
    const size = euclidean(gradient);
    const direction = new Float64Array(gradient.length);
    if (size > 0) for (let i = 0; i < direction.length; i++) direction[i] = gradient[i]! / size;
    return direction;
  },
  /** The ball first, then the box, as everybody does; the nearest point of both where only one of them is left. */
  project: (point, box, epsilon) => {
    const { x } = box;
    const delta = new Float64Array(x.length);
    for (let i = 0; i < x.length; i++) delta[i] = point[i]! - x[i]!;
    const size = euclidean(delta);
    if (size <= epsilon) return shrinkWithin(point, box, epsilon, euclidean);
    const scale = epsilon / size;
    for (let i = 0; i < x.length; i++) delta[i] = x[i]! + scale * delta[i]!;
    return shrinkWithin(delta, box, epsilon, euclidean);
  },
  // Of a point on a sphere in two dimensions more, the others are uniform in the ball.
  randomInBall: (draws, length, epsilon) => {
    const point = draws.normal(length + 2);
    const size = euclidean(point);
    return point.subarray(0, length).map((value) => (size > 0 ? (epsilon * value) / size : 0));
  },
};

function euclidean(delta: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < delta.length; i++) sum += delta[i]! * delta[i]!;
  return Math.sqrt(sum);
}
