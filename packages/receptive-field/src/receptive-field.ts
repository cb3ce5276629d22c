import type { LayerGraph } from "./layer-graph.js";
import { layerSizes } from "./layer-sizes.js";
import { analyse, type LayerRow, type Origin, originOffset } from "./layer-table.js";
import { countUnion, hullOfUnion, type ProductSet } from "./product-set.js";
import { alongAxis, type Misalignment } from "./propagate.js";
import { hullAt, type Reach, reachOf } from "./reach.js";
import { analyseResidues, dependOnSize } from "./residues.js";
import { axisName, type ResolvedGraph, resolveGraph } from "./resolve-graph.js";
import type { Sizes } from "./sizes.js";
import { pixelsReaching, unitsReached } from "./trace.js";

export interface ReceptiveFieldOptions {
  /** Size of the input in pixels, one number for every axis or one per axis; default: the graph's own. */
  readonly inputSize?: number | readonly (number | null)[];
  /** Default `"index"`. */
  readonly origin?: Origin;
}

/** What one unit sees along one axis; null where it sees nothing. */
export interface UnitAxis {
  /** Middle of the box, in the chosen origin. */
  readonly center: number | null;
  /** Low and high edge of the box, center ± size/2, in the chosen origin. */
  readonly edges: readonly [low: number, high: number] | null;
  /** First and last pixel of the box, as zero-based indices, padding included. */
  readonly pixels: readonly [first: number, last: number] | null;
  /** The same cut off at the borders of the input (at its begin only, while the size is unknown). */
  readonly clipped: readonly [first: number, last: number] | null;
}

export interface Unit {
  readonly layer: string;
  /** Zero-based, in the order y, x. */
  readonly index: readonly number[];
  readonly axes: readonly UnitAxis[];
  /** How many pixels of the input contribute, borders included; null where the unknown size decides. */
  readonly contributing: number | null;
  /** Pixels inside the clipped box that do not contribute. */
  readonly holes: number | null;
}

/** A set of pixels, or of units: along each axis, runs of first and last index. */
export interface RunProduct {
  readonly axes: readonly (readonly (readonly [first: number, last: number])[])[];
}

export interface UnitsSeeing {
  readonly layer: string;
  readonly pixel: readonly number[];
  /** First and last unit along each axis, or null where no unit sees the pixel. */
  readonly axes: readonly (readonly [first: number, last: number] | null)[];
  readonly count: number;
  /** The units, as a union of products. */
  readonly units: readonly RunProduct[];
}

export interface ReceptiveField {
  readonly origin: Origin;
  readonly inputSize: readonly (number | null)[];
  /** One row per layer, in computation order. */
  readonly layers: readonly LayerRow[];
  /** The merges whose branches do not look at the same places. */
  readonly misalignments: readonly Misalignment[];
  /** The box of one unit. */
  unit(layer: string, index: readonly number[]): Unit;
  /** The pixels that contribute to one unit, holes and borders included, as a union of products. */
  pixelsOf(layer: string, index: readonly number[]): readonly RunProduct[];
  /** The inverse: the units that one pixel contributes to. */
  unitsSeeing(layer: string, pixel: readonly number[]): UnitsSeeing;
}

/**
 * The receptive field of every layer: `size ← size + (k − 1) · jump`,
 * `jump ← jump · stride`, carried through any graph as exact sets of pixels,
 * so that branches, dilation, phases and holes come out right.
 *
 * Unlike the paper, branches that do not line up are an answer (the exact
 * union, with the merge and the shift named), not an error.
 *
 * @param graph The network.
 * @returns The table, and functions for single units. It is plain data but for these functions.
 * @throws {RangeError} when the graph is impossible, or a layer's output would be empty; the message names the layer.
 * @see Araujo, Norris, Sim 2019, "Computing Receptive Fields of Convolutional Neural Networks", Distill, https://doi.org/10.23915/distill.00021
 */
