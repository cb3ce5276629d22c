import type { Attack } from "../attack.js";
import { logitsAt } from "../driver/query.js";
import { expectInteger } from "../expect-values.js";
import { distanceOf, norms } from "../norms/norm.js";
import { between, decides } from "./first-adversarial.js";

export interface RefinedOptions {
  /** How many groups of numbers are tried to be put back; 64 unless given. */
  readonly groups?: number;
  /** Halvings of the way back to the image; 10 unless given. */
  readonly halvings?: number;
}

/**
 * An attack, and what it has found drawn back to the image as far as decisions allow: along the straight line by halving,
 * and by putting groups of numbers back in a random order. Neither makes a distance larger in any norm.
 *
 * The attack within is run as it is, with the ε of the run; the result is the nearest image.
 *
 * @param attack Any.
 */
export function refined(attack: Attack, { groups = 64, halvings = 10 }: RefinedOptions = {}): Attack {
  expectInteger("refined: groups", groups, 1);
  expectInteger("refined: halvings", halvings, 0);
  const norm = norms[attack.norm];
  return {
    ...attack,
    name: `${attack.name}, refined`,
    goal: "nearest",
    *run(sample) {
      const steps = attack.run(sample);
      for (let next = steps.next(); !next.done; ) {
        next = steps.next(yield next.value);
        // One image within ε is enough to begin with.
        if (attack.goal === "within" && sample.found() !== null) break;
      }
      const found = sample.found();
      if (found === null) return;
      let best = found.x;
      let [low, high] = [0, 1];
      const far = best;
      for (let k = 0; k < halvings; k++) {
        const middle = (low + high) / 2;
        const point = between(sample.x, far, middle);
        if (decides(yield* logitsAt(point), sample)) [high, best] = [middle, point];
        else low = middle;
      }
      const draws = sample.draws("refined");
      const group = best.map(() => draws.integer(0, groups));
      for (let g = 0; g < groups; g++) {
        const point = best.map((value, i) => (group[i] === g ? sample.x[i]! : value));
        if (distanceOf(norm, point, sample.x) === distanceOf(norm, best, sample.x) && attack.norm !== "linf")
          continue;
        if (decides(yield* logitsAt(point), sample)) best = point;
      }
    },
  };
}
