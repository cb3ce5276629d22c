import type { Attack } from "../attack.js";
import { logitsAt } from "../driver/query.js";
import { expectInteger, expectPositive } from "../expect-values.js";
import { boxed } from "../norms/boxed.js";
import { moved } from "../norms/moved.js";
import { differenceOf, norms } from "../norms/norm.js";
import { decides, firstAdversarial } from "./first-adversarial.js";

export interface BoundaryAttackOptions {
  /** 5000 unless given; the paper has 25,000. */
  readonly steps?: number;
  /** The first size of steps around the image, as a share of the distance; 0.01 unless given. */
  readonly sphericalStep?: number;
  /** The first size of steps towards the image; 0.01 unless given. */
  readonly sourceStep?: number;
  /** By how much both adapt; 1.5 unless given. */
  readonly adaptation?: number;
}

/**
 * The boundary attack: a random walk along the boundary, by decisions alone, in L2. Each step goes around the image and
 * then towards it, and is taken where it stays adversarial; sizes adapt to how many are.
 *
 * @see Brendel, Rauber, Bethge 2018, §2, https://arxiv.org/abs/1712.04248
 */
export function boundaryAttack(options: BoundaryAttackOptions = {}): Attack {
  const { steps = 5000, sphericalStep = 0.01, sourceStep = 0.01, adaptation = 1.5 } = options;
  expectInteger("boundaryAttack: steps", steps, 1);
  expectPositive("boundaryAttack: sphericalStep", sphericalStep);
  expectPositive("boundaryAttack: sourceStep", sourceStep);
  expectPositive("boundaryAttack: adaptation", adaptation);
  const { l2 } = norms;
  return {
    name: "boundary",
    norm: "l2",
    goal: "nearest",
    needs: "decisions",
    targeting: "both",
    *run(sample) {
      const { x: image } = sample;
      const draws = sample.draws("boundary");
      let x = yield* firstAdversarial(sample, "boundary start");
      if (x === null) return;
      let [around, towards] = [sphericalStep, sourceStep];
      const onSphere: boolean[] = [];
      const taken: boolean[] = [];
      for (let k = 1; k <= steps && towards > 1e-7; k++) {
        const source = differenceOf(image, x);
        const distance = l2.size(source);
        if (distance === 0) return;
        const way = source.map((value) => value / distance);
        const noise = draws.normal(image.length);
        const along = noise.reduce((sum, value, i) => sum + value * way[i]!, 0);
        const tangent = noise.map((value, i) => value - along * way[i]!);
        const scale = (around * distance) / (l2.size(tangent) + 1e-30);
        // Back onto the sphere around the image.
        const shrink = 1 / Math.sqrt(1 + around ** 2);
        const sphere = boxed(
          source.map((value, i) => image[i]! + shrink * (scale * tangent[i]! - value)),
          sample,
        );
        // Every second step is looked at before it goes towards the image, to know how well it goes around it.
        if (k % 2 === 0) onSphere.push(decides(yield* logitsAt(sphere), sample));
        const nearer = boxed(moved(sphere, towards, differenceOf(image, sphere)), sample);
        const isTaken = decides(yield* logitsAt(nearer), sample);
        taken.push(isTaken);
        if (isTaken && l2.size(differenceOf(nearer, image)) < distance) x = nearer;
        if (k % 10 !== 0) continue;
        const share = (last: readonly boolean[]) => last.filter(Boolean).length / last.length;
        if (onSphere.length >= 50) {
          const good = share(onSphere);
          if (good > 0.5) [around, towards] = [around * adaptation, towards * adaptation];
          if (good < 0.2) [around, towards] = [around / adaptation, towards / adaptation];
          onSphere.length = 0;
        }
        if (taken.length >= 30) {
          const good = share(taken);
          if (good > 0.25) towards *= adaptation;
          if (good < 0.1) towards /= adaptation;
          taken.length = 0;
        }
      }
    },
  };
}
