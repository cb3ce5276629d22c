import { outputSize } from "./axis-step.js";
import { greatestCommonDivisor } from "./axis-taps.js";
import { analyse, type LayerRow, type LayerTable, type Origin, type ResidueRow } from "./layer-table.js";
import type { Misalignment } from "./propagate.js";
import type { ResolvedGraph } from "./resolve-graph.js";
import { type Sizes, sizeAt } from "./trace.js";

/** Larger tables of remainders are not made; the fields stay null. */
const largestModulus = 1024;

/** Whether the padding of some strided `"same"` window depends on a size that is not known. */
export function dependsOnSize(graph: ResolvedGraph, sizes: Sizes): boolean {
  return graph.layers.some((layer) =>
    layer.steps.some(
      (step, axis) =>
        step.kind === "window" &&
        step.padding === "same" &&
        step.stride > 1 &&
        sizeAt(sizes, layer.inputs[0]!)[axis] === null,
    ),
  );
}

/**
 * The table for an unknown input size. The padding of a `"same"` window
 * depends on the remainder of its input size modulo its stride, so that the
 * whole table is a function of the input size modulo the product of the
 * strides: one analysis per remainder, and what they agree on stands in the row.
 */
export function analyseResidues(graph: ResolvedGraph, sizes: Sizes, origin: Origin): LayerTable {
  const moduli = Array.from({ length: graph.axes }, (_, axis) => strideProduct(graph, axis));
  const modulus = Math.max(...moduli);
  const tables = Array.from({ length: Math.min(modulus, largestModulus) }, (_, remainder) =>
    analyse(graph, sizes, origin, sizesFor(graph, sizes, moduli, remainder)),
  );
  const rows = tables[0]!.rows.map((row, place): LayerRow => {
    const candidates = tables.map((table) => table.rows[place]!);
    const agreed = <K extends "jump" | "size" | "start" | "padding" | "contributing">(key: K) =>
      row[key].map((value, axis) => (candidates.every((other) => other[key][axis] === value) ? value : null));
    const { phases, units, ...plain } = row;
    const differs = row.n.map((_, axis) =>
      candidates.some(
        (other) => other.start[axis] !== row.start[axis] || other.size[axis] !== row.size[axis],
      ),
    );
    const same = !differs.includes(true);
    return {
      ...plain,
      jump: agreed("jump"),
      size: agreed("size"),
      start: agreed("start"),
      padding: agreed("padding"),
      contributing: agreed("contributing"),
      holes: candidates.every((other) => other.holes === row.holes) ? row.holes : null,
      ...(same && phases && { phases }),
      ...(same && units && { units }),
      ...(!same &&
        modulus <= largestModulus && {
          residues: differs.map((differ, axis) =>
            differ ? residueRows(candidates, axis, moduli[axis]!) : null,
          ),
        }),
    };
  });
  const misalignments = new Map<string, Misalignment>();
  for (const table of tables) {
    for (const found of table.misalignments) misalignments.set(JSON.stringify(found), found);
  }
  return { rows, misalignments: [...misalignments.values()], reaches: tables[0]!.reaches };
}

/** The remainders that share their values, together. */
function residueRows(candidates: readonly LayerRow[], axis: number, modulus: number): ResidueRow[] {
  const groups = new Map<string, { row: LayerRow; remainders: number[] }>();
  for (let remainder = 0; remainder < modulus; remainder++) {
    const row = candidates[remainder]!;
    const key = JSON.stringify([row.jump[axis], row.size[axis], row.start[axis]]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { row, remainders: [remainder] });
    else group.remainders.push(remainder);
  }
  return [...groups.values()].map(({ row, remainders }) => ({
    modulus,
    remainders,
    jump: row.jump[axis]!,
    size: row.size[axis]!,
    start: row.start[axis]!,
    padding: row.padding[axis]!,
  }));
}

/** The number that decides all roundings along one axis: least common multiple over layers of the product of strides. */
function strideProduct(graph: ResolvedGraph, axis: number): number {
  const products: number[] = [];
  for (const layer of graph.layers) {
    const before = layer.inputs.reduce((common, input) => {
      const one = input === -1 ? 1 : products[input]!;
      return (common / greatestCommonDivisor(common, one)) * one;
    }, 1);
    const step = layer.steps[axis]!;
    const factor =
      step.kind === "window"
        ? step.stride
        : step.kind === "resize" && "denominator" in step.to
          ? step.to.denominator
          : 1;
    products.push(before * factor);
  }
  return products.reduce((common, one) => (common / greatestCommonDivisor(common, one)) * one, 1);
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
