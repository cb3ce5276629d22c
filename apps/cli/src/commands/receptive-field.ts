import { extname } from "node:path";
import { fieldGrowth, svgText, unitsOverImage } from "@gradlab/figures";
import {
  type LayerRow,
  type Origin,
  type ReceptiveField,
  receptiveField,
  type Unit,
  type UnitsSeeing,
} from "@gradlab/receptive-field";
import { type Command, Option } from "commander";
import { type CommonOptions, countsFrom, defineCommand, envelope } from "../command.js";
import { blame, Failure } from "../failure.js";
import { writeOutput } from "../files.js";
import { loadNetwork, type NetworkFlags } from "../network-source.js";
import { embedPicture, figureDocument, readPicture, renderPng } from "../pictures.js";
import { type Paint, painter, type Terminal, textTable } from "../terminal.js";
import { middleUnits, unitBox } from "../unit-boxes.js";

interface Flags extends CommonOptions, NetworkFlags {
  readonly input?: readonly number[];
  readonly layer?: string;
  readonly unit?: readonly number[];
  readonly pixel?: readonly number[];
  readonly origin: Origin;
  readonly image?: string;
}

export function receptiveFieldCommand(terminal: Terminal): Command {
  return defineCommand("receptive-field", "what every layer of a network sees of its input", {
    flag: "--out <file>",
    help: "write a figure: .svg or .png (the boxes over --image, else the growth of the field), or the result: .json",
  })
    .option("--net <name>", "a network that comes with gradlab")
    .option("--model <file>", "a model.json of tfjs (layers or graph model), or a LayerGraph as JSON")
    .option("--spec <text>", 'a network in words: "conv1 11/4, pool1 3/2, conv2 5/1 p2"')
    .option("--input <size>", "input size: N, or H,W", countsFrom(1))
    .option("--layer <name>", "the layer that --unit is in")
    .option("--unit <y,x>", "a unit, counted from 0", countsFrom(0))
    .option("--pixel <y,x>", "a pixel, counted from 0: which units see it", countsFrom(0))
    .addOption(
      new Option("--origin <origin>", "where coordinates start: the first pixel is 0, 0.5 or 1")
        .choices(["index", "half", "one"])
        .default("index"),
    )
    .option("--image <file>", "a photograph to draw boxes over (with --out)")
    .addHelpText(
      "after",
      `
Examples:
  gradlab receptive-field --net alexnet-227 --input 227 --origin one
  gradlab receptive-field --net vgg16 --layer pool5 --unit 3,3 --image photo.jpg --out boxes.png
  gradlab receptive-field --spec "conv1 7/2 same, pool1 3/2 same" --json`,
    )
    .action((flags: Flags) => run(flags, terminal));
}

async function run(flags: Flags, terminal: Terminal): Promise<void> {
  checkFlags(flags);
  const { label, graph } = await loadNetwork(flags);
  const { origin, layer, unit: index } = flags;
  const inputSize = flags.input?.length === 1 ? flags.input[0] : flags.input;
  // What --input makes impossible is wrong usage; what is impossible by itself stands in the model.
  const exit = flags.input === undefined && flags.model !== undefined ? "runtime" : "usage";
  const field = blame(exit, () =>
    receptiveField(graph, { origin, ...(inputSize !== undefined && { inputSize }) }),
  );
  const unit =
    layer !== undefined && index !== undefined ? blame("usage", () => field.unit(layer, index)) : undefined;
  const { pixel } = flags;
  const seeing =
    pixel &&
    blame("usage", () => field.layers.map(({ name }) => field.unitsSeeing(name, pixel))).map(
      ({ layer: name, axes, count }) => ({ layer: name, axes, count }),
    );
  const { inputSize: input, layers, misalignments } = field;
  const result = {
    ...envelope("receptive-field", flags, []),
    network: label,
    origin,
    inputSize: input,
    layers,
    misalignments,
    ...(unit && { unit }),
    ...(seeing && { pixel: { index: pixel, seenBy: seeing } }),
  };
  if (flags.out !== undefined) {
    const out = flags.out;
    if (extname(out) === ".json") {
      await writeOutput(out, `${JSON.stringify(result, null, 2)}\n`);
    } else {
      const svg = svgText(await figure(flags, label, field, unit));
      await writeOutput(out, extname(out) === ".png" ? await renderPng(svg) : svg);
    }
    if (!flags.quiet) terminal.log(`wrote ${out}\n`);
  }
  if (flags.json) terminal.write(`${JSON.stringify(result, null, 2)}\n`);
  else {
    const paint = painter(terminal.colors.stdout && flags.color);
    terminal.write(describe(label, field, unit, paint));
    if (seeing) terminal.write(describeSeeing(pixel, seeing, paint));
  }
}

