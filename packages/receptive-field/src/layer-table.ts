import type { LayerOp } from "./layer-graph.js";
import { addProductSet, countUnion, type ProductSet } from "./product-set.js";
import { alongAxis, type Misalignment, propagate } from "./propagate.js";
import { type AxisReach, advanceTogether, hullAt, joinReach, type Reach } from "./reach.js";
import type { ResolvedGraph } from "./resolve-graph.js";
import { countSet, hullOf, type RunSet } from "./run-set.js";
import type { Sizes } from "./trace.js";

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
 * `jump`, `start` and `padding` where units do not advance evenly; `size`
 * where units differ in it. Then `phases` or `units` list the boxes.
 */
export interface LayerRow {
  readonly name: string;
  readonly op: LayerOp;
  /** Number of units. */
  readonly n: readonly (number | null)[];
  /** Distance between the centres of neighbouring units, in input pixels. */
  readonly jump: readonly (number | null)[];
  /** Size of the receptive field: from the first to the last pixel seen, in input pixels. */
  readonly size: readonly (number | null)[];
  /** Centre of unit 0 in the chosen origin. */
  readonly start: readonly (number | null)[];
  /** Effective padding: how far unit 0 looks beyond the first pixel. */
  readonly padding: readonly (number | null)[];
  /** How many of the `size` positions contribute, along each axis taken alone. */
  readonly contributing: readonly (number | null)[];
  /** Pixels inside the box (all axes together) that never contribute; null where units differ in it. */
  readonly holes: number | null;
  /** Where boxes repeat after `period` units, `shift` pixels further: the boxes of the first `period` units. */
  readonly phases?: readonly (PhaseTable | null)[];
  /** Where they do not repeat: the boxes of all units (of the first 64, while the size is unknown). */
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
  const axes = n.map((count, axis) => axisColumns(alongAxis(reach, axis), count, offset));
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
    holes: holesOf(reach, axes),
    ...(phases.some((table) => table !== null) && { phases }),
    ...(units.some((list) => list !== null) && { units }),
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
  const [first] = rules;
  if (rules.some((rule) => rule.phases.some((set) => set[0] === Number.NEGATIVE_INFINITY))) return columns;
  if (!rules.every((rule) => advanceTogether(rule, first!))) {
    const count = Math.min(n ?? listedUnits, mostListedUnits);
    columns.units = Array.from({ length: count }, (_, unit) => hullAt(rules, unit));
    return columns;
  }
  const rule = rules.reduce(joinReach);
  const { period, shift, phases } = rule;
  const boxes = phases.map(hullOf);
  const jump = shift / period;
  const [box] = boxes;
  const sizes = boxes.map((one) => (one === null ? 0 : one[1] - one[0] + 1));
  if (sizes.every((size) => size === sizes[0])) columns.size = sizes[0]!;
  const counts = phases.map(countSet);
  if (counts.every((count) => count === counts[0])) columns.contributing = counts[0]!;
  const center = (one: [number, number]) => (one[0] + one[1]) / 2;
  const even = boxes.every((one, unit) => one !== null && center(one) === center(box!) + jump * unit);
  if (even) {
    columns.jump = jump;
    columns.start = center(box!) + offset;
    if (columns.size !== null) columns.padding = 0 - box![0];
  }
  if (period > 1 && (!even || columns.size === null)) columns.phases = { period, shift, boxes };
  return columns;
}

/** Pixels of the box that no product covers, where that is the same for every unit. */
function holesOf(reach: Reach, axes: readonly AxisColumns[]): number | null {
  const uniform = reach.every((product) =>
    product.every((rule, axis) => rule.period === 1 && advanceTogether(rule, reach[0]![axis]!)),
  );
  if (!uniform || axes.some(({ size }) => size === null)) return null;
  const products: ProductSet[] = [];
  for (const product of reach)
    addProductSet(
      products,
      product.map((rule): RunSet => rule.phases[0]!),
    );
  return axes.reduce((box, { size }) => box * size!, 1) - countUnion(products);
}
