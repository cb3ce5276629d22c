import type { ActivationMap, Prediction } from "@gradlab/classic-cnns";
import { imageGrid, imageSource } from "@gradlab/figures";
import type { InputFiles, Picture } from "../../declaration/option.js";
import { defineStudy, type Figure, type StudyEvent, type Table } from "../../declaration/study.js";
import { blame, StudyError } from "../../declaration/study-error.js";
import { lines, percent, short, shortened } from "../../declaration/wording.js";
import { mapPicture } from "../../networks/map-picture.js";
import { refuseTorchChoice } from "../../networks/torch-choice.js";
import { classifyOptions, type Preprocessing, type Scores } from "./classify-options.js";
import type { LayerMaps, LayerRange } from "./layer-maps.js";
import type { PixelNumbers } from "./pixel-numbers.js";

export interface ClassifyRecord {
  readonly network: string;
  readonly preprocess: Preprocessing;
  /** How pixels became numbers; null where the preset has a way of its own. */
  readonly pixels: PixelNumbers | null;
  /** What the scores are, and who says so: the option, the graph of the network, or only how the numbers look. */
  readonly scores: { readonly kind: Scores; readonly from: "option" | "network" | "numbers" };
  readonly images: readonly Classified[];
  /** What the layers give out for the first image; null unless asked for. */
  readonly layers: readonly LayerRange[] | null;
  readonly beside: {
    /** The first image and what the layers make of it. */
    readonly look: { readonly picture: Picture; readonly maps: readonly ActivationMap[] } | null;
  };
}

/** The classes of one image, the most probable one first. */
export interface Classified {
  readonly file: string;
  readonly predictions: readonly Prediction[];
}

export const classify = defineStudy({
  name: "classify",
  help: "what a trained network sees in images",
  options: classifyOptions,
  about: `imagenet: the shorter side to 8/7 of the input (256 for 224), the middle of it,
ImageNet's mean and deviation: what the weights of torchvision expect, and the
default for them. googlenet: the same, then torchvision's transform_input, for
its pretrained GoogLeNet. unit: scaled to cover the input, 0 to 1, the default
for checkpoints and models. symmetric: the same, -1 to 1.
Scores: softmax and sigmoid are probabilities already, of one class among all or
of each by itself; logits become probabilities by a softmax; none are printed as
they are. The end of a model's graph says which, unless --scores does.`,
  examples: [
    "classify --net alexnet --weights alexnet.pth --labels imagenet.txt photo.jpg",
    "classify --weights run/best.safetensors digit.png --json",
    "classify --weights run/best.safetensors --maps --out maps.svg digit.png",
    "classify --model model.json --preprocess symmetric --maps --out maps.svg photo.jpg",
  ],
  drawn: "what every layer makes of the first picture, with --maps",
  tensors: "where tensors live: the best that passes its self-test, or this one",
  check(
    { net, spec, channels, classes, width, scores, inputNode, output, ...torch },
    { weights, model, image },
  ) {
    if (!image) throw new StudyError("usage", "{image}: expected a picture, got none");
    if (Boolean(weights) === Boolean(model)) {
      const got = weights ? "both" : "neither";
      throw new StudyError("usage", `expected one of {weights} and {model}, got ${got}`);
    }
    if (net !== undefined && spec !== undefined) {
      throw new StudyError("usage", "{spec}: expected either {net} or {spec}, got both");
    }
    if (spec !== undefined && width !== undefined) {
      throw new StudyError("usage", "{width}: expected beside {net}, got it beside {spec}");
    }
    if (model) refuseTorchChoice(torch, "{model}");
    for (const [option, value] of Object.entries({ scores, inputNode, output })) {
      if (weights && value !== undefined) {
        throw new StudyError("usage", `{${option}}: expected beside {model}, got it beside {weights}`);
      }
    }
    for (const [option, value] of Object.entries({ net, spec, channels, classes, width })) {
      if (model && value !== undefined) {
        throw new StudyError("usage", `{${option}}: expected beside {weights}, got it beside {model}`);
      }
    }
  },
  async *run(chosen, inputs, { openBackend, signal }): AsyncGenerator<StudyEvent, ClassifyRecord> {
    const { model, weights, image } = inputs;
    const { readTfjsModel } = await import("../../networks/tfjs-model.js");
    const ends = {
      ...(chosen.inputNode !== undefined && { input: chosen.inputNode }),
      ...(chosen.output !== undefined && { output: chosen.output }),
    };
    const checked = model && (await readTfjsModel(model, ends));
    await openBackend();
    const { ownNetwork } = await import("./own-network.js");
    const { guessedKind, lookAt, readImage, scoresOf, tfjsClassifier, topClasses } = await import(
      "./classifier.js"
    );
    const { pixelNumbers } = await import("./pixel-numbers.js");
    const { proposal } = await import("./proposal.js");
    const classifier =
      checked === undefined ? yield* ownNetwork(weights!, chosen) : await tfjsClassifier(checked, chosen);
    try {
      const { name, classes, preprocess } = classifier;
      const labels =
        inputs.labels === undefined ? classifier.labels : await readLabels(inputs.labels, classes);
      const pixels = pixelNumbers(preprocess, chosen);
      const text = checked && proposal(checked, chosen);
      if (text) yield { kind: "warning", text };
      const classified: Classified[] = [];
      let kind = chosen.scores ?? classifier.kind;
      const { names = [] } = image ?? {};
      let looked: LayerMaps | null = null;
      for (const [i, file] of names.entries()) {
        signal.throwIfAborted();
        const x = await readImage(image!, file, classifier, pixels);
        if (chosen.maps && i === 0) looked = await lookAt(file, x, classifier);
        const scores = await scoresOf(file, x, classifier);
        if (kind === null) {
          kind = guessedKind(scores);
          yield {
            kind: "warning",
            text: `the model does not say what its scores are; they look like ${kind} ({scores} says so)`,
          };
        }
        if (looked !== null && looked.passedOver > 0 && i === 0) {
          const text = `{maps}: ${looked.passedOver} layers between those that are shown are passed over`;
          yield { kind: "warning", text };
        }
        classified.push({ file, predictions: topClasses(scores, kind, labels, chosen.top) });
        yield { kind: "progress", done: i + 1, total: names.length, text: file };
      }
      const from = chosen.scores ? "option" : classifier.kind ? "network" : "numbers";
      return {
        network: name,
        preprocess,
        pixels,
        scores: { kind: kind ?? "none", from },
        images: classified,
        layers: looked?.layers ?? null,
        beside: {
          look: looked && {
            picture: await image!.decode(names[0]!, { size: [classifier.input[0], classifier.input[1]] }),
            maps: looked.maps,
          },
        },
      };
    } finally {
      classifier.dispose();
    }
  },
  tables,
  figures,
});

