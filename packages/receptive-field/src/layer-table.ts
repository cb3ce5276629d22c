import { leastCommonMultiple } from "./integers.js";
import type { LayerOp } from "./layer-graph.js";
import { addProductSet, countUnion, hullOfUnion, type ProductSet } from "./product-set.js";
import { alongAxis, type Misalignment, propagate } from "./propagate.js";
import { type AxisReach, advanceTogether, hullAt, joinReach, type Reach, reachOf } from "./reach.js";
import type { ResolvedGraph } from "./resolve-graph.js";
import { countSet, hullOf, unionSets } from "./run-set.js";
import type { Sizes } from "./sizes.js";

/**
 * Where the coordinate 0 lies: `"index"` in the centre of the first pixel,
 * `"half"` at its edge (its centre is 0.5), `"one"` one before its centre (the
 * first pixel is 1).
 */
export type Origin = "index" | "half" | "one";

export const originOffset: Readonly<Record<Origin, number>> = { index: 0, half: 0.5, one: 1 };

/**
 * One layer of the table. Every array has one entry per axis (y, x); an entry
 * is null where no single value exists: `n` while the input's size is unknown;
 * `jump` and `start` where the units that there are do not lie evenly; `size`
 * where they differ in it; `padding` where either holds. Then `phases` or
 * `units` list the boxes, unless it is their place along another axis that makes
 * them differ: a branch through which a unit sees nothing there shows nothing here. A field that the unknown size of the input decides is
 * null too, and `residues` says how where it can.
 */
export interface LayerRow {
  readonly name: string;
  readonly op: LayerOp;
  /** Number of units. */
  readonly n: readonly (number | null)[];
  /** Distance between the centres of neighbouring units, in input pixels; null for the one unit that sees everything. */
  readonly jump: readonly (number | null)[];
  /** Size of the receptive field: from the first to the last pixel seen, in input pixels. */
  readonly size: readonly (number | null)[];
  /** Centre of unit 0 in the chosen origin. */
  readonly start: readonly (number | null)[];
  /** Effective padding: how far unit 0 looks beyond the first pixel. */
  readonly padding: readonly (number | null)[];
  /** How many of the `size` positions contribute, along each axis taken alone. */
  readonly contributing: readonly (number | null)[];
  /** Pixels inside the box (all axes together) that never contribute; null where units differ in it, or in too many ways to look at. */
  readonly holes: number | null;
  /** Where boxes repeat after `period` units, `shift` pixels further: the boxes of the first `period` units. */
  readonly phases?: readonly (PhaseTable | null)[];
  /** Where they do not repeat: the boxes of the units, of 1024 at most (of the first 64, while the size is unknown). */
  readonly units?: readonly ((readonly [first: number, last: number] | null)[] | null)[];
  /** Where `"same"` padding needs the input size: the values for every remainder of the size. */
  readonly residues?: readonly (readonly ResidueRow[] | null)[];
}

export interface PhaseTable {
  readonly period: number;
  readonly shift: number;
  /** First and last pixel seen, as zero-based indices; null for a unit that sees nothing. */
  readonly boxes: readonly (readonly [first: number, last: number] | null)[];
}

/** What holds along one axis for input sizes that leave one of `remainders` when divided by `modulus`. */
export interface ResidueRow {
  readonly modulus: number;
  readonly remainders: readonly number[];
  readonly jump: number | null;
  readonly size: number | null;
  readonly start: number | null;
  readonly padding: number | null;
  /** Boxes, where they repeat with more than one unit and are not even. */
  readonly phases: PhaseTable | null;
}

/** The analysis of a whole graph. */
export interface LayerTable {
  readonly rows: readonly LayerRow[];
  readonly misalignments: readonly Misalignment[];
  readonly reaches: readonly Reach[];
}

/** The table for known sizes (or for sizes that nothing depends on). */
export function analyse(
  graph: ResolvedGraph,
  sizes: Sizes,
  origin: Origin,
  paddingSizes: Sizes = sizes,
): LayerTable {
  const { reaches, misalignments } = propagate(graph, sizes, paddingSizes);
  const rows = graph.layers.map(({ name, op }, place) =>
    tableRow(name, op, sizes.layers[place]!, reaches[place]!, originOffset[origin]),
  );
  return { rows, misalignments, reaches };
}

