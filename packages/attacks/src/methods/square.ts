import type { Attack } from "../attack.js";
import type { Draws } from "../driver/draws.js";
import { marginOf } from "../driver/judge.js";
import { logitsAt } from "../driver/query.js";
import type { Sample } from "../driver/sample.js";
import { expectInteger, expectNumber } from "../expect-values.js";
import { crossEntropyOf } from "../losses/of-logits.js";
import type { Norm } from "../norms/norm.js";
import { normNamed } from "../norms/norm-named.js";

export interface SquareOptions {
  /** `"linf"` unless given. */
  readonly norm?: "linf" | "l2" | "l1";
  /** How often the classifier is asked, 5000 times unless given. */
  readonly queries?: number;
  /** The share of the image that a first square covers; 0.8 unless given. */
  readonly share?: number;
  /** Starts after the first one; 0 unless given. */
  readonly restarts?: number;
  /** Whether squares shrink as if there were 10,000 queries, however many there are; not unless given. */
  readonly rescales?: boolean;
}

/**
 * Random squares: one after the other is tried, and kept where it helps. Needs no gradients, so nothing can mask them.
 *
 * Needs `epsilon`. Images are `[height, width, channels]`; what has fewer axes counts as one row or one channel. Unlike
 * in the authors' program, every sample has squares of its own, and windows of L2 and L1 have an odd side in every image.
 *
 * @see Andriushchenko et al. 2020, https://arxiv.org/abs/1912.00049
 */
export function square(options: SquareOptions = {}): Attack {
  const { norm: name = "linf", queries = 5000, share = 0.8, restarts = 0, rescales = false } = options;
  const norm = normNamed("square", name);
  expectInteger("square: queries", queries, 1);
  expectInteger("square: restarts", restarts, 0);
  expectNumber("square: share", share, "a number in (0, 1]", (x) => x > 0 && x <= 1);
  return {
    name: "square",
    norm: name,
    goal: "within",
    needs: "scores",
    targeting: "both",
    *run(sample) {
      const draws = sample.draws("square");
      const size = sizeOf(sample.shape);
      for (let start = 0; start <= restarts; start++) {
        const first =
          sample.start ?? (name === "linf" ? stripes(sample, size, draws) : bumps(sample, size, norm, draws));
        let best = norm.project(first, sample, sample.epsilon);
        let loss = lossAt(yield* logitsAt(best), sample);
        for (let i = 1; i < queries; i++) {
          const part = share / shrinking(rescales ? Math.floor((i * 10_000) / queries) : i);
          const tried =
            name === "linf"
              ? withSquare(sample, best, size, part, draws)
              : withBump(sample, best, size, part, norm, draws);
          const next = norm.project(tried, sample, sample.epsilon);
          const logits = yield* logitsAt(next);
          const now = lossAt(logits, sample);
          if (now < loss || marginOf(logits, sample) >= 0) best = next;
          loss = Math.min(loss, now);
        }
      }
    },
  };
}

