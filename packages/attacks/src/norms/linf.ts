import type { Norm } from "./norm.js";
import { ceilFloat32, clamp, floorFloat32 } from "./single-precision.js";

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
    for (let i = 0; i < x.length; i++) {
      const value = clamp(point[i]!, x[i]! - epsilon, x[i]! + epsilon);
      // Rounded towards the image where rounding would leave the ball.
      const rounded = Math.fround(value);
      const held =
        Math.abs(rounded - x[i]!) <= epsilon
          ? rounded
          : rounded > x[i]!
            ? floorFloat32(value)
            : ceilFloat32(value);
      result[i] = clamp(held, lower[i]!, upper[i]!);
    }
    return result;
  },
  randomInBall: (draws, length, epsilon) =>
    epsilon === 0 ? new Float64Array(length) : draws.uniform(length, -epsilon, epsilon),
};