/** Units listed for a layer whose boxes do not repeat, while its size is unknown. */
const listedUnits = 64;
/** Units listed for such a layer at most. */
const mostListedUnits = 1024;

function tableRow(
  name: string,
  op: LayerOp,
  n: readonly (number | null)[],
  reach: Reach,
  offset: number,
): LayerRow {
  const axes = n.map((count, axis) => {
    const columns = axisColumns(alongAxis(reach, axis), count, offset);
    const fewer = livingProducts(reach, n, axis).map((living) =>
      axisColumns(alongAxis(living, axis), count, offset),
    );
    return fewer.reduce(agreed, columns);
  });
  const column = <K extends keyof AxisColumns>(key: K) => axes.map((axis) => axis[key]);
  const phases = column("phases");
  const units = column("units");
  return {
    name,
    op,
    n,
    jump: column("jump"),
    size: column("size"),
    start: column("start"),
    padding: column("padding"),
    contributing: column("contributing"),
    holes: holesOf(reach, n, axes),
    ...(phases.some((table) => table !== null) && { phases }),
    ...(units.some((list) => list !== null) && { units }),
  };
}

/**
 * The products without those through which a unit sees nothing, for its place along the other axes alone: each set of
 * them that is smaller than the whole. What such a unit sees along this axis is the union of these.
 */
function livingProducts(reach: Reach, n: readonly (number | null)[], axis: number): Reach[] {
  const isEmpty = ({ phases }: AxisReach) => phases.some((set) => set.length === 0);
  if (
    reach.length === 1 ||
    !reach.some((product) => product.some((rule, at) => at !== axis && isEmpty(rule)))
  ) {
    return [];
  }
  let sets: ReadonlySet<number>[] = [new Set(reach.keys())];
  for (const [other, count] of n.entries()) {
    if (other === axis) continue;
    const rules = alongAxis(reach, other);
    const period = rules.reduce((all, rule) => leastCommonMultiple(all, rule.period), 1);
    const living = new Map<string, ReadonlySet<number>>();
    for (let unit = 0; unit < Math.min(count ?? period, period, mostComparedUnits); unit++) {
      const alive = [...rules.keys()].filter((i) => reachOf(rules[i]!, unit).length > 0);
      living.set(alive.join(), new Set(alive));
    }
    const both = sets.flatMap((set) =>
      [...living.values()].map((alive) => new Set([...set].filter((i) => alive.has(i)))),
    );
    sets = [...new Map(both.map((set) => [[...set].join(), set])).values()];
  }
  return sets
    .filter((set) => set.size > 0 && set.size < reach.length)
    .map((set) => reach.filter((_, i) => set.has(i)));
}

/** What holds in both. */
function agreed(a: AxisColumns, b: AxisColumns): AxisColumns {
  const same = (key: "jump" | "size" | "start" | "padding" | "contributing") =>
    a[key] === b[key] ? a[key] : null;
  return {
    ...a,
    ...{ jump: same("jump"), size: same("size"), start: same("start"), padding: same("padding") },
    contributing: same("contributing"),
  };
}

interface AxisColumns {
  jump: number | null;
  size: number | null;
  start: number | null;
  padding: number | null;
  contributing: number | null;
  phases: PhaseTable | null;
  units: ([number, number] | null)[] | null;
}

/** Units looked at, to see whether a value is the same for all of them. */
const mostComparedUnits = 2 ** 16;

/** The columns of one axis: from one periodic rule where there is one, else unit by unit. */
function axisColumns(rules: readonly AxisReach[], n: number | null, offset: number): AxisColumns {
  const columns: AxisColumns = {
    jump: null,
    size: null,
    start: null,
    padding: null,
    contributing: null,
    phases: null,
    units: null,
  };
  if (rules.some(seesEverything)) return columns;
  const rule = commonRule(rules);
  const units = Math.min(
    n ?? Number.POSITIVE_INFINITY,
    rule?.period ?? (n === null ? listedUnits : mostComparedUnits),
  );
  const boxes = Array.from({ length: units }, (_, unit) => hullAt(rule === null ? rules : [rule], unit));
  // Drifting branches part in the end, where there is no end.
  const isComplete = rule !== null || (n !== null && n <= units);
  const [first] = boxes;
  const widths = boxes.map((box) => (box === null ? 0 : box[1] - box[0] + 1));
  if (isComplete && widths.every((width) => width === widths[0])) columns.size = widths[0]!;
  if (isComplete && units <= mostListedUnits) {
    const counts = boxes.map((_, unit) => countSet(unionSets(rules.map((one) => reachOf(one, unit)))));
    if (counts.every((count) => count === counts[0])) columns.contributing = counts[0]!;
  }
  const step = isComplete ? evenStep(boxes, rule, n) : null;
  if (step !== null && first != null) {
    columns.jump = step === "one unit" ? null : step;
    columns.start = (first[0] + first[1]) / 2 + offset;
    if (columns.size !== null) columns.padding = 0 - first[0];
  }
  if (step === null || columns.size === null) {
    if (rule === null) columns.units = boxes.slice(0, mostListedUnits);
    else if (units > 1)
      columns.phases = { period: rule.period, shift: rule.shift, boxes: [...boxes, ...restOf(rule, units)] };
  }
  return columns;
}

