import { breather, ShapeError } from "@gradlab/core";
import { fillNormal, randomStream } from "@gradlab/random";
import {
  abs,
  add,
  dispose,
  max,
  mean,
  mul,
  type Scalar,
  scalar,
  slice,
  stack,
  sub,
  type Tensor,
  Tensor as TensorClass,
  tensor,
  tidy,
} from "@tensorflow/tfjs-core";
import { numberMismatch, rangeMismatch, typeMismatch } from "./expect-argument.js";
import { expectAtLeast0, expectInteger } from "./expect-values.js";
import { type GroupElement, type PermutationsOptions, tokenPermutations } from "./group-elements.js";

export interface CheckEquivarianceOptions extends PermutationsOptions {
  /** How many tokens; to be given unless `x` or `group` is. */
  readonly tokens?: number;
  /** Of a token of the input that is drawn; 8 unless given. */
  readonly width?: number;
  /** The input; `[tokens, width]` of N(0, 1) numbers from the seed unless given. Borrowed. */
  readonly x?: Tensor;
  /** Elements of any group, in the place of the permutations of tokens. */
  readonly group?: readonly GroupElement[];
  /**
   * `"equivariant"`, the default: `f(PX) = P f(X)`. `"invariant"`: `f(PX) = f(X)`. `"pooled"`: the mean of `f(PX)` over
   * the tokens is that of `f(X)`.
   */
  readonly expected?: "equivariant" | "invariant" | "pooled";
  /** What counts as equal, times the largest output; 1e-6 unless given. */
  readonly tolerance?: number;
  readonly signal?: AbortSignal;
}

/** What a check found. Numbers are differences, absolute and of single outputs. */
export interface EquivarianceReport {
  readonly expected: "equivariant" | "invariant" | "pooled";
  /** Every element holds. */
  readonly holds: boolean;
  /** Elements compared, with the identity where it is among them. */
  readonly elements: number;
  /** How many of them hold. */
  readonly held: number;
  /** The largest difference. */
  readonly deviation: number;
  /** The label of the element that gave it; null where nothing differs at all. */
  readonly worst: string | null;
  /** The largest absolute number of `f(X)` (pooled, where that was compared). */
  readonly largest: number;
  /** The difference up to which numbers counted as equal. */
  readonly limit: number;
  /** How many elements leave `f(X)` as it is: `f(PX) = f(X)`. */
  readonly unchanged: number;
  /** Why a pass says nothing; null where it says something, or nothing passed. */
  readonly vacuous: string | null;
}

/**
 * Whether a function of tokens commutes with a group, found by trying: the permutations of the tokens (all of up to 7, or
 * a seeded sample), or any `group`.
 *
 * A pass is vacuous, and the report says so, where the outputs of all tokens are equal or `f(PX) = f(X)` too, so that
 * every arrangement of the output would have passed; where an invariant output does not depend on the input; and where
 * the input itself is left as it is by all elements.
 *
 * @param f Gives a tensor of float32; its argument is borrowed, its result is disposed. Called in a `tidy`.
 * @throws {TypeError | RangeError} when an option is not as stated.
 * @throws {ShapeError} when the outputs are not of one shape, or have no axis to act on.
 * @see Zaheer et al. 2017, §2, https://arxiv.org/abs/1703.06114
 */
export async function checkEquivariance(
  f: (x: Tensor) => Tensor,
  options: CheckEquivarianceOptions,
): Promise<EquivarianceReport> {
  const where = "checkEquivariance";
  if (typeof options !== "object" || options === null) {
    throw typeMismatch(`${where}: options`, "{tokens}, {x} or {group}", options);
  }
  const { expected = "equivariant", tolerance = 1e-6, signal } = options;
  if (typeof f !== "function") throw typeMismatch(`${where}: f`, "a function", f);
  if (expected !== "equivariant" && expected !== "invariant" && expected !== "pooled") {
    throw rangeMismatch(`${where}: expected`, `"equivariant", "invariant" or "pooled"`, expected);
  }
  expectAtLeast0(`${where}: tolerance`, tolerance);
  expectAxis(options);
  const group = groupOf(where, options);
  if (group.length === 0) throw rangeMismatch(`${where}: group`, "at least one element", group);
  const x = options.x === undefined ? drawn(where, options) : options.x.clone();
  const { outputAxis = options.axis ?? -2 } = options;
  const apply = (given: Tensor) => {
    const y = f(given);
    if (!(y instanceof TensorClass)) throw typeMismatch(`${where}: f`, "a function to a tensor", y);
    return expected === "pooled" ? mean(y, placeIn(where, y, outputAxis)) : y;
  };
  const permutes = expected === "equivariant" && options.group === undefined;
  const found: Tensor[] = [];
  const breathe = breather();
  try {
    const base = tidy(() => apply(x).clone());
    found.push(base);
    if (permutes) placeIn(where, base, outputAxis);
    const rows: Scalar[] = [];
    for (const { onInput, onOutput } of group) {
      await breathe();
      signal?.throwIfAborted();
      const differences = tidy(() => {
        const moved = onInput(x);
        const y = apply(moved);
        const target = expected === "equivariant" ? onOutput(base) : base;
        expectSame(where, y, base);
        expectSame(where, target, base);
        return stack([
          largestDifference(y, target),
          largestDifference(y, base),
          largestDifference(moved, x),
        ]) as Scalar;
      });
      found.push(differences);
      rows.push(differences);
    }
    const sizes = tidy(() => {
      const other = add(mul(x, x), mul(x, 0.5)); // another input, by no law that a function is likely to ignore
      return stack([
        max(abs(base)),
        permutes ? spreadOf(base, outputAxis) : scalar(Infinity),
        expected === "equivariant" ? scalar(Infinity) : largestDifference(apply(other), base),
      ]);
    });
    const all = stack(rows);
    found.push(sizes, all);
    const [[largest, apart, reaction], numbers] = await Promise.all([sizes.data(), all.data()]);
    const limit = tolerance * largest!;
    return report(expected, group, numbers as Float32Array, {
      ...{ largest: largest!, limit, apart: apart!, reaction: reaction! },
    });
  } finally {
    dispose(found);
    x.dispose();
  }
}

