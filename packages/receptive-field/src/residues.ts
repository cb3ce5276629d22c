import { outputSize } from "./axis-step.js";
import { leastCommonMultiple } from "./integers.js";
import { analyse, type LayerRow, type LayerTable, type Origin, type ResidueRow } from "./layer-table.js";
import type { Misalignment } from "./propagate.js";
import type { ResolvedGraph } from "./resolve-graph.js";
import { type Sizes, sizeAt } from "./sizes.js";

/** Larger tables of remainders are not made; what they would decide stays null. */
const largestModulus = 1024;

/**
 * For every layer, whether what it sees depends on an input size that is not
 * known: behind a strided `"same"` window, whose padding does.
 */
export function dependOnSize(graph: ResolvedGraph, sizes: Sizes): boolean[] {
  const dependent: boolean[] = [];
  for (const { inputs, steps } of graph.layers) {
    const own = steps.some(
      (step, axis) =>
        step.kind === "window" &&
        step.padding === "same" &&
        step.stride > 1 &&
        sizeAt(sizes, inputs[0]!)[axis] === null,
    );
    dependent.push(own || inputs.some((input) => input !== -1 && dependent[input]!));
  }
  return dependent;
}

/**
 * The table for an unknown input size. The padding of a `"same"` window
 * depends on the remainder of its input size modulo its stride, so that the
 * whole table is a function of the input size modulo the product of the
 * strides: one analysis per remainder, and what they agree on stands in the row.
 */
export function analyseResidues(
  graph: ResolvedGraph,
  sizes: Sizes,
  origin: Origin,
  dependent: readonly boolean[],
): LayerTable {
  const moduli = Array.from({ length: graph.axes }, (_, axis) => strideProduct(graph, axis));
  const modulus = Math.max(...moduli);
  const tables = Array.from({ length: Math.min(modulus, largestModulus) }, (_, remainder) =>
    analyse(graph, sizes, origin, sizesFor(graph, sizes, moduli, remainder)),
  );
  const { rows, reaches } = tables[0]!;
  if (modulus > largestModulus) {
    return {
      reaches,
      misalignments: [],
      rows: rows.map((row, place) => (dependent[place] ? undecided(row) : row)),
    };
  }
  return {
    reaches,
    misalignments: misalignmentsBySize(tables, moduli),
    rows: rows.map((_, place) =>
      rowBySize(
        tables.map((table) => table.rows[place]!),
        moduli,
      ),
    ),
  };
}

/** A row of which nothing is stated, because too many remainders decide it. */
function undecided({ name, op, n }: LayerRow): LayerRow {
  const none = n.map(() => null);
  return { name, op, n, jump: none, size: none, start: none, padding: none, contributing: none, holes: null };
}

/** What the rows of all remainders agree on, and what each group of remainders gives along an axis where they do not. */
function rowBySize(candidates: readonly LayerRow[], moduli: readonly number[]): LayerRow {
  const [row] = candidates as readonly [LayerRow];
  const differs = row.n.map((_, axis) =>
    candidates.some((other) => axisKey(other, axis) !== axisKey(row, axis)),
  );
  const holes = candidates.every((other) => other.holes === row.holes) ? row.holes : null;
  if (!differs.includes(true)) return { ...row, holes };
  const agreed = (key: "jump" | "size" | "start" | "padding" | "contributing") =>
    row[key].map((value, axis) => (candidates.every((other) => other[key][axis] === value) ? value : null));
  const kept = <T>(entries: readonly (T | null)[] | undefined) => {
    const same = entries?.map((entry, axis) => (differs[axis] ? null : entry));
    return same?.some((entry) => entry !== null) ? same : undefined;
  };
  const phases = kept(row.phases);
  const units = kept(row.units);
  return {
    name: row.name,
    op: row.op,
    n: row.n,
    jump: agreed("jump"),
    size: agreed("size"),
    start: agreed("start"),
    padding: agreed("padding"),
    contributing: agreed("contributing"),
    holes,
    ...(phases && { phases }),
    ...(units && { units }),
    residues: differs.map((differ, axis) => (differ ? residueRows(candidates, axis, moduli[axis]!) : null)),
  };
}