const seesEverything = ({ phases }: AxisReach) => phases.some((set) => set[0] === Number.NEGATIVE_INFINITY);

/** The one rule that says what all of them say together, or null where they drift apart. */
function commonRule(rules: readonly AxisReach[]): AxisReach | null {
  return rules.every((rule) => advanceTogether(rule, rules[0]!)) ? rules.reduce(joinReach) : null;
}

/** The boxes of the phases that a small layer has no unit for. */
function restOf(rule: AxisReach, from: number): ([number, number] | null)[] {
  return rule.phases.slice(from).map(hullOf);
}

/**
 * The distance between the centres of neighbours where it is the same for all
 * units, `"one unit"` where a lone one has no neighbour even in theory, else null.
 */
function evenStep(
  boxes: readonly ([number, number] | null)[],
  rule: AxisReach | null,
  n: number | null,
): number | "one unit" | null {
  const centers = boxes.map((box) => (box === null ? Number.NaN : (box[0] + box[1]) / 2));
  const inTheory = rule === null ? null : rule.shift / rule.period;
  if (n === 1) return rule?.period === 1 && rule.shift > 0 ? inTheory : "one unit";
  const goesOn = rule !== null && (n === null || n > rule.period);
  const step = centers.length > 1 ? centers[1]! - centers[0]! : inTheory;
  if (goesOn && step !== inTheory) return null;
  return centers.every((center, unit) => center === centers[0]! + step! * unit) ? step : null;
}

/** Kinds of units that are looked at for their holes. */
const mostKinds = 256;

/** Pixels of the box that no product covers, where that is the same for every unit. */
function holesOf(reach: Reach, n: readonly (number | null)[], axes: readonly AxisColumns[]): number | null {
  // One unit of each kind along every axis: as many as tell all phases apart.
  const kinds = n.map((count, axis) => {
    const rules = alongAxis(reach, axis);
    if (rules.some(seesEverything)) return Number.POSITIVE_INFINITY;
    const rule = commonRule(rules);
    return Math.min(count ?? Number.POSITIVE_INFINITY, rule?.period ?? Number.POSITIVE_INFINITY);
  });
  const [only] = reach;
  if (reach.length === 1 && axes.every(({ size, contributing }) => size !== null && contributing !== null)) {
    const area = (key: "size" | "contributing") => axes.reduce((product, axis) => product * axis[key]!, 1);
    return exact(area("size"), area("contributing"));
  }
  if (only === undefined || kinds.reduce((count, one) => count * one, 1) > mostKinds) return null;
  let holes: number | null = null;
  for (const unit of grid(kinds)) {
    const seen: ProductSet[] = [];
    for (const product of reach) {
      addProductSet(
        seen,
        product.map((rule, axis) => reachOf(rule, unit[axis]!)),
      );
    }
    const box = unit.reduce((area, _, axis) => {
      const hull = hullOfUnion(seen, axis);
      return area * (hull === null ? 0 : hull[1] - hull[0] + 1);
    }, 1);
    const here = exact(box, countUnion(seen));
    if (here === null || (holes !== null && here !== holes)) return null;
    holes = here;
  }
  return holes;
}

/** A difference of counts, where they are still exact. */
const exact = (box: number, seen: number): number | null => (Number.isSafeInteger(box) ? box - seen : null);

function grid(sizes: readonly number[]): number[][] {
  return sizes.reduce<number[][]>(
    (places, size) => places.flatMap((place) => Array.from({ length: size }, (_, i) => [...place, i])),
    [[]],
  );
}
