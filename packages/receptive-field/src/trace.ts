import { type AxisTaps, everything } from "./axis-taps.js";
import { intoBorders, withMirrorImages } from "./border-units.js";
import { addProductSet, type ProductSet } from "./product-set.js";
import type { ResolvedGraph } from "./resolve-graph.js";
import { type RunSet, setsIntersect, shiftSet, spreadSet, unionSets } from "./run-set.js";
import { type Sizes, sizeAt } from "./sizes.js";
import { tapsOfInput } from "./taps-of-input.js";

/**
 * The pixels that reach one unit, borders included: what falls into padding,
 * or on units that a rounded-down layer never made, reaches nothing.
 *
 * Walks from the unit to the input and keeps, for every layer, the units needed.
 */
export function pixelsReaching(
  graph: ResolvedGraph,
  sizes: Sizes,
  target: number,
  index: readonly number[],
): ProductSet[] {
  const needed: ProductSet[][] = Array.from({ length: target + 1 }, () => []);
  const pixels: ProductSet[] = [];
  needed[target]!.push(index.map((unit): RunSet => [unit, unit]));
  for (let place = target; place >= 0; place--) {
    const layer = graph.layers[place]!;
    for (const input of layer.inputs) {
      const taps = layer.steps.map((_, axis) =>
        tapsOfInput(layer, axis, sizeAt(sizes, input)[axis]!, sizes.layers[place]![axis]!),
      );
      for (const product of needed[place]!) {
        const read = product.map((units, axis) =>
          intoBorders(unitsRead(taps[axis]!, units), taps[axis]!.border, sizeAt(sizes, input)[axis]!),
        );
        addProductSet(input === -1 ? pixels : needed[input]!, read);
      }
    }
  }
  return pixels;
}

/** The units of one layer that one pixel reaches, borders included. Walks from the pixel upwards. */
export function unitsReached(
  graph: ResolvedGraph,
  sizes: Sizes,
  target: number,
  pixel: readonly number[],
): ProductSet[] {
  const start: ProductSet[] = [pixel.map((position): RunSet => [position, position])];
  const reached: ProductSet[][] = [];
  for (let place = 0; place <= target; place++) {
    const layer = graph.layers[place]!;
    const units: ProductSet[] = [];
    for (const input of layer.inputs) {
      const inputSizes = sizeAt(sizes, input);
      const taps = layer.steps.map((_, axis) =>
        tapsOfInput(layer, axis, inputSizes[axis]!, sizes.layers[place]![axis]!),
      );
      for (const product of input === -1 ? start : reached[input]!) {
        const readers = product.map((set, axis) =>
          unitsReading(
            taps[axis]!,
            withMirrorImages(set, taps[axis]!.border, inputSizes[axis]!),
            sizes.layers[place]![axis]!,
          ),
        );
        addProductSet(units, readers);
      }
    }
    reached.push(units);
  }
  return reached[target]!;
}

/** The positions that a set of units reads. */
function unitsRead(taps: AxisTaps, units: RunSet): RunSet {
  const read: RunSet[] = [];
  for (let i = 0; i < units.length; i += 2) {
    const first = units[i]!;
    const last = units[i + 1]!;
    if (first === Number.NEGATIVE_INFINITY || last === Number.POSITIVE_INFINITY) return everything;
    for (const [phase, set] of taps.phases.entries()) {
      const firstTurn = Math.ceil((first - phase) / taps.period);
      const lastTurn = Math.floor((last - phase) / taps.period);
      if (firstTurn <= lastTurn) read.push(spreadSet(set, taps.shift, firstTurn, lastTurn));
    }
  }
  return unionSets(read);
}

/** The units 0 … n − 1 that read any position of the set. */
function unitsReading(taps: AxisTaps, positions: RunSet, n: number | null): RunSet {
  if (positions.length === 0) return [];
  const lastUnit = n === null ? Number.POSITIVE_INFINITY : n - 1;
  if (taps.shift === 0) {
    return taps.phases.some((set) => setsIntersect(set, positions)) ? [0, lastUnit] : [];
  }
  const runs: RunSet[] = [];
  taps.phases.forEach((set, phase) => {
    if (set.length === 0) return;
    const lastTurn = Math.min(
      Math.floor((positions[positions.length - 1]! - set[0]!) / taps.shift),
      Math.floor((lastUnit - phase) / taps.period),
    );
    const firstTurn = Math.max(Math.ceil((positions[0]! - set[set.length - 1]!) / taps.shift), 0);
    const dense = set.length === 2 && positions.length === 2;
    if (dense && taps.period === 1 && firstTurn <= lastTurn) {
      runs.push([firstTurn, lastTurn]);
      return;
    }
    for (let turn = firstTurn; turn <= lastTurn; turn++) {
      if (!setsIntersect(shiftSet(set, taps.shift * turn), positions)) continue;
      const unit = phase + taps.period * turn;
      runs.push([unit, unit]);
    }
  });
  return unionSets(runs);
}