/** All that a row states along one axis, to be compared. */
function axisKey(row: LayerRow, axis: number): string {
  const { jump, size, start, padding, contributing, phases, units } = row;
  return JSON.stringify(
    [jump, size, start, padding, contributing, phases, units].map((column) => column?.[axis]),
  );
}

/** The remainders that share their values, together; by the smallest modulus that tells them apart. */
function residueRows(candidates: readonly LayerRow[], axis: number, common: number): ResidueRow[] {
  const keys = candidates.slice(0, common).map((row) => axisKey(row, axis));
  const modulus = smallestModulus(keys);
  const groups = new Map<string, { row: LayerRow; remainders: number[] }>();
  for (const [remainder, key] of keys.slice(0, modulus).entries()) {
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { row: candidates[remainder]!, remainders: [remainder] });
    else group.remainders.push(remainder);
  }
  return [...groups.values()].map(({ row, remainders }) => ({
    modulus,
    remainders,
    jump: row.jump[axis]!,
    size: row.size[axis]!,
    start: row.start[axis]!,
    padding: row.padding[axis]!,
    phases: row.phases?.[axis] ?? null,
  }));
}

/** The smallest divisor of the length after which a list repeats. */
function smallestModulus(list: readonly unknown[]): number {
  for (let modulus = 1; modulus < list.length; modulus++) {
    if (list.length % modulus === 0 && list.every((item, i) => item === list[i % modulus])) return modulus;
  }
  return list.length;
}

/** The misalignments of all remainders; one that does not hold for all of them says for which it does. */
function misalignmentsBySize(tables: readonly LayerTable[], moduli: readonly number[]): Misalignment[] {
  const found = new Map<string, { misalignment: Misalignment; holds: boolean[] }>();
  for (const [remainder, { misalignments }] of tables.entries()) {
    for (const misalignment of misalignments) {
      const key = JSON.stringify(misalignment);
      const common = moduli[misalignment.axis]!;
      const entry = found.get(key) ?? { misalignment, holds: Array.from({ length: common }, () => false) };
      found.set(key, entry);
      entry.holds[remainder % common] = true;
    }
  }
  return [...found.values()].map(({ misalignment, holds }) => {
    if (!holds.includes(false)) return misalignment;
    const modulus = smallestModulus(holds);
    const remainders = [...holds.slice(0, modulus).keys()].filter((remainder) => holds[remainder]);
    return { ...misalignment, whenSize: { modulus, remainders } };
  });
}

/** The number that decides all roundings along one axis: least common multiple over layers of the product of strides. */
function strideProduct(graph: ResolvedGraph, axis: number): number {
  const products: number[] = [];
  for (const layer of graph.layers) {
    const before = layer.inputs
      .map((input) => (input === -1 ? 1 : products[input]!))
      .reduce(leastCommonMultiple, 1);
    const step = layer.steps[axis]!;
    const factor =
      step.kind === "window"
        ? step.stride
        : step.kind === "resize" && "denominator" in step.to
          ? step.to.denominator
          : 1;
    products.push(before * factor);
  }
  return products.reduce(leastCommonMultiple, 1);
}

/** Sizes of all layers for one large input size with the wanted remainder, where the real size is unknown. */
function sizesFor(graph: ResolvedGraph, sizes: Sizes, moduli: readonly number[], remainder: number): Sizes {
  const input = sizes.input.map(
    (n, axis) => n ?? remainder + moduli[axis]! * Math.ceil(2 ** 20 / moduli[axis]!),
  );
  const layers: number[][] = [];
  for (const layer of graph.layers) {
    layers.push(
      layer.steps.map((step, axis) => {
        const from = layer.inputs.map((i) => (i === -1 ? input[axis]! : layers[i]![axis]!));
        return outputSize(step, Math.max(...from));
      }),
    );
  }
  return { input, layers };
}
