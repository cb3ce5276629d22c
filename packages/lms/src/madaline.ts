import { randomStream, uniform } from "@gradlab/random";
import { rangeMismatch } from "./expect-argument.js";
import { expectInteger, expectPositive, toVector } from "./expect-values.js";
import { type Matrix, type MatrixLike, toMatrix } from "./matrix.js";

/**
 * A network of Adalines: layer l maps its `sizes[l]` inputs, each -1 or 1, to `sizes[l + 1]` outputs
 * `sign(wᵀ[1, inputs])`, where `sign(0)` is 1. Plain data.
 */
export interface Madaline {
  /** Number of inputs, of units of every layer, the last being the outputs. */
  readonly sizes: readonly number[];
  /** `layers[l]`: `[sizes[l + 1], sizes[l] + 1]`, row after row, bias first. */
  readonly layers: readonly Float64Array[];
}

/** What every unit of a Madaline says to one pattern: `[unit]` by layer. */
export interface Responses {
  /** The sums `s = wᵀ[1, inputs]`. */
  readonly sums: readonly Float64Array[];
  /** The outputs, each -1 or 1. */
  readonly outputs: readonly Float64Array[];
}

/**
 * A Madaline with weights uniform in [-scale, scale).
 *
 * @param sizes Number of inputs, then of units layer by layer: `[2, 2, 1]` solves XOR.
 * @param options `seed`, `index`: which of the random nets, 0 unless given. `scale`: positive, 0.5 unless given.
 * @throws {TypeError | RangeError} when an argument is not as stated.
 */
export function initMadaline(
  sizes: readonly number[],
  {
    seed = 0,
    index = 0,
    scale = 0.5,
  }: { readonly seed?: number; readonly index?: number; readonly scale?: number } = {},
): Madaline {
  if (!Array.isArray(sizes) || sizes.length < 2)
    throw rangeMismatch("initMadaline: sizes", "an array of at least two sizes", sizes);
  sizes.forEach((size, l) => {
    expectInteger(`initMadaline: sizes[${l}]`, size, 1);
  });
  expectInteger("initMadaline: seed", seed, 0);
  expectInteger("initMadaline: index", index, 0);
  expectPositive("initMadaline: scale", scale);
  const stream = randomStream({ seed, purpose: "lms: madaline", index });
  return {
    sizes: [...sizes],
    layers: sizes.slice(1).map((units, l) => {
      const weights = new Float64Array(units * (sizes[l]! + 1));
      for (let i = 0; i < weights.length; i++) weights[i] = uniform(stream, -scale, scale);
      return weights;
    }),
  };
}

/**
 * What a Madaline says to one pattern.
 *
 * @param pattern `[sizes[0] + 1]`, the constant 1 first, as a row of `truthTable`.
 * @throws {TypeError | RangeError} when an argument is not as stated.
 */
export function respond(net: Madaline, pattern: ArrayLike<number>): Responses {
  checkMadaline("respond: net", net);
  const x = toVector("respond: pattern", pattern, net.sizes[0]! + 1);
  const responses = emptyResponses(net);
  forward(net, x, 0, responses);
  return responses;
}

/** How many of the outputs differ from the wanted ones, over all patterns: what the rules report as errors. */
export function countErrors(net: Madaline, X: MatrixLike, T: MatrixLike): number {
  const { x, t } = toPatterns("countErrors", net, X, T);
  const responses = emptyResponses(net);
  let errors = 0;
  for (let k = 0; k < x.rows; k++) {
    forward(net, x.data, k * x.columns, responses);
    errors += hamming(responses, t, k);
  }
  return errors;
}

export function copyMadaline({ sizes, layers }: Madaline): Madaline {
  return { sizes, layers: layers.map((weights) => weights.slice()) };
}

export function emptyResponses({ sizes }: Madaline): Responses {
  const empty = () => sizes.slice(1).map((units) => new Float64Array(units));
  return { sums: empty(), outputs: empty() };
}