function checkFlags({ layer, unit, image, out }: Flags): void {
  if ((layer === undefined) !== (unit === undefined)) {
    const missing = layer === undefined ? "--layer" : "--unit";
    throw new Failure(
      "usage",
      `${missing}: expected beside ${missing === "--unit" ? "--layer" : "--unit"}, got nothing`,
    );
  }
  if (out !== undefined && ![".svg", ".png", ".json"].includes(extname(out))) {
    throw new Failure(
      "usage",
      `--out: expected a name that ends in .svg, .png or .json, got ${JSON.stringify(out)}`,
    );
  }
  if (image !== undefined && (out === undefined || extname(out) === ".json")) {
    throw new Failure("usage", "--image: expected --out FILE.svg or FILE.png beside it, got none");
  }
}

/** Boxes over the photograph when there is one: of the unit asked for, or of the middle unit of every layer. */
async function figure(
  flags: Flags,
  label: string,
  field: ReceptiveField,
  unit: Unit | undefined,
): Promise<SVGSVGElement> {
  const document = await figureDocument();
  if (flags.image === undefined) {
    if (unit !== undefined)
      throw new Failure("usage", "--unit: expected --image beside it to draw the unit on, got none");
    return fieldGrowth(
      [{ name: label, layers: field.layers.map(({ name, size }) => ({ name, size: size.at(-1) ?? null })) }],
      { document },
    );
  }
  const [height, width] = field.inputSize;
  if (field.inputSize.length !== 2 || !height || !width) {
    throw new Failure(
      "usage",
      "--image: expected a network on images of known size, got none (say --input H,W)",
    );
  }
  const image = await embedPicture(await readPicture(flags.image, [height, width]));
  const units = unit === undefined ? middleUnits(field) : [unitBox(unit)];
  const boxes = units.filter((box) => box !== null);
  if (boxes.length === 0) throw new Failure("runtime", "no unit sees anything of the picture");
  return unitsOverImage({ image, units: boxes }, { document });
}

function describe(label: string, field: ReceptiveField, unit: Unit | undefined, paint: Paint): string {
  const size = field.inputSize.map((n) => n ?? "?").join(" x ");
  const first = { index: "0", half: "0.5", one: "1" }[field.origin];
  const lines = [`${paint("bold", label)} on an input of ${size} pixels; the first pixel is ${first}`, ""];
  const cells = (row: LayerRow) => [
    row.name,
    row.op,
    ...[row.n, row.jump, row.size, row.start, row.padding].map(perAxis),
    row.holes === null ? "–" : `${row.holes}`,
  ];
  const right = "right" as const;
  lines.push(
    textTable(
      [
        { title: "layer" },
        { title: "op" },
        { title: "units", align: right },
        { title: "jump", align: right },
        { title: "size", align: right },
        { title: "start", align: right },
        { title: "padding", align: right },
        { title: "holes", align: right },
      ],
      field.layers.map(cells),
      paint,
    ),
  );
  const notes = field.layers.flatMap(noteLines);
  notes.push(...mergeLines(field));
  if (notes.length > 0) lines.push("", ...notes);
  if (unit !== undefined) lines.push("", ...unitLines(unit, paint));
  return `${lines.join("\n")}\n`;
}

