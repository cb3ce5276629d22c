import { extname } from "node:path";
import { effectiveFieldOverImage, fieldGrowth, svgText, unitsOverImage } from "@gradlab/figures";
import {
  type LayerGraph,
  type Origin,
  type ReceptiveField,
  receptiveField,
  type Unit,
} from "@gradlab/receptive-field";
import { type Command, Option } from "commander";
import { type CommonOptions, countsFrom, defineCommand, envelope } from "../command.js";
import { describeField, describeMeasured, describeSeeing } from "../describe-field.js";
import { blame, type ExitName, Failure } from "../failure.js";
import { growthOf } from "../field-growth.js";
import { writeOutput } from "../files.js";
import type { MeasuredUnit } from "../measure-unit.js";
import { loadNetwork, type NetworkFlags } from "../network-source.js";
import { openBackend } from "../open-backend.js";
import { embedPicture, figureDocument, readPicture, renderPng } from "../pictures.js";
import { reachText, sameReach } from "../reached.js";
import { painter, type Terminal } from "../terminal.js";
import { middleUnits, unitBox } from "../unit-boxes.js";

interface Flags extends CommonOptions, NetworkFlags {
  readonly input?: readonly number[];
  readonly layer?: string;
  readonly unit?: readonly number[];
  readonly pixel?: readonly number[];
  readonly origin: Origin;
  readonly measure: boolean;
  readonly image?: string;
}

export function receptiveFieldCommand(terminal: Terminal): Command {
  return defineCommand(
    "receptive-field",
    "what every layer of a network sees of its input",
    {
      flag: "--out <file>",
      help: "write a figure: .svg or .png (what is measured, the boxes over --image, else the growth of the field), or the result: .json",
    },
    "where tensors live (with --measure): the best that passes its self-test, or this one",
  )
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
    .option(
      "--measure",
      "find what reaches the unit (default: the middle one of the last layer) by its gradient too; exit code 3 if it is something else",
      false,
    )
    .option("--image <file>", "a photograph to draw over (with --out)")
    .addHelpText(
      "after",
      `
Examples:
  gradlab receptive-field --net alexnet-227 --input 227 --origin one
  gradlab receptive-field --net vgg16 --layer pool5 --unit 3,3 --image photo.jpg --out boxes.png
  gradlab receptive-field --net vgg16 --input 224 --layer pool5 --unit 3,3 --measure --out measured.png
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
  const [exit, place] =
    flags.input !== undefined
      ? (["usage", "--input"] as const)
      : flags.model !== undefined
        ? (["runtime", flags.model] as const)
        : (["usage", flags.spec === undefined ? "--net" : "--spec"] as const);
  const field = blame(exit, place, () =>
    receptiveField(graph, { origin, ...(inputSize !== undefined && { inputSize }) }),
  );
  const unit =
    layer !== undefined && index !== undefined
      ? blame("usage", "--unit", () => field.unit(layer, index))
      : undefined;
  const { pixel } = flags;
  const seeing =
    pixel &&
    blame("usage", "--pixel", () => field.layers.map(({ name }) => field.unitsSeeing(name, pixel))).map(
      ({ layer: name, axes, count }) => ({ layer: name, axes, count }),
    );
  const { inputSize: input, layers, misalignments } = field;
  if (flags.measure && input.includes(null)) {
    throw new Failure("usage", "--measure: expected an input of known size, got none (say --input H,W)");
  }
  const opened = flags.measure ? await openBackend(flags, terminal) : null;
  const measured = opened && (await measure(graph, field, { layer, index }, [exit, place]));
  const result = {
    ...envelope("receptive-field", flags, [], opened),
    network: label,
    origin,
    inputSize: input,
    layers,
    misalignments,
    ...(unit && { unit }),
    ...(measured && { measured: { ...measured, effective: summaryOf(measured.effective) } }),
    ...(seeing && { pixel: { index: pixel, seenBy: seeing } }),
  };
  if (flags.out !== undefined) {
    const out = flags.out;
    if (extname(out) === ".json") {
      await writeOutput(out, `${JSON.stringify(result, null, 2)}\n`);
    } else {
      const svg = svgText(await figure(flags, label, field, unit, measured?.effective ?? null));
      await writeOutput(out, extname(out) === ".png" ? await renderPng(svg) : svg);
    }
    if (!flags.quiet) terminal.log(`wrote ${out}\n`);
  }
  if (flags.json) terminal.write(`${JSON.stringify(result, null, 2)}\n`);
  else {
    const paint = painter(terminal.colors.stdout && flags.color);
    terminal.write(describeField(label, field, unit, paint));
    if (seeing) terminal.write(describeSeeing(pixel, seeing, paint));
    if (opened && measured) terminal.write(describeMeasured(measured, opened, paint));
  }
  if (measured && !sameReach(measured.arithmetic, measured.gradient)) {
    throw new Failure(
      "check",
      `unit (${measured.index.join(", ")}) of ${measured.layer}: expected a gradient at ${reachText(measured.arithmetic)}, got one at ${reachText(measured.gradient)}`,
    );
  }
}

/** The unit asked for, or the middle one of the last layer, by its gradient. */
async function measure(
  graph: LayerGraph,
  field: ReceptiveField,
  { layer, index }: { layer: string | undefined; index: readonly number[] | undefined },
  [exit, place]: readonly [ExitName, string],
): Promise<MeasuredUnit> {
  const last = field.layers.at(-1)!;
  const middle = last.n.map((count) => Math.floor(count! / 2));
  const { measureUnit } = await import("../measure-unit.js");
  try {
    return await measureUnit(graph, field, layer ?? last.name, index ?? middle);
  } catch (error) {
    return blame(exit, place, () => {
      throw error;
    });
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

/** An effective field without its pixels. */
function summaryOf(field: MeasuredUnit["effective"]) {
  return field && { center: field.center, contours: field.contours };
}

/** More pixels along a side than a figure of this width can show are not drawn. */
const mostDrawnPixels = 1280;

/**
 * How much every pixel moves the unit, when that was measured; else boxes over the photograph when there is one: of
 * the unit asked for, or of the middle unit of every layer.
 */
async function figure(
  flags: Flags,
  label: string,
  field: ReceptiveField,
  unit: Unit | undefined,
  effective: MeasuredUnit["effective"],
): Promise<SVGSVGElement> {
  const document = await figureDocument();
  if (flags.image === undefined) {
    if (effective !== null) return effectiveFieldOverImage({ field: effective }, { document });
    if (unit !== undefined)
      throw new Failure("usage", "--unit: expected --image beside it to draw the unit on, got none");
    return fieldGrowth([growthOf(label, field.layers)], {
      document,
      depthLabel: "layers that widen the field",
    });
  }
  const [height, width] = field.inputSize;
  if (field.inputSize.length !== 2 || !height || !width) {
    throw new Failure(
      "usage",
      "--image: expected a network on images of known size, got none (say --input H,W)",
    );
  }
  const drawn = await embedPicture(await readPicture(flags.image, [height, width], mostDrawnPixels));
  const image = { href: drawn.href, width, height };
  if (effective !== null) return effectiveFieldOverImage({ field: effective, image }, { document });
  const units = unit === undefined ? middleUnits(field) : [unitBox(unit)];
  const boxes = units.filter((box) => box !== null);
  if (boxes.length === 0) throw new Failure("runtime", "no unit sees anything of the picture");
  return unitsOverImage({ image, units: boxes }, { document });
}
