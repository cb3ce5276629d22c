import {
  receptiveField as fieldOf,
  type LayerGraph,
  type ReceptiveField,
  type Unit,
} from "@gradlab/receptive-field";
import type { InputFiles, OptionsOf } from "../../declaration/option.js";
import { defineStudy, type StudyContext } from "../../declaration/study.js";
import { blame, blamed, StudyError, type StudyErrorKind } from "../../declaration/study-error.js";
import { loadNetwork } from "../../networks/network-source.js";
import { fieldFigure } from "./field-figure.js";
import { fieldTables } from "./field-tables.js";
import type { MeasuredUnit } from "./measure-unit.js";
import { reachText, sameReach } from "./reached.js";
import type { ReceptiveFieldRecord } from "./receptive-field-record.js";
import { middleUnits, unitBox } from "./unit-boxes.js";

const options = {
  net: { kind: "text", placeholder: "<name>", help: "a network that comes with gradlab" },
  model: {
    kind: "file",
    help: "a model.json of tfjs (layers or graph model), or a LayerGraph as JSON",
  },
  spec: {
    kind: "text",
    help: 'a network in words: "conv1 11/4, pool1 3/2, conv2 5/1 p2"',
  },
  input: {
    kind: "integers",
    least: 1,
    unit: "pixels",
    placeholder: "<size>",
    help: "input size: N, or H,W",
  },
  inputNode: { kind: "text", placeholder: "<name>", help: "the input of --model, where it has several" },
  output: {
    kind: "text",
    placeholder: "<name>",
    help: "the layer or node at which the graph of --model ends",
  },
  layer: { kind: "text", placeholder: "<name>", help: "the layer that --unit is in" },
  unit: { kind: "integers", least: 0, placeholder: "<y,x>", help: "a unit, counted from 0" },
  pixel: {
    kind: "integers",
    least: 0,
    placeholder: "<y,x>",
    help: "a pixel, counted from 0: which units see it",
  },
  origin: {
    kind: "choice",
    choices: ["index", "half", "one"],
    default: "index",
    placeholder: "<origin>",
    help: "where coordinates start: the first pixel is 0, 0.5 or 1",
  },
  measure: {
    kind: "flag",
    help: "find what reaches the unit (default: the middle one of the last layer) by its gradient too; exit code 3 if it is something else",
  },
  image: { kind: "picture", drawn: true, help: "a photograph to draw over (with --out)" },
} as const;

type ReceptiveFieldOptions = OptionsOf<typeof options>;

/** More pixels along a side than a figure can show are not kept. */
const mostDrawnPixels = 1280;

export const receptiveField = defineStudy({
  name: "receptive-field",
  help: "what every layer of a network sees of its input",
  options,
  examples: [
    "receptive-field --net alexnet-227 --input 227 --origin one",
    "receptive-field --net vgg16 --layer pool5 --unit 3,3 --image photo.jpg --out boxes.png",
    "receptive-field --net vgg16 --input 224 --layer pool5 --unit 3,3 --measure --out measured.png",
    'receptive-field --spec "conv1 7/2 same, pool1 3/2 same" --json',
  ],
  drawn: "what is measured, the boxes over --image, else the growth of the field",
  tensors: "where tensors live (with --measure): the best that passes its self-test, or this one",
  check({ layer, unit, pixel }) {
    if (layer === undefined && unit !== undefined) {
      throw new StudyError("usage", "{layer}: expected the layer that {unit} is in, got nothing");
    }
    if (layer === undefined || unit !== undefined) return;
    const got =
      pixel === undefined ? "nothing" : "{pixel}, which looks at every layer and goes without {layer}";
    throw new StudyError("usage", `{layer}: expected {unit} Y,X beside it, got ${got}`);
  },
  async *run(chosen, { model, image }, context): AsyncGenerator<never, ReceptiveFieldRecord> {
    const { label, graph } = await loadNetwork(chosen, model);
    const { origin, layer, unit: index, pixel } = chosen;
    const [size, ...more] = chosen.input ?? [];
    const blameOn = whoseFault(chosen, model);
    const field = blame(...blameOn, () =>
      fieldOf(graph, {
        origin,
        ...(size !== undefined && { inputSize: more.length === 0 ? size : [size, ...more] }),
      }),
    );
    if (layer !== undefined) expectLayer(field, layer);
    const unit =
      layer !== undefined && index !== undefined
        ? blame("usage", "{unit}", () => field.unit(layer, index))
        : undefined;
    const seenBy =
      pixel &&
      blame("usage", "{pixel}", () => field.layers.map(({ name }) => field.unitsSeeing(name, pixel))).map(
        ({ layer: name, axes, count }) => ({ layer: name, axes, count }),
      );
    const measured = chosen.measure ? await measure(graph, field, chosen, context, blameOn) : undefined;
    const { inputSize, layers, misalignments } = field;
    return {
      network: label,
      origin,
      inputSize,
      layers,
      misalignments,
      ...(unit && { unit }),
      ...(measured && { measured }),
      ...(seenBy && { pixel: { index: pixel, seenBy } }),
      ...(image && { beside: await drawnOver(image, field, unit) }),
    };
  },
  tables: (record, on = "") => fieldTables(record, on),
  figures: (record, { document }) => [fieldFigure(record, document)],
  verdict({ measured }) {
    if (measured === undefined || sameReach(measured.arithmetic, measured.gradient)) return null;
    const { index, layer, arithmetic, gradient } = measured;
    return `unit (${index.join(", ")}) of ${layer}: expected a gradient at ${reachText(arithmetic)}, got one at ${reachText(gradient)}`;
  },
});