export function receptiveField(graph: LayerGraph, options: ReceptiveFieldOptions = {}): ReceptiveField {
  const { origin = "index" } = options;
  if (!Object.hasOwn(originOffset, origin)) {
    throw new RangeError(
      `receptiveField: origin: expected index, half or one, got ${JSON.stringify(origin)}`,
    );
  }
  const resolved = resolveGraph(graph, "receptiveField");
  const input = resolveInputSize(resolved, options.inputSize);
  const sizes: Sizes = { input, layers: layerSizes(resolved, input, "receptiveField") };
  const dependent = dependOnSize(resolved, sizes);
  const table = dependent.includes(true)
    ? analyseResidues(resolved, sizes, origin, dependent)
    : analyse(resolved, sizes, origin);

  const placeOf = (caller: string, layer: string): number => {
    const place = resolved.layers.findIndex(({ name }) => name === layer);
    if (place === -1)
      throw new RangeError(`${caller}: layer: expected a layer of the graph, got ${JSON.stringify(layer)}`);
    if (dependent[place]) {
      throw new RangeError(
        `${caller}: inputSize: expected a size, because "same" padding depends on it, got none`,
      );
    }
    return place;
  };
  const pixelsOf = (layer: string, index: readonly number[], caller: string): ProductSet[] => {
    const place = placeOf(caller, layer);
    checkPosition(caller, "index", index, sizes.layers[place]!);
    return pixelsReaching(resolved, sizes, place, index);
  };
  return {
    origin,
    inputSize: input,
    layers: table.rows,
    misalignments: table.misalignments,
    unit(layer, index) {
      const pixels = pixelsOf(layer, index, "unit");
      const reach = table.reaches[placeOf("unit", layer)]!;
      return describeUnit(layer, index, reach, pixels, input, origin);
    },
    pixelsOf: (layer, index) => pixelsOf(layer, index, "pixelsOf").map(asRuns),
    unitsSeeing(layer, pixel) {
      const place = placeOf("unitsSeeing", layer);
      checkPosition("unitsSeeing", "pixel", pixel, input);
      const units = unitsReached(resolved, sizes, place, pixel);
      return {
        layer,
        pixel,
        axes: pixel.map((_, axis) => hullOfUnion(units, axis)),
        count: countUnion(units),
        units: units.map(asRuns),
      };
    },
  };
}

function describeUnit(
  layer: string,
  index: readonly number[],
  reach: Reach,
  pixels: readonly ProductSet[],
  input: readonly (number | null)[],
  origin: Origin,
): Unit {
  // A product that is empty along one axis sees nothing along the others either.
  const products = reach.filter((product) =>
    product.every((rule, axis) => reachOf(rule, index[axis]!).length > 0),
  );
  const offset = originOffset[origin];
  const axes = index.map((unit, axis): UnitAxis => {
    const hull = hullAt(alongAxis(products, axis), unit);
    if (hull === null || !Number.isFinite(hull[0])) {
      return { center: null, edges: null, pixels: null, clipped: null };
    }
    const center = (hull[0] + hull[1]) / 2 + offset;
    const half = (hull[1] - hull[0] + 1) / 2;
    const first = Math.max(hull[0], 0);
    const last = Math.min(hull[1], (input[axis] ?? Number.POSITIVE_INFINITY) - 1);
    return {
      center,
      edges: [center - half, center + half],
      pixels: hull,
      clipped: first <= last ? [first, last] : null,
    };
  });
  const contributing = countUnion(pixels);
  const box = axes.reduce((count, { clipped }) => {
    return clipped === null ? 0 : count * (clipped[1] - clipped[0] + 1);
  }, 1);
  const known =
    Number.isFinite(contributing) && axes.every((axis) => axis.pixels !== null || contributing === 0);
  return {
    layer,
    index,
    axes,
    contributing: Number.isFinite(contributing) ? contributing : null,
    holes: known ? box - contributing : null,
  };
}

function asRuns(product: ProductSet): RunProduct {
  return {
    axes: product.map((set) =>
      Array.from({ length: set.length / 2 }, (_, i): [number, number] => [set[2 * i]!, set[2 * i + 1]!]),
    ),
  };
}

function resolveInputSize(
  graph: ResolvedGraph,
  given: number | readonly (number | null)[] | undefined,
): readonly (number | null)[] {
  if (given === undefined) return graph.inputShape;
  const sizes = typeof given === "number" ? Array.from({ length: graph.axes }, () => given) : given;
  if (!Array.isArray(sizes) || sizes.length !== graph.axes) {
    throw new RangeError(
      `receptiveField: inputSize: expected one size or ${graph.axes} of them, got ${JSON.stringify(given)}`,
    );
  }
  for (const size of sizes) {
    if (size !== null && !(Number.isSafeInteger(size) && size > 0)) {
      throw new RangeError(
        `receptiveField: inputSize: expected positive integers, got ${JSON.stringify(given)}`,
      );
    }
  }
  return sizes;
}

function checkPosition(
  caller: string,
  argument: string,
  position: readonly number[],
  sizes: readonly (number | null)[],
): void {
  if (!Array.isArray(position) || position.length !== sizes.length) {
    throw new RangeError(
      `${caller}: ${argument}: expected ${sizes.length} integers, got ${JSON.stringify(position)}`,
    );
  }
  position.forEach((at, axis) => {
    const limit = sizes[axis] ?? Number.MAX_SAFE_INTEGER;
    if (!Number.isSafeInteger(at) || at < 0 || at >= limit) {
      const most = sizes[axis] === null ? "a non-negative integer" : `an integer from 0 to ${limit - 1}`;
      throw new RangeError(
        `${caller}: ${argument}: expected ${most} along ${axisName(axis, sizes.length)}, got ${JSON.stringify(at)}`,
      );
    }
  });
}
