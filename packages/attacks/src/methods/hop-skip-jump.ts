import type { Attack } from "../attack.js";
import { logitsAt, logitsAtAll, type Steps } from "../driver/query.js";
import type { Sample } from "../driver/sample.js";
import { expectInteger, expectPositive } from "../expect-values.js";
import { boxed } from "../norms/boxed.js";
import { moved } from "../norms/moved.js";
import { distanceOf, norms } from "../norms/norm.js";
import { normNamed } from "../norms/norm-named.js";
import { clamp } from "../norms/single-precision.js";
import { between, decides, firstAdversarial, onBoundary } from "./first-adversarial.js";

export interface HopSkipJumpOptions {
  /** `"l2"` unless given. */
  readonly norm?: "l2" | "linf";
  /** 64 unless given. */
  readonly steps?: number;
  /** Random directions in the first step; later ones take `√(step + 1)` times as many. 100 unless given. */
  readonly directions?: number;
  /** At most so many directions; 10,000 unless given. */
  readonly mostDirections?: number;
  /** Of the threshold of the search for the boundary; 1 unless given. */
  readonly gamma?: number;
}

/**
 * HopSkipJump: along the boundary by decisions alone. In each step the direction of the boundary is estimated from the
 * decisions around a point on it, a jump is made along it, and the boundary is searched for again by halving.
 *
 * The start may be given (`start`), as an image of another class; without one it is noise. Loops end: a jump is halved at
 * most 50 times.
 *
 * @see Chen, Jordan, Wainwright 2020, Algorithm 2, https://arxiv.org/abs/1904.02144
 */
export function hopSkipJump(options: HopSkipJumpOptions = {}): Attack {
  const { norm: name = "l2", steps = 64, directions = 100, mostDirections = 10_000, gamma = 1 } = options;
  const norm = normNamed("hopSkipJump", name, ["l2", "linf"]);
  expectInteger("hopSkipJump: steps", steps, 1);
  expectInteger("hopSkipJump: directions", directions, 1);
  expectInteger("hopSkipJump: mostDirections", mostDirections, 1);
  expectPositive("hopSkipJump: gamma", gamma);
  return {
    name: "hopskipjump",
    norm: name,
    goal: "nearest",
    needs: "decisions",
    targeting: "both",
    *run(sample) {
      const { x: image } = sample;
      const d = image.length;
      const theta = gamma / (Math.sqrt(d) * (name === "l2" ? d : d ** 1.5));
      const first = yield* firstAdversarial(sample, "hopskipjump start");
      if (first === null) return;
      let x = yield* toBoundary(sample, first, name, theta);
      const range = norms.linf.size(sample.upper.map((value, i) => value - sample.lower[i]!));
      for (let k = 0; k < steps; k++) {
        const distance = distanceOf(norm, x, image);
        if (distance === 0) return;
        const delta = k === 0 ? 0.1 * range : (name === "l2" ? Math.sqrt(d) : d) * theta * distance;
        const count = Math.min(Math.floor(directions * Math.sqrt(k + 1)), mostDirections);
        const gradient = yield* estimate(sample, x, name, delta, count);
        const direction = norm.steepest(gradient);
        let size = distance / Math.sqrt(k + 1);
        let next = x;
        for (let halving = 0; halving < 50; halving++, size /= 2) {
          const point = boxed(moved(x, size, direction), sample);
          if (!decides(yield* logitsAt(point), sample)) continue;
          next = point;
          break;
        }
        x = yield* toBoundary(sample, next, name, theta);
      }
    },
  };
}

/** The direction of the boundary: the mean of random directions of length 1, each with the sign of its decision. */
function* estimate(
  sample: Sample,
  x: Float32Array,
  name: "l2" | "linf",
  delta: number,
  count: number,
): Steps<Float64Array> {
  const draws = sample.draws("hopskipjump");
  const ways = Array.from({ length: count }, () => {
    const way = name === "l2" ? draws.normal(x.length) : draws.uniform(x.length, -1, 1);
    const size = norms.l2.size(way);
    const point = boxed(moved(x, delta / (size + 1e-30), way), sample);
    // What the box leaves of it.
    return { point, way: moved(point, -1, x).map((value) => value / delta) };
  });
  const logits = yield* logitsAtAll(ways.map(({ point }) => point));
  const votes = logits.map((each) => (decides(each, sample) ? 1 : -1));
  const mean = votes.reduce<number>((a, b) => a + b, 0) / count;
  const gradient = new Float64Array(x.length);
  for (const [i, { way }] of ways.entries()) {
    const weight = Math.abs(mean) === 1 ? mean : votes[i]! - mean;
    for (let k = 0; k < gradient.length; k++) gradient[k]! += (weight * way[k]!) / count;
  }
  return gradient;
}

function toBoundary(
  sample: Sample,
  far: Float32Array,
  name: "l2" | "linf",
  theta: number,
): Steps<Float32Array> {
  const { x: image } = sample;
  if (name === "l2")
    return onBoundary(sample, far, (point, share) => between(image, point, share), Math.max(theta, 1e-6));
  const reach = distanceOf(norms.linf, far, image);
  const within = (point: Float32Array, share: number) =>
    point.map((value, i) => clamp(value, image[i]! - share * reach, image[i]! + share * reach));
  return onBoundary(sample, far, within, Math.max(Math.min(reach * theta, theta), 1e-6));
}
