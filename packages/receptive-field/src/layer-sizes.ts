import { type AxisStep, outputSize } from "./axis-step.js";
import { graphInputName } from "./layer-graph.js";
import { axisName, type ResolvedGraph, type ResolvedLayer } from "./resolve-graph.js";

/** Sizes of every layer along every axis; null where the input's size is not known. */
export function layerSizes(
  graph: ResolvedGraph,
  inputSize: readonly (number | null)[],
  caller: string,
): (number | null)[][] {
  const sizes: (number | null)[][] = [];
  const sizeOf = (input: number) => (input === -1 ? inputSize : sizes[input]!);
  for (const layer of graph.layers) {
    sizes.push(
      layer.steps.map((step, axis) => {
        const along = `along ${axisName(axis, graph.axes)}`;
        const n = mergedSize(graph, layer, axis, sizeOf, along, caller);
        if (n === null) return step.kind === "adaptive" ? step.size : step.kind === "everything" ? 1 : null;
        const count = outputSize(step, n);
        if (step.kind === "pad") checkMirror(step, n, layer.name, along, caller);
        if (count < 1) {
          const window =
            step.kind === "window" ? `, the window spans ${step.dilation * (step.kernel - 1) + 1}` : "";
          throw new RangeError(
            `${caller}: layer "${layer.name}": its output would be empty ${along} (${n} units come in${window})`,
          );
        }
        return count;
      }),
    );
  }
  return sizes;
}

/** A mirror shows what is there once; no framework pads further. */
function checkMirror(
  { begin, end, border }: Extract<AxisStep, { kind: "pad" }>,
  n: number,
  layer: string,
  along: string,
  caller: string,
): void {
  const most = border === "reflect" ? n - 1 : border === "symmetric" ? n : Number.POSITIVE_INFINITY;
  if (Math.max(begin, end) <= most) return;
  throw new RangeError(
    `${caller}: layer "${layer}": padding: expected at most ${most} mirrored units ${along} (${n} come in), got ${Math.max(begin, end)}`,
  );
}

function mergedSize(
  graph: ResolvedGraph,
  layer: ResolvedLayer,
  axis: number,
  sizeOf: (input: number) => readonly (number | null)[],
  along: string,
  caller: string,
): number | null {
  const known = layer.inputs.map((input) => sizeOf(input)[axis] ?? null);
  if (known.includes(null)) return null;
  const largest = Math.max(...known.map(Number));
  if (known.every((n) => n === largest || (n === 1 && layer.op !== "concat"))) return largest;
  const parts = layer.inputs.map((input, i) => {
    return `${input === -1 ? graphInputName : graph.layers[input]!.name} ${known[i]}`;
  });
  throw new RangeError(
    `${caller}: layer "${layer.name}": expected inputs of one size ${along}, got ${parts.join(", ")}`,
  );
}
