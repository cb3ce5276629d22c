import type { Norm } from "./norm.js";
import { ceilFloat32, floorFloat32 } from "./single-precision.js";

/** The largest change of any number. */
export const linf: Norm = {
  name: "linf",
  size: (delta) => {
    let largest = 0;
    for (let i = 0; i < delta.length; i++) largest = Math.max(largest, Math.abs(delta[i]!));
    return largest;
  },
  dualSize: (gradient) => {
    let sum = 0;
    for (let i = 0; i < gradient.length; i++) sum += Math.abs(gradient[i]!);
    return sum;
  },
  steepest: (gradient) => {
    const direction = new Float64Array(gradient.length);
    for (let i = 0; i < gradient.length; i++) direction[i] = gradient[i]! > 0 ? 1 : gradient[i]! < 0 ? -1 : 0;
    return direction;
  },
  project: (point, { x, lower, upper }, epsilon) => {
    const result = new Float32Array(x.length);
    for (let i = 0; i < x.length; i++) result[i] = held(point[i]!, x[i]!, epsilon, lower[i]!, upper[i]!);
    return result;
  },
  // Most attacks spend their time here: the ends of ball and box once for all steps, nothing allocated in them.
  climber: ({ x, lower, upper }, epsilon) => {
    const low = new Float32Array(x.length);
    const high = new Float32Array(x.length);
    for (let i = 0; i < x.length; i++) {
      low[i] = held(Number.NEGATIVE_INFINITY, x[i]!, epsilon, lower[i]!, upper[i]!);
      high[i] = held(Number.POSITIVE_INFINITY, x[i]!, epsilon, lower[i]!, upper[i]!);
    }
    let [result, before] = [new Float32Array(x.length), new Float32Array(x.length)];
    return (from, step, gradient) => {
      [result, before] = [before, result];
      stepWithin(result, from, step, gradient, low, high);
      return result;
    };
  },
  randomInBall: (draws, length, epsilon) =>
    epsilon === 0 ? new Float64Array(length) : draws.uniform(length, -epsilon, epsilon),
};

/** `to = from + step sign(gradient)`, between `low` and `high`. By itself: within the step, a closure, it took five times as long. */
function stepWithin(
  to: Float32Array,
  from: Float32Array,
  step: number,
  gradient: ArrayLike<number>,
  low: Float32Array,
  high: Float32Array,
): void {
  for (let i = 0; i < to.length; i++) {
    const slope = gradient[i]!;
    let value = Math.fround(from[i]! + (+(slope > 0) - +(slope < 0)) * step);
    if (value < low[i]!) value = low[i]!;
    else if (value > high[i]!) value = high[i]!;
    to[i] = value;
  }
}

/** A number in ball and box, in single precision: rounded towards the image where rounding would leave the ball. */
function held(point: number, own: number, epsilon: number, lower: number, upper: number): number {
  const delta = point - own;
  const value = delta > epsilon ? own + epsilon : delta < -epsilon ? own - epsilon : point;
  let rounded = Math.fround(value);
  if (rounded - own > epsilon) rounded = floorFloat32(value);
  else if (own - rounded > epsilon) rounded = ceilFloat32(value);
  return Math.min(Math.max(rounded, lower), upper);
}
