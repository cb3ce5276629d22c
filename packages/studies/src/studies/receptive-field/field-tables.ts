import type { LayerRow, Misalignment, Unit } from "@gradlab/receptive-field";
import type { Table } from "../../declaration/study.js";
import { lines, perAxis } from "../../declaration/wording.js";
import type { ReceptiveFieldRecord, Seeing } from "./receptive-field-record.js";

/** The layers of a network, and below them what their table has no room for. */
export function fieldTables(record: ReceptiveFieldRecord, on: string): Table[] {
  const { network, inputSize, origin, unit, pixel, measured } = record;
  const size = inputSize.map((n) => n ?? "?").join(" x ");
  const first = { index: "0", half: "0.5", one: "1" }[origin];
  const notes = notesOf(record);
  return [
    lines(`${network} on an input of ${size} pixels; the first pixel is ${first}`),
    layerTable(record),
    ...(notes.length === 0 ? [] : [lines(undefined, ...notes)]),
    ...(unit === undefined ? [] : [unitTable(unit)]),
    ...(pixel === undefined ? [] : [seeingTable(pixel.index, pixel.seenBy)]),
    ...(measured === undefined ? [] : [measuredTable(measured, on)]),
  ];
}

const right = "right" as const;

/** Activations and norms see what the layer before them sees; those that are all there is stay. */
function shownLayers({ layers }: Pick<ReceptiveFieldRecord, "layers">): readonly LayerRow[] {
  const others = layers.filter(({ op }) => op !== "pointwise");
  return others.length > 0 ? others : layers;
}

function layerTable(record: ReceptiveFieldRecord): Table {
  return {
    columns: [
      { title: "layer", shrinks: true },
      { title: "op" },
      { title: "units", align: right },
      { title: "jump", align: right },
      { title: "size", align: right },
      { title: "start", align: right },
      { title: "padding", align: right },
      { title: "holes", align: right },
    ],
    rows: shownLayers(record).map((row) => [
      row.name,
      row.op,
      ...[row.n, row.jump, row.size, row.start, row.padding].map(perAxis),
      row.holes === null ? "–" : `${row.holes}`,
    ]),
    notes: [],
  };
}

function notesOf(record: ReceptiveFieldRecord): string[] {
  const hidden = record.layers.length - shownLayers(record).length;
  const left = `${hidden} pointwise ${hidden === 1 ? "layer changes" : "layers change"} nothing and ${hidden === 1 ? "is" : "are"} left out`;
  return [...(hidden > 0 ? [left] : []), ...record.layers.flatMap(noteLines), ...mergeLines(record)];
}

/** Which units see a pixel, layer by layer. */
function seeingTable(pixel: readonly number[], seeing: readonly Seeing[]): Table {
  return {
    title: `pixel (${pixel.join(", ")})`,
    columns: [
      { title: "seen by" },
      ...pixel.map((_, axis) => ({ title: axisLabel(axis, pixel.length), align: right })),
      { title: "units", align: right },
    ],
    rows: seeing.map(({ layer, axes, count }) => {
      const ranges = axes.map((range) => (range === null ? "none" : `${range[0]}…${range[1]}`));
      return [layer, ...(count === 0 ? axes.map(() => "none") : ranges), `${count}`];
    }),
    notes: [],
  };
}

/** What reaches a unit, by the arithmetic and by its gradient. */
function measuredTable(
  { layer, index, arithmetic, gradient, effective }: NonNullable<ReceptiveFieldRecord["measured"]>,
  on: string,
): Table {
  const spread = (effective?.contours ?? []).map(
    ({ mass, side }) => `${Math.round(100 * mass)} % within ${side} x ${side} pixels`,
  );
  return {
    title: `unit (${index.join(", ")}) of ${layer}, measured on ${on}`,
    columns: [
      { title: "found by" },
      ...index.map((_, axis) => ({ title: axisLabel(axis, index.length), align: right })),
      { title: "pixels", align: right },
    ],
    rows: Object.entries({ arithmetic, gradient }).map(([how, { pixels, contributing }]) => [
      how,
      ...pixels.map((range) => (range === null ? "none" : `${range[0]}…${range[1]}`)),
      `${contributing ?? "?"}`,
    ]),
    notes: spread.length === 0 ? [] : [`of its gradient, all weights being equal, lie ${spread.join(", ")}`],
  };
}