interface Size {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

function sizeOf(shape: readonly number[]): Size {
  const [height, width, channels] = shape.length === 1 ? [1, shape[0]!, 1] : shape;
  return { height: height!, width: width!, channels: channels ?? 1 };
}

/** By how much squares have shrunk at a query. */
function shrinking(i: number): number {
  const ends = [10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000];
  return 2 ** (ends.findIndex((end) => i <= end) === -1 ? 9 : ends.findIndex((end) => i <= end));
}

/** What is lowered: by how much the label is ahead, or the cross-entropy of the target. */
function lossAt(logits: Float32Array, sample: Sample): number {
  return sample.target === null ? -marginOf(logits, sample) : crossEntropyOf(logits, sample.target);
}

const sign = (draws: Draws) => (draws.integer(0, 2) === 0 ? -1 : 1);

/** The start for L∞: every column of every channel up or down by ε. */
function stripes({ x, epsilon }: Sample, { height, width, channels }: Size, draws: Draws): Float64Array {
  const signs = Array.from({ length: width * channels }, () => sign(draws));
  return Float64Array.from(x, (value, i) => value + epsilon * signs[i % (width * channels)]!).subarray(
    0,
    height * width * channels,
  );
}

function withSquare(
  { epsilon }: Sample,
  best: Float32Array,
  { height, width, channels }: Size,
  part: number,
  draws: Draws,
): Float64Array {
  const side = Math.min(Math.max(Math.round(Math.sqrt(part * height * width)), 1), height, width);
  const [top, left] = [placeOf(height, side, draws), placeOf(width, side, draws)];
  const result = Float64Array.from(best);
  for (let c = 0; c < channels; c++) {
    const step = 2 * epsilon * sign(draws);
    for (let y = top; y < top + side; y++) {
      for (let k = left; k < left + side; k++) result[(y * width + k) * channels + c]! += step;
    }
  }
  return result;
}

const placeOf = (length: number, side: number, draws: Draws) =>
  length > side ? draws.integer(0, length - side) : 0;

type BumpNorm = Pick<Norm, "name" | "size">;

/** The start for L2 and L1: five times five bumps of either sign; what of them is too much for L1 is projected. */
function bumps(sample: Sample, size: Size, norm: BumpNorm, draws: Draws): Float64Array {
  const { height, width, channels } = size;
  const side = Math.max(1, Math.floor(Math.min(height, width) / 5));
  const delta = new Float64Array(sample.x.length);
  const margin = Math.floor((Math.min(height, width) - side * 5) / 2);
  for (let top = Math.max(0, margin); top + side <= height; top += side) {
    for (let left = Math.max(0, margin); left + side <= width; left += side) {
      const bump = bumpOf(side, norm, draws);
      for (let c = 0; c < channels; c++) {
        const way = sign(draws);
        forWindow(size, top, left, side, c, (i, k) => {
          delta[i]! += way * bump[k]!;
        });
      }
    }
  }
  return norm.name === "l2" ? stretched(sample, delta, norm) : delta.map((value, i) => sample.x[i]! + value);
}

/**
 * A window is given a new bump on top of what it had, and all that another window had: a change of the same size as
 * before, and what was left of ε.
 */
function withBump(
  sample: Sample,
  best: Float32Array,
  size: Size,
  part: number,
  norm: BumpNorm,
  draws: Draws,
): Float64Array {
  const { height, width, channels } = size;
  const wanted = Math.max(Math.round(Math.sqrt(part * height * width)), 3);
  const side = oddAtMost(wanted % 2 === 0 ? wanted + 1 : wanted, Math.min(height, width));
  const delta = Float64Array.from(best, (value, i) => value - sample.x[i]!);
  const [top, left] = [placeOf(height, side, draws), placeOf(width, side, draws)];
  const [otherTop, otherLeft] = [placeOf(height, side, draws), placeOf(width, side, draws)];
  const rest = budgetLeft(sample.epsilon, norm.size(delta), norm);
  const bump = bumpOf(side, norm, draws);
  for (let c = 0; c < channels; c++) {
    const values: number[] = [];
    const others: number[] = [];
    const isOwn = new Set<number>();
    forWindow(size, top, left, side, c, (i) => {
      values.push(delta[i]!);
      isOwn.add(i);
    });
    forWindow(size, otherTop, otherLeft, side, c, (i) => {
      if (!isOwn.has(i)) others.push(delta[i]!);
      delta[i] = 0;
    });
    const before = norm.size(values);
    const windows = norm.size([...values, ...others]);
    const way = sign(draws);
    const sum = values.map((value, k) => way * bump[k]! + value / (1e-12 + before));
    const scale = windowSize(rest, windows, channels, norm) / (1e-12 + norm.size(sum));
    forWindow(size, top, left, side, c, (i, k) => {
      delta[i] = sum[k]! * scale;
    });
  }
  return norm.name === "l2" ? stretched(sample, delta, norm) : delta.map((value, i) => sample.x[i]! + value);
}

/** What is left of ε: squares of it for L2. */
function budgetLeft(epsilon: number, used: number, { name }: BumpNorm): number {
  return Math.max(0, name === "l2" ? epsilon ** 2 - used ** 2 : epsilon - used);
}

/** How much of ε a channel's window gets: what its two windows had and a share of what is left; for L1 of each channel. */
function windowSize(left: number, windows: number, channels: number, { name }: BumpNorm): number {
  const share = left / channels;
  return name === "l2" ? Math.sqrt(share + windows ** 2) : (share + windows) * channels;
}

/** The image, changed by as much as ε allows in this direction. */
function stretched({ x, epsilon }: Sample, delta: Float64Array, norm: BumpNorm): Float64Array {
  const scale = epsilon / (norm.size(delta) + 1e-12);
  return delta.map((value, i) => x[i]! + scale * value);
}

function oddAtMost(side: number, most: number): number {
  if (side <= most) return side;
  return most % 2 === 0 && most > 1 ? most - 1 : most;
}

/** Calls `each` with the place in the image and in the window of every number of a channel of it. */
function forWindow(
  { width, channels }: Size,
  top: number,
  left: number,
  side: number,
  c: number,
  each: (i: number, k: number) => void,
): void {
  for (let y = 0; y < side; y++) {
    for (let k = 0; k < side; k++) each(((top + y) * width + left + k) * channels + c, y * side + k);
  }
}

/** `[side, side]`: two hills, one up and one down, one above the other or side by side, of size 1. */
function bumpOf(side: number, norm: BumpNorm, draws: Draws): Float64Array {
  const power = norm.name === "l2" ? 2 : 4;
  const upper = Math.floor(side / 2);
  const isSideways = draws.uniform(1)[0]! > 0.5;
  const bump = new Float64Array(side * side);
  const put = (rows: number, from: number, way: number) => {
    const hill = hillOf(rows, side, power, norm);
    for (let y = 0; y < rows; y++) {
      for (let k = 0; k < side; k++) {
        const at = isSideways ? k * side + from + y : (from + y) * side + k;
        bump[at] = way * hill[y * side + k]!;
      }
    }
  };
  put(upper, 0, 1);
  put(side - upper, upper, -1);
  const size = norm.size(bump);
  return size > 0 ? bump.map((value) => value / size) : bump.fill(1);
}

/** `[rows, columns]`: rectangles around the middle, the inner ones on top, of size 1. */
function hillOf(rows: number, columns: number, power: number, norm: BumpNorm): Float64Array {
  const hill = new Float64Array(rows * columns);
  const [middleY, middleX] = [Math.floor(rows / 2), Math.floor(columns / 2)];
  for (let ring = 0; ring < Math.max(middleY, middleX) + 1; ring++) {
    for (let y = Math.max(middleY - ring, 0); y < Math.min(middleY + ring + 1, rows); y++) {
      for (let k = Math.max(middleX - ring, 0); k < Math.min(middleX + ring + 1, columns); k++) {
        hill[y * columns + k]! += 1 / (ring + 1) ** power;
      }
    }
  }
  const size = norm.size(hill);
  return size > 0 ? hill.map((value) => value / size) : hill;
}
