import { moved } from "./moved.js";
import type { Box, Climb, Norm } from "./norm.js";

/** The steps of one image in its ball. */
export function climber(norm: Norm, box: Box, epsilon: number): Climb {
  return norm.climber?.(box, epsilon) ?? projected(norm, box, epsilon);
}

/** The steps as they are defined. */
export function projected(norm: Norm, box: Box, epsilon: number): Climb {
  return (from, step, gradient) => norm.project(moved(from, step, norm.steepest(gradient)), box, epsilon);
}