function report(
  expected: EquivarianceReport["expected"],
  group: readonly GroupElement[],
  numbers: Float32Array,
  { largest, limit, apart, reaction }: Record<"largest" | "limit" | "apart" | "reaction", number>,
): EquivarianceReport {
  let [held, unchanged, fixed] = [0, 0, 0];
  let [deviation, worst] = [0, null as string | null];
  for (const [i, { label }] of group.entries()) {
    const [difference, change, motion] = numbers.subarray(3 * i, 3 * i + 3) as unknown as [
      number,
      number,
      number,
    ];
    if (difference <= limit) held++;
    if (change <= limit) unchanged++;
    if (motion === 0) fixed++;
    // A NaN is worse than any number, and stays.
    if (difference > deviation || (Number.isNaN(difference) && !Number.isNaN(deviation))) {
      [deviation, worst] = [difference, label];
    }
  }
  const elements = group.length;
  const holds = held === elements;
  const why =
    fixed === elements
      ? "every element leaves the input as it is"
      : apart <= limit
        ? "the outputs of all tokens are equal"
        : reaction <= limit
          ? "the output does not depend on the input"
          : expected === "equivariant" && unchanged === elements
            ? "f(PX) = f(X) too"
            : null;
  return {
    expected,
    holds,
    elements,
    held,
    deviation,
    worst,
    largest,
    limit,
    unchanged,
    vacuous: holds ? why : null,
  };
}

const largestDifference = (a: Tensor, b: Tensor): Scalar => max(abs(sub(a, b))) as Scalar;

/** How far the output of any token is from that of the first. */
function spreadOf(y: Tensor, axis: number): Scalar {
  const place = axis < 0 ? y.rank + axis : axis;
  const size = y.shape.map((length, i) => (i === place ? 1 : length));
  const first = slice(
    y,
    y.shape.map(() => 0),
    size,
  );
  return largestDifference(y, first);
}

/** Checks that permutations find their axis in the input. */
function expectAxis({ group, x, axis = -2 }: CheckEquivarianceOptions): void {
  const where = "checkEquivariance: axis";
  if (!Number.isInteger(axis)) throw numberMismatch(where, "an integer", axis);
  if (group !== undefined) return;
  const rank = x?.rank ?? 2;
  if (axis >= -rank && axis < rank) return;
  throw rangeMismatch(
    where,
    x === undefined ? "an axis of [tokens, width]" : `an axis of [${x.shape.join(", ")}]`,
    axis,
  );
}

/** The place of an axis of an output, from the front. */
function placeIn(where: string, y: Tensor, axis: number): number {
  if (axis >= -y.rank && axis < y.rank) return axis < 0 ? y.rank + axis : axis;
  throw new ShapeError(`${where}: f: expected outputs with an axis ${axis}, got [${y.shape.join(", ")}]`);
}

function expectSame(where: string, y: Tensor, base: Tensor): void {
  if (y.shape.length === base.shape.length && y.shape.every((size, i) => size === base.shape[i])) return;
  throw new ShapeError(
    `${where}: f: expected outputs of one shape, got [${base.shape.join(", ")}] and [${y.shape.join(", ")}]`,
  );
}

function groupOf(where: string, options: CheckEquivarianceOptions): readonly GroupElement[] {
  const { group, x, tokens, axis = -2 } = options;
  if (group !== undefined) {
    if (x === undefined && tokens === undefined) {
      throw rangeMismatch(`${where}: x`, "an input, or the number of tokens of one", x);
    }
    return group;
  }
  const seen = x?.shape.at(axis);
  if (tokens !== undefined && seen !== undefined && tokens !== seen) {
    throw rangeMismatch(`${where}: tokens`, `${seen} as in x`, tokens);
  }
  const count = tokens ?? seen;
  if (count === undefined) throw rangeMismatch(`${where}: tokens`, "a number, or an input x", tokens);
  return tokenPermutations(count, options);
}

function drawn(where: string, { tokens, width = 8, seed = 0 }: CheckEquivarianceOptions): Tensor {
  expectInteger(`${where}: tokens`, tokens, 1);
  expectInteger(`${where}: width`, width, 1);
  const stream = randomStream({ seed, purpose: "attention input" });
  return tensor(fillNormal(stream, new Float32Array(tokens! * width)), [tokens!, width]);
}
