import { permutation, randomStream } from "@gradlab/random";
import { gather, reverse, type Tensor, tensor1d, tidy } from "@tensorflow/tfjs-core";
import { rangeMismatch } from "./expect-argument.js";
import { expectInteger } from "./expect-values.js";

/** One element of a group: what it does to an input, and what it does to an output. */
export interface GroupElement {
  /** Names it in a report: the permutation `"1 0 2"`, the shift `"+3"`. */
  readonly label: string;
  readonly onInput: (x: Tensor) => Tensor;
  readonly onOutput: (y: Tensor) => Tensor;
}

export interface AxisOptions {
  /** Of the input, from the end where negative; -2, the tokens of `[..., tokens, width]`, unless given. */
  readonly axis?: number;
  /** Of the output; `axis` unless given. */
  readonly outputAxis?: number;
}

export interface PermutationsOptions extends AxisOptions {
  /** `"all"`, of up to 7 tokens, or how many to draw, at least 1. `"all"` unless given. */
  readonly permutations?: "all" | number;
  /** Of the draw; an integer of at least 0. */
  readonly seed?: number;
}

const mostForAll = 7;

/**
 * Permutations of tokens, place i of the result is what stood at `permutation[i]`: all, the identity first, or a sample.
 *
 * @throws {TypeError | RangeError} when an argument is out of range.
 */
export function tokenPermutations(tokens: number, options: PermutationsOptions = {}): GroupElement[] {
  const { permutations = "all", seed = 0 } = options;
  expectInteger("tokenPermutations: tokens", tokens, 1);
  if (permutations === "all") {
    if (tokens > mostForAll) {
      throw rangeMismatch(
        "tokenPermutations: permutations",
        `a number of them to draw, of more than ${mostForAll} tokens`,
        permutations,
      );
    }
    return orders(tokens).map((order) => moved(order, options));
  }
  expectInteger("tokenPermutations: permutations", permutations, 1);
  expectInteger("tokenPermutations: seed", seed, 0);
  const stream = randomStream({ seed, purpose: "attention permutations" });
  return Array.from({ length: permutations }, () => moved([...permutation(stream, tokens)], options));
}

/**
 * Cyclic shifts along an axis of the given size, by 0 to size - 1.
 *
 * @throws {TypeError | RangeError} when the size is out of range.
 */
export function cyclicShifts(size: number, options: AxisOptions = {}): GroupElement[] {
  expectInteger("cyclicShifts: size", size, 1);
  return Array.from({ length: size }, (_, by) => ({
    ...moved(
      Array.from({ length: size }, (__, i) => (i + size - by) % size),
      options,
    ),
    label: `+${by}`,
  }));
}

/** The identity and the flip of an axis. */
export function flips({ axis = -2, outputAxis = axis }: AxisOptions = {}): GroupElement[] {
  const same = (x: Tensor) => x.clone();
  return [
    { label: "as it is", onInput: same, onOutput: same },
    {
      label: "flipped",
      onInput: (x) => reverse(x, placeOf(x, axis)),
      onOutput: (y) => reverse(y, placeOf(y, outputAxis)),
    },
  ];
}

function moved(order: readonly number[], { axis = -2, outputAxis = axis }: AxisOptions): GroupElement {
  const along = (place: number) => (x: Tensor) =>
    tidy(() => gather(x, tensor1d([...order], "int32"), placeOf(x, place)));
  return { label: order.join(" "), onInput: along(axis), onOutput: along(outputAxis) };
}

const placeOf = ({ rank }: Tensor, axis: number): number => (axis < 0 ? rank + axis : axis);

/** All orders of 0 … n - 1, by value. */
function orders(n: number): number[][] {
  if (n === 1) return [[0]];
  const shorter = orders(n - 1);
  return Array.from({ length: n }, (_, first) =>
    shorter.map((rest) => [first, ...rest.map((i) => (i < first ? i : i + 1))]),
  ).flat();
}
