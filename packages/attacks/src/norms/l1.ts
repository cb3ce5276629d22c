import type { Norm } from "./norm.js";
import { shrinkWithin } from "./shrink-within.js";

/** The sum of all changes. */
export const l1: Norm = {
  name: "l1",
  size: absoluteSum,
  dualSize: (gradient) => {
    let largest = 0;
    for (let i = 0; i < gradient.length; i++) largest = Math.max(largest, Math.abs(gradient[i]!));
    return largest;
  },
  /** Shared by all that are the largest. */
  steepest: (gradient) => {
    const direction = new Float64Array(gradient.length);
    const largest = l1.dualSize(gradient);
    if (!(largest > 0)) return direction;
    let count = 0;
    for (let i = 0; i < gradient.length; i++) if (Math.abs(gradient[i]!) === largest) count++;
    for (let i = 0; i < gradient.length; i++) {
      if (Math.abs(gradient[i]!) === largest) direction[i] = Math.sign(gradient[i]!) / count;
    }
    return direction;
  },
  /**
   * The nearest point of ball and box at once: `|d_i| = min(max(|u_i| - λ, 0), γ_i)`, where `γ_i` is the room that the
   * box leaves and λ ≥ 0 the least that meets ε.
   *
   * @see Croce, Hein 2021, Proposition 2.1, https://arxiv.org/abs/2103.01208
   */
  project: (point, box, epsilon) => {
    const { x, lower, upper } = box;
    const wish = new Float64Array(x.length);
    const room = new Float64Array(x.length);
    let total = 0;
    let largest = 0;
    for (let i = 0; i < x.length; i++) {
      const delta = point[i]! - x[i]!;
      wish[i] = Math.abs(delta);
      room[i] = delta > 0 ? upper[i]! - x[i]! : x[i]! - lower[i]!;
      total += Math.min(wish[i]!, room[i]!);
      largest = Math.max(largest, wish[i]!);
    }
    const threshold = total <= epsilon ? 0 : leastThreshold(wish, room, epsilon, largest);
    const moved = new Float64Array(x.length);
    for (let i = 0; i < x.length; i++) {
      const step = Math.min(Math.max(wish[i]! - threshold, 0), room[i]!);
      moved[i] = x[i]! + Math.sign(point[i]! - x[i]!) * step;
    }
    return shrinkWithin(moved, box, epsilon, absoluteSum);
  },
  // Of n + 1 exponential numbers that are made to sum to 1, n are uniform in the corner of the ball.
  randomInBall: (draws, length, epsilon) => {
    const parts = draws.uniform(length + 1).map((value) => -Math.log1p(-value));
    const sum = absoluteSum(parts);
    const signs = draws.uniform(length, -1, 1);
    return parts.subarray(0, length).map((value, i) => (epsilon * Math.sign(signs[i]!) * value) / sum);
  },
};

/** The λ at which `Σ min(max(wish - λ, 0), room)`, which falls with λ, is ε. */
function leastThreshold(wish: Float64Array, room: Float64Array, epsilon: number, largest: number): number {
  let [low, high] = [0, largest];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    let sum = 0;
    for (let j = 0; j < wish.length; j++) sum += Math.min(Math.max(wish[j]! - middle, 0), room[j]!);
    if (sum > epsilon) low = middle;
    else high = middle;
  }
  return high;
}

function absoluteSum(delta: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < delta.length; i++) sum += Math.abs(delta[i]!);
  return sum;
}
