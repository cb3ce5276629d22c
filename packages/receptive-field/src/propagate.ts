import type { AxisTaps } from "./axis-taps.js";
import { leastCommonMultiple } from "./integers.js";
import { graphInputName } from "./layer-graph.js";
import {
  type AxisReach,
  advanceTogether,
  composeReach,
  hullAt,
  isBeyondIntegers,
  type ProductReach,
  pixelReach,
  type Reach,
  uniteReach,
} from "./reach.js";
import { isMerge, type ResolvedGraph } from "./resolve-graph.js";
import { type Sizes, sizeAt } from "./sizes.js";
import { tapsOfInput } from "./taps-of-input.js";

/** Branches that meet although their units do not look at the same places. */
export interface Misalignment {
  /** The merge. */
  readonly layer: string;
  readonly axis: number;
  /** `"shift"`: equally far apart at every unit; `"drift"`: further apart with every unit. */
  readonly kind: "shift" | "drift";
  /**
   * Largest distance in input pixels between the centres of what the branches
   * see through the same unit: at any unit for a shift, at unit 0 for a drift.
   */
  readonly shift: number;
  /** Pixels by which the distance grows from unit to unit; 0 for a shift. */
  readonly drift: number;
  /** `jump` is null where a branch has several; `start` (origin `index`) is null where a branch sees nothing through it. */
  readonly inputs: readonly {
    readonly name: string;
    readonly jump: number | null;
    readonly start: number | null;
  }[];
  /** Where the input size is not known and decides: the remainders for which this holds. */
  readonly whenSize?: { readonly modulus: number; readonly remainders: readonly number[] };
}

export interface Propagation {
  /** What the units of every layer see of the input. */
  readonly reaches: readonly Reach[];
  readonly misalignments: readonly Misalignment[];
}

/**
 * Carries the reach of units from the input through every layer, once, in
 * computation order. `paddingSizes` stands in for the sizes that decide
 * `"same"` padding where `sizes` are not known.
 */
export function propagate(graph: ResolvedGraph, sizes: Sizes, paddingSizes: Sizes = sizes): Propagation {
  const reaches: Reach[] = [];
  const misalignments: Misalignment[] = [];
  const ofInput: Reach = [Array.from({ length: graph.axes }, () => pixelReach)];
  for (const [place, layer] of graph.layers.entries()) {
    const branches = layer.inputs.map((input): Reach => {
      const taps = layer.steps.map((_, axis) =>
        tapsOfInput(
          layer,
          axis,
          sizeAt(sizes, input)[axis] ?? null,
          sizes.layers[place]![axis] ?? null,
          sizeAt(paddingSizes, input)[axis] ?? null,
        ),
      );
      const products = (input === -1 ? ofInput : reaches[input]!).map(
        (product): ProductReach => product.map((reach, axis) => followed(layer.name, reach, taps[axis]!)),
      );
      return products.length === 1 ? products : uniteReach(products);
    });
    reaches.push(branches.length === 1 ? branches[0]! : uniteReach(branches.flat()));
    if (isMerge(layer.op) && branches.length > 1) {
      const names = layer.inputs.map((input) => (input === -1 ? graphInputName : graph.layers[input]!.name));
      for (let axis = 0; axis < graph.axes; axis++) {
        const found = misalignmentOf(names, branches, axis, sizes.layers[place]![axis]!);
        if (found !== null) misalignments.push({ layer: layer.name, axis, ...found });
      }
    }
  }
  return { reaches, misalignments };
}

/** Composes, and says at which layer a field outgrows what can be followed. */
function followed(layer: string, reach: AxisReach, taps: AxisTaps): AxisReach {
  let composed: AxisReach;
  try {
    composed = composeReach(reach, taps);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RangeError(`receptiveField: layer "${layer}": ${error.message}`, { cause: error });
  }
  if (isBeyondIntegers(composed)) {
    throw new RangeError(
      `receptiveField: layer "${layer}": expected a field of fewer than 2^53 pixels, got more`,
    );
  }
  return composed;
}

/** The rules of a layer along one axis, one per product. */
export function alongAxis(reach: Reach, axis: number): AxisReach[] {
  return reach.map((product) => product[axis]!);
}

/** How many units are compared where branches drift apart. */
const comparedUnits = 64;

function misalignmentOf(
  names: readonly string[],
  branches: readonly Reach[],
  axis: number,
  n: number | null,
): Omit<Misalignment, "layer" | "axis"> | null {
  const local = branches.flatMap((reach, i) => {
    const rules = alongAxis(reach, axis);
    // What sees everything, or the same through every unit, has no place of its own.
    return rules.some((rule) => rule.shift === 0) ? [] : [{ name: names[i]!, rules }];
  });
  if (local.length < 2) return null;
  const center = (rules: readonly AxisReach[], unit: number): number | null => {
    const hull = hullAt(rules, unit);
    return hull === null ? null : (hull[0] + hull[1]) / 2;
  };
  const rules = local.flatMap((branch) => branch.rules);
  const together = rules.every((rule) => advanceTogether(rule, rules[0]!));
  // Units that tell all phases apart where distances repeat; else as many as show the drift.
  const repeat = together
    ? rules.reduce((period, rule) => leastCommonMultiple(period, rule.period), 1)
    : comparedUnits;
  const units = Math.min(n ?? repeat, repeat);
  let shift = 0;
  let shiftAtFirst = 0;
  for (let unit = 0; unit < units; unit++) {
    const centers = local.flatMap(({ rules }) => center(rules, unit) ?? []);
    const distance = centers.length === 0 ? 0 : Math.max(...centers) - Math.min(...centers);
    if (unit === 0) shiftAtFirst = distance;
    shift = Math.max(shift, distance);
  }
  if (shift === 0) return null;
  const inputs = local.map(({ name, rules }) => ({
    name,
    jump: rules.every((rule) => advanceTogether(rule, rules[0]!)) ? rules[0]!.shift / rules[0]!.period : null,
    start: center(rules, 0),
  }));
  if (together) return { kind: "shift", shift, drift: 0, inputs };
  const jumps = rules.map((rule) => rule.shift / rule.period);
  return { kind: "drift", shift: shiftAtFirst, drift: Math.max(...jumps) - Math.min(...jumps), inputs };
}