/** What the table has no room for: boxes per phase or per unit, values per remainder of the size. */
function noteLines({ name, phases, units, residues }: LayerRow): string[] {
  return [
    ...byAxis(phases, (table) => [
      `boxes repeat every ${table.period} units, ${pixels(table.shift)} on: ${shortBoxes(table.boxes)}`,
    ]),
    ...byAxis(units, (list) => [`boxes of units 0, 1, …: ${shortBoxes(list)}`]),
    ...byAxis(residues, (list) =>
      shortList(
        list.map(({ modulus, remainders, start, padding, phases: table }) => {
          if (table !== null) {
            return `boxes repeat every ${table.period} units, ${pixels(table.shift)} on: ${shortBoxes(table.boxes)} where the size modulo ${modulus} is ${ranges(remainders)}`;
          }
          return `start ${start ?? "–"}, padding ${padding ?? "–"} where the size modulo ${modulus} is ${ranges(remainders)}`;
        }),
      ),
    ),
  ].map((line) => `${name} ${line}`);
}

/** The first boxes of a list: −2…4 0…5 … */
function shortBoxes(boxes: readonly (readonly [first: number, last: number] | null)[]): string {
  const texts = boxes.slice(0, 12).map((box) => (box === null ? "nothing" : `${box[0]}…${box[1]}`));
  return [...texts, ...(boxes.length > 12 ? ["…"] : [])].join(" ");
}

function mergeLines({
  misalignments,
  inputSize,
}: Pick<ReceptiveFieldRecord, "misalignments" | "inputSize">): string[] {
  const merges = [...new Set(misalignments.map(({ layer }) => layer))];
  return merges.flatMap((merge) => {
    const byAxes = inputSize.map((_, axis) => {
      const found = misalignments.filter((one) => one.layer === merge && one.axis === axis);
      return found.length === 0 ? null : found;
    });
    return byAxis(byAxes, (found) => shortList(found.map(describeMisalignment))).map(
      (line) => `${merge} ${line}`,
    );
  });
}

function describeMisalignment({ kind, shift, drift, inputs, whenSize }: Misalignment): string {
  const parts = inputs
    .map(({ name, jump, start }) => `${name} jump ${jump ?? "–"} start ${start ?? "–"}`)
    .join(", ");
  const how = kind === "shift" ? `lie ${pixels(shift)} apart` : `move apart by ${pixels(drift)} per unit`;
  const when =
    whenSize === undefined
      ? ""
      : ` where the size modulo ${whenSize.modulus} is ${ranges(whenSize.remainders)}`;
  return `branches ${how}${when}: ${parts} (origin index)`;
}

const pixels = (count: number) => `${count} ${count === 1 ? "pixel" : "pixels"}`;

/** The first lines of a long list, and how many more there are. */
function shortList(lines: readonly string[]): string[] {
  const shown = 8;
  if (lines.length <= shown + 1) return [...lines];
  return [...lines.slice(0, shown), `… and ${lines.length - shown} more (--json has all)`];
}

/** Lines about each axis, said once where both axes have the same to say. */
function byAxis<T>(entries: readonly (T | null)[] | undefined, lines: (entry: T) => string[]): string[] {
  if (entries === undefined) return [];
  const axesOf = new Map<string, string[]>();
  entries.forEach((entry, axis) => {
    for (const line of entry === null ? [] : lines(entry)) {
      axesOf.set(line, [...(axesOf.get(line) ?? []), axisLabel(axis, entries.length)]);
    }
  });
  return [...axesOf].map(([line, axes]) => `(${axes.join(", ")}): ${line}`);
}

const axisLabel = (axis: number, axes: number) => "zyx".slice(-axes)[axis]!;

/** 0–3 5 7–9 */
function ranges(numbers: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const number of numbers) {
    const last = runs.at(-1);
    if (last !== undefined && last[1] === number - 1) last[1] = number;
    else runs.push([number, number]);
  }
  return runs.map(([a, b]) => (a === b ? `${a}` : `${a}–${b}`)).join(", ");
}

function unitTable(unit: Unit): Table {
  return lines(
    `unit (${unit.index.join(", ")}) of ${unit.layer}`,
    ...unit.axes.map(({ center, edges, pixels, clipped }, i) => {
      const axis = axisLabel(i, unit.axes.length);
      if (edges === null || pixels === null) {
        return `  ${axis}: sees ${unit.contributing === 0 ? "nothing" : "everything, and the input size is not known"}`;
      }
      const inside = clipped === null ? "none of the input" : `${clipped[0]}…${clipped[1]} inside the input`;
      return `  ${axis}: centre ${center}, edges ${edges[0]} to ${edges[1]}, pixels ${pixels[0]}…${pixels[1]}, ${inside}`;
    }),
    `  ${unit.contributing ?? "?"} pixels contribute, ${unit.holes ?? "?"} inside the box do not`,
  );
}