async function readLabels(file: InputFiles, classes: number): Promise<readonly string[]> {
  const { parseLabels } = await import("@gradlab/classic-cnns/weights");
  const text = new TextDecoder().decode(await file.read(file.names[0]!));
  return blame("input", file.label, () => parseLabels(text, { classes }));
}

const right = "right" as const;

function tables({ network, images, scores: { kind, from }, layers }: ClassifyRecord, on = ""): Table[] {
  return [
    lines(
      undefined,
      `${network} on ${on}`,
      ...(from === "network" && kind !== "sigmoid" ? [] : [`scores: ${kind} (${from})`]),
    ),
    ...images.map(({ file, predictions }) => ({
      title: file,
      columns: [
        { title: kind === "none" ? "score" : "probability", align: right },
        { title: "class", align: right },
        { title: "name" },
      ],
      rows: predictions.map(({ index, label, probability }) => [
        kind === "none" ? short(probability) : percent(probability),
        `${index}`,
        label ?? "",
      ]),
      notes: [],
    })),
    ...(layers === null ? [] : [layerTable(layers)]),
  ];
}

function layerTable(layers: readonly LayerRange[]): Table {
  const number = (value: number | null) => (value === null ? "–" : `${Number(value.toPrecision(3))}`);
  return {
    title: "layers",
    columns: [
      { title: "layer", shrinks: true },
      { title: "what" },
      { title: "shape" },
      { title: "least", align: right },
      { title: "mean", align: right },
      { title: "most", align: right },
      { title: "zeros", align: right },
    ],
    rows: layers.map(({ layer, op, shape, least, mean, most, zeros }) => [
      layer,
      op,
      shape.join(" x "),
      number(least),
      number(mean),
      number(most),
      percent(zeros),
    ]),
    notes: [],
  };
}

/** As many as stand over a picture of a grid. */
const mostLetters = 22;

function figures(
  { layers, beside }: ClassifyRecord,
  { document }: { readonly document: Document },
): Figure[] {
  const { look } = beside;
  if (layers === null || look === null) {
    throw new StudyError("usage", "nothing to draw: expected {maps} and a picture");
  }
  const input = {
    ...imageSource(look.picture),
    caption: "input",
    note: "as the network takes it",
    pixelated: true,
  };
  const tiles = look.maps.map((map, i) => {
    const scale = map.values.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
    const { layer, shape } = layers[i]!;
    return {
      ...imageSource(mapPicture(map, scale || 1)),
      caption: shortened(layer, mostLetters),
      note: shape.join(" x "),
      pixelated: true,
    };
  });
  return [
    {
      name: "maps",
      caption:
        "What every layer makes of the picture: a tile per channel, blue above zero, orange below, each layer on a scale of its own.",
      svg: imageGrid([input, ...tiles], { document }),
    },
  ];
}
