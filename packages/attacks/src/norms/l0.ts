import { linf } from "./linf.js";
import type { Norm } from "./norm.js";

/** How many numbers are changed at all. */
export const l0: Norm = {
  name: "l0",
  size: (delta) => {
    let count = 0;
    for (let i = 0; i < delta.length; i++) if (delta[i] !== 0) count++;
    return count;
  },
  // Without a bound on the changes nothing bounds the product; the directions are those of L∞.
  dualSize: linf.dualSize,
  steepest: linf.steepest,
  /** The largest changes are kept. */
  project: (point, { x, lower, upper }, epsilon) => {
    const order = Array.from(x.keys()).sort(
      (a, b) => Math.abs(point[b]! - x[b]!) - Math.abs(point[a]! - x[a]!) || a - b,
    );
    const result = x.slice();
    for (const i of order.slice(0, Math.floor(Math.min(epsilon, x.length)))) {
      result[i] = Math.min(Math.max(point[i]!, lower[i]!), upper[i]!);
    }
    return result;
  },
  randomInBall: (draws, length, epsilon) => {
    const delta = new Float64Array(length);
    for (let k = 0; k < Math.min(Math.floor(epsilon), length); k++) {
      delta[draws.integer(0, length)] = draws.uniform(1, -1, 1)[0]!;
    }
    return delta;
  },
};
