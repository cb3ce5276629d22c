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
  // Most attacks spend their time here: the ends of ball and box once for all steps, and few guesses for a processor.
  climber: ({ x, lower, upper }, epsilon) => {
    const [low, high] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY].map((point) =>
      x.map((own, i) => held(point, own, epsilon, lower[i]!, upper[i]!)),
    ) as [Float32Array, Float32Array];
    return (from, step, gradient) => {
      const result = new Float32Array(from.length);
      for (let i = 0; i < from.length; i++) {
        const slope = gradient[i]!;
        let value = Math.fround(from[i]! + (+(slope > 0) - +(slope < 0)) * step);
        if (value < low[i]!) value = low[i]!;
        else if (value > high[i]!) value = high[i]!;
        result[i] = value;
      }
      return result;
    };
  },
  randomInBall: (draws, length, epsilon) =>
    epsilon === 0 ? new Float64Array(length) : draws.uniform(length, -epsilon, epsilon),
};

/** A number in ball and box, in single precision: rounded towards the image where rounding would leave the ball. */
function held(point: number, own: number, epsilon: number, lower: number, upper: number): number {
  const delta = point - own;
  const value = delta > epsilon ? own + epsilon : delta < -epsilon ? own - epsilon : point;
  let rounded = Math.fround(value);
  if (rounded - own > epsilon) rounded = floorFloat32(value);
  else if (own - rounded > epsilon) rounded = ceilFloat32(value);
  return Math.min(Math.max(rounded, lower), upper);
}