/** All layers, from the pattern that begins at `x[at]` with its constant 1. */
export function forward(net: Madaline, x: Float64Array, at: number, responses: Responses): void {
  const { sums, outputs } = responses;
  const [first] = net.layers;
  const width = net.sizes[0]! + 1;
  for (let unit = 0; unit < net.sizes[1]!; unit++) {
    let s = 0;
    for (let i = 0; i < width; i++) s += first![unit * width + i]! * x[at + i]!;
    sums[0]![unit] = s;
    outputs[0]![unit] = s < 0 ? -1 : 1;
  }
  forwardFrom(net, 1, responses);
}

/** The layers from `layer` on, given the outputs of the one before. */
export function forwardFrom(net: Madaline, layer: number, { sums, outputs }: Responses): void {
  for (let l = layer; l < net.layers.length; l++) {
    const weights = net.layers[l]!;
    const inputs = outputs[l - 1]!;
    const width = inputs.length + 1;
    for (let unit = 0; unit < outputs[l]!.length; unit++) {
      let s = weights[unit * width]!;
      for (let i = 1; i < width; i++) s += weights[unit * width + i]! * inputs[i - 1]!;
      sums[l]![unit] = s;
      outputs[l]![unit] = s < 0 ? -1 : 1;
    }
  }
}

/** How many outputs of the last layer differ from row k of `t`. */
export function hamming({ outputs }: Responses, t: Matrix, k: number): number {
  const last = outputs[outputs.length - 1]!;
  let errors = 0;
  for (let i = 0; i < last.length; i++) errors += last[i] === t.data[k * t.columns + i] ? 0 : 1;
  return errors;
}

/**
 * α-LMS on one unit, toward the output `wanted`, from the inputs of its layer; `x[at]` begins the pattern of the first
 * layer. Returns the length of the change of its weights.
 */
export function adapt(
  net: Madaline,
  layer: number,
  unit: number,
  wanted: number,
  rate: number,
  { sums, outputs }: Responses,
  x: Float64Array,
  at: number,
): number {
  const weights = net.layers[layer]!;
  const width = net.sizes[layer]! + 1;
  const inputs = layer === 0 ? x.subarray(at + 1, at + width) : outputs[layer - 1]!;
  const row = unit * width;
  // ‖[1, inputs]‖² is the width: all entries are -1 or 1.
  const g = (rate * (wanted - sums[layer]![unit]!)) / width;
  weights[row]! += g;
  for (let i = 1; i < width; i++) weights[row + i]! += g * inputs[i - 1]!;
  return Math.abs(g) * Math.sqrt(width);
}

function checkMadaline(where: string, { sizes, layers }: Madaline): void {
  if (layers.length !== sizes.length - 1 || layers.length === 0) {
    throw rangeMismatch(`${where}.layers`, `${sizes.length - 1} layers`, layers);
  }
  layers.forEach((weights, l) => {
    toVector(`${where}.layers[${l}]`, weights, sizes[l + 1]! * (sizes[l]! + 1));
  });
}

/** Patterns and wanted outputs that fit a net, all of them -1 or 1. */
export function toPatterns(
  where: string,
  net: Madaline,
  X: MatrixLike,
  T: MatrixLike,
): { x: Matrix; t: Matrix } {
  checkMadaline(`${where}: net`, net);
  const x = toMatrix(`${where}: X`, X);
  const t = toMatrix(`${where}: T`, T);
  const [inputs, outputs] = [net.sizes[0]! + 1, net.sizes.at(-1)!];
  if (x.columns !== inputs) {
    throw new RangeError(
      `${where}: X: expected rows of ${inputs} numbers (1, then the inputs), got ${x.columns}`,
    );
  }
  if (t.columns !== outputs || t.rows !== x.rows) {
    throw new RangeError(
      `${where}: T: expected ${x.rows} rows of ${outputs} numbers, got ${t.rows} of ${t.columns}`,
    );
  }
  const wrong = (value: number) => Math.abs(value) !== 1;
  if (x.data.some(wrong) || x.data.some((value, i) => i % inputs === 0 && value !== 1)) {
    throw new RangeError(`${where}: X: expected rows of 1, then -1 or 1, got something else`);
  }
  if (t.data.some(wrong)) throw new RangeError(`${where}: T: expected -1 or 1, got something else`);
  return { x, t };
}