type Seeing = Pick<UnitsSeeing, "layer" | "axes" | "count">;

function describeSeeing(pixel: readonly number[], seeing: readonly Seeing[], paint: Paint): string {
  const rows = seeing.map(({ layer, axes, count }) => {
    const ranges = axes.map((range) => (range === null ? "none" : `${range[0]}…${range[1]}`));
    return [layer, ...(count === 0 ? axes.map(() => "none") : ranges), `${count}`];
  });
  const columns = [
    { title: "seen by" },
    ...pixel.map((_, axis) => ({ title: axisLabel(axis, pixel.length), align: "right" as const })),
    { title: "units", align: "right" as const },
  ];
  return `\n${paint("bold", `pixel (${pixel.join(", ")})`)}\n${textTable(columns, rows, paint)}\n`;
}

/** One value where the axes agree, else one per axis: 3x5. */
function perAxis(values: readonly (number | null)[]): string {
  const texts = values.map((value) => (value === null ? "–" : `${value}`));
  return texts.every((text) => text === texts[0]) ? texts[0]! : texts.join("x");
}

/** What the table has no room for: boxes per phase or per unit, values per remainder of the size. */
function noteLines({ name, phases, units, residues }: LayerRow): string[] {
  const box = (pixels: readonly [number, number] | null) =>
    pixels === null ? "nothing" : `${pixels[0]}…${pixels[1]}`;
  return [
    ...byAxis(phases, (table) => [
      `boxes repeat every ${table.period} units, ${table.shift} pixels on: ${table.boxes.map(box).join(" ")}`,
    ]),
    ...byAxis(units, (list) => [
      `boxes of units 0, 1, …: ${list.slice(0, 12).map(box).join(" ")}${list.length > 12 ? " …" : ""}`,
    ]),
    ...byAxis(residues, (list) =>
      list.map(({ modulus, remainders, start, padding }) => {
        return `start ${start ?? "–"}, padding ${padding ?? "–"} where the size modulo ${modulus} is ${ranges(remainders)}`;
      }),
    ),
  ].map((line) => `${name} ${line}`);
}

function mergeLines({ misalignments, inputSize }: ReceptiveField): string[] {
  const merges = [...new Set(misalignments.map(({ layer }) => layer))];
  return merges.flatMap((merge) => {
    const perAxis = inputSize.map(
      (_, axis) => misalignments.find((one) => one.layer === merge && one.axis === axis) ?? null,
    );
    return byAxis(perAxis, ({ kind, shift, drift, inputs }) => {
      const parts = inputs.map(({ name, jump, start }) => `${name} jump ${jump} start ${start}`).join(", ");
      const how = kind === "shift" ? `lie ${shift} pixels apart` : `move apart by ${drift} pixels per unit`;
      return [`branches ${how}: ${parts} (origin index)`];
    }).map((line) => `${merge} ${line}`);
  });
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

function unitLines(unit: Unit, paint: Paint): string[] {
  return [
    paint("bold", `unit (${unit.index.join(", ")}) of ${unit.layer}`),
    ...unit.axes.map(({ center, edges, pixels, clipped }, i) => {
      if (edges === null || pixels === null)
        return `  ${axisLabel(i, unit.axes.length)}: sees nothing, or everything`;
      const inside = clipped === null ? "none of the input" : `${clipped[0]}…${clipped[1]} inside the input`;
      return `  ${axisLabel(i, unit.axes.length)}: centre ${center}, edges ${edges[0]} to ${edges[1]}, pixels ${pixels[0]}…${pixels[1]}, ${inside}`;
    }),
    `  ${unit.contributing ?? "?"} pixels contribute, ${unit.holes ?? "?"} inside the box do not`,
  ];
}
