import type { Prediction } from "@gradlab/classic-cnns";
import type { ShapeOptions } from "@gradlab/studies";
import { describeBackend } from "@gradlab/studies";
import { type Command, Option } from "commander";
import {
  type CommonOptions,
  countFrom,
  countsFrom,
  defineCommand,
  envelope,
  positiveNumbers,
} from "../command.js";
import { Failure } from "../failure.js";
import { writeOutput } from "../files.js";
import { type OpenedBackend, openBackend } from "../open-backend.js";
import { type Paint, painter, type Terminal, textTable } from "../terminal.js";

/** How pixels become numbers. */
const preprocessings = ["imagenet", "googlenet", "unit", "symmetric"] as const;
export type Preprocessing = (typeof preprocessings)[number];

export interface ClassifyFlags extends CommonOptions, ShapeOptions {
  readonly net?: string;
  readonly weights?: string;
  readonly model?: string;
  readonly labels?: string;
  readonly preprocess?: Preprocessing;
  readonly top: number;
}

export function classifyCommand(terminal: Terminal): Command {
  return defineCommand(
    "classify",
    "what a trained network sees in images",
    { flag: "--out <file>", help: "write the result as JSON" },
    "where tensors live: the best that passes its self-test, or this one",
  )
    .argument("<image...>", "pictures: JPEG, PNG, WebP, …")
    .option("--net <name>", "a classic network; a checkpoint of train-cnn names its own")
    .option(
      "--weights <file>",
      "its weights: .pth of PyTorch or .safetensors; or a checkpoint of train-cnn, or its folder",
    )
    .option("--model <file>", "instead: a model.json of tfjs with its weights beside it")
    .option("--labels <file>", "names of the classes: a line each, or JSON")
    .option("--input <size>", "input size N or H,W (default: that of the network)", countsFrom(1))
    .option("--channels <n>", "input channels of --net", countFrom(1))
    .option("--classes <n>", "number of classes of --net", countFrom(1))
    .option("--width <n…>", "a factor for the channels of --net, or the channels themselves", positiveNumbers)
    .addOption(
      new Option("--preprocess <name>", "how pixels become numbers, see below").choices(preprocessings),
    )
    .option("--top <n>", "how many classes to print", countFrom(1), 5)
    .addHelpText(
      "after",
      `
imagenet: the shorter side to 8/7 of the input (256 for 224), the middle of it,
ImageNet's mean and deviation: what the weights of torchvision expect, and the
default for them. googlenet: the same, then torchvision's transform_input, for
its pretrained GoogLeNet. unit: scaled to cover the input, 0 to 1, the default
for checkpoints and models. symmetric: the same, -1 to 1.

Examples:
  gradlab classify --net alexnet --weights alexnet.pth --labels imagenet.txt photo.jpg
  gradlab classify --weights run/best.safetensors digit.png --json
  gradlab classify --model model.json --preprocess symmetric photo.jpg`,
    )
    .action((images: string[], flags: ClassifyFlags) => run(images, flags, terminal));
}

/** The classes of one image, the most probable one first. */
export interface Classified {
  readonly file: string;
  readonly predictions: readonly Prediction[];
}

async function run(images: readonly string[], flags: ClassifyFlags, terminal: Terminal): Promise<void> {
  checkFlags(flags);
  const opened = await openBackend(flags, terminal);
  const { classify } = await import("../classify.js");
  const warnings: string[] = [];
  const { network, preprocess, classified } = await classify(images, flags, {
    signal: terminal.signal,
    warn: (warning) => {
      warnings.push(warning);
      if (!flags.quiet)
        terminal.log(`${painter(terminal.colors.stderr && flags.color)("yellow", "warning:")} ${warning}\n`);
    },
  });
  const result = {
    ...envelope("classify", flags, warnings, opened),
    network,
    preprocess,
    images: classified,
  };
  const json = `${JSON.stringify(result, null, 2)}\n`;
  if (flags.out !== undefined) {
    await writeOutput(flags.out, json);
    if (!flags.quiet) terminal.log(`wrote ${flags.out}\n`);
  }
  terminal.write(
    flags.json ? json : describe(network, classified, opened, painter(terminal.colors.stdout && flags.color)),
  );
}

function checkFlags({ net, weights, model, channels, classes, width }: ClassifyFlags): void {
  if ((weights === undefined) === (model === undefined)) {
    throw new Failure("usage", `expected one of --weights and --model, got ${weights ? "both" : "neither"}`);
  }
  if (model === undefined) return;
  for (const [flag, value] of Object.entries({ net, channels, classes, width })) {
    if (value !== undefined) {
      throw new Failure("usage", `--${flag}: expected beside --weights, got it beside --model`);
    }
  }
}

function describe(
  network: string,
  classified: readonly Classified[],
  opened: OpenedBackend,
  paint: Paint,
): string {
  const blocks = classified.map(({ file, predictions }) => {
    const rows = predictions.map(({ index, label, probability }) => [
      `${(100 * probability).toFixed(1)} %`,
      `${index}`,
      label ?? "",
    ]);
    const columns = [
      { title: "probability", align: "right" as const },
      { title: "class", align: "right" as const },
      { title: "name" },
    ];
    return `${paint("bold", file)}\n${textTable(columns, rows, paint)}\n`;
  });
  return `${network} on ${describeBackend(opened)}\n\n${blocks.join("\n")}`;
}