function expectLayer({ layers }: ReceptiveField, layer: string): void {
  if (layers.some(({ name }) => name === layer)) return;
  const names = layers.map(({ name }) => name);
  // In a long network those that look like it.
  const alike = names.filter((name) => name.slice(0, 3) === layer.slice(0, 3));
  const shown = names.length <= 40 ? names : alike.length > 0 ? alike : names;
  const listed = shown.length > 40 ? [...shown.slice(0, 39), "…", shown.at(-1)!] : shown;
  throw new StudyError(
    "usage",
    `{layer}: expected one of ${listed.join(", ")}, got ${JSON.stringify(layer)}`,
  );
}

/** What --input makes impossible is wrong usage; what is impossible by itself stands in the model. */
function whoseFault(
  { input, spec }: ReceptiveFieldOptions,
  model: InputFiles | undefined,
): readonly [StudyErrorKind, place: string] {
  if (input !== undefined) return ["usage", "{input}"];
  if (model !== undefined) return ["input", model.label];
  return ["usage", spec === undefined ? "{net}" : "{spec}"];
}

/** The unit asked for, or the middle one of the last layer, by its gradient. */
async function measure(
  graph: LayerGraph,
  field: ReceptiveField,
  { layer, unit }: ReceptiveFieldOptions,
  { openBackend }: StudyContext,
  blameOn: readonly [StudyErrorKind, place: string],
): Promise<MeasuredUnit> {
  if (field.inputSize.includes(null)) {
    throw new StudyError("usage", "{measure}: expected an input of known size, got none (say {input} H,W)");
  }
  const last = field.layers.at(-1)!;
  const middle = last.n.map((count) => Math.floor(count! / 2));
  await openBackend();
  const { measureUnit } = await import("./measure-unit.js");
  try {
    return await measureUnit(graph, field, layer ?? last.name, unit ?? middle);
  } catch (error) {
    throw blamed(...blameOn, error);
  }
}

/** The picture, and the boxes of the unit asked for or of the middle unit of every layer. */
async function drawnOver(
  image: InputFiles,
  field: ReceptiveField,
  unit: Unit | undefined,
): Promise<NonNullable<ReceptiveFieldRecord["beside"]>> {
  const [height, width] = field.inputSize;
  if (field.inputSize.length !== 2 || !height || !width) {
    throw new StudyError(
      "usage",
      "{image}: expected a network on images of known size, got none (say {input} H,W)",
    );
  }
  const size = [height, width] as const;
  const picture = await image.decode(image.names[0]!, { size, most: mostDrawnPixels, jpeg: true });
  const units = unit === undefined ? middleUnits(field) : [unitBox(unit)];
  return { picture, boxes: units.filter((box) => box !== null) };
}
