import type { Evaluation, InitScheme } from "@gradlab/classic-cnns";
import type { OptimizerConfig } from "@gradlab/core";
import type { Dataset } from "@gradlab/datasets";
import { bothAxes, classicNetwork, duration, type ShapeOptions } from "@gradlab/studies";
import { type Command, Option } from "commander";
import {
  type CommonOptions,
  countFrom,
  countsFrom,
  defineCommand,
  envelope,
  numberFrom,
  positiveNumbers,
} from "../command.js";
import { Failure } from "../failure.js";
import { isFile, prepareFolder } from "../files.js";
import { openBackend } from "../open-backend.js";
import { type Paint, painter, type Terminal, textTable } from "../terminal.js";
import { type AugmentationName, augmentations } from "../train-cnn/augmentations.js";
import { type ImageData, loadImageData } from "../train-cnn/image-data.js";
import type { RunResult } from "../train-cnn/run-result.js";

const optimizers = ["sgd", "momentum", "adam", "rmsprop", "adagrad", "adadelta", "adamax"] as const;
type OptimizerName = (typeof optimizers)[number];

/** Learning rates that most networks here learn with. */
const usualRates: Readonly<Record<OptimizerName, number>> = {
  sgd: 0.1,
  momentum: 0.02,
  adam: 0.001,
  rmsprop: 0.001,
  adagrad: 0.02,
  adadelta: 1,
  adamax: 0.002,
};

const schemes = {
  xavier: "xavier-uniform",
  "xavier-uniform": "xavier-uniform",
  "xavier-normal": "xavier-normal",
  he: "he-normal",
  "he-uniform": "he-uniform",
  "he-normal": "he-normal",
  torch: "torch",
} as const satisfies Readonly<Record<string, InitScheme>>;

interface Flags extends CommonOptions, ShapeOptions {
  readonly net: string;
  readonly data: string;
  readonly count?: number;
  readonly epochs: number;
  readonly batch: number;
  readonly optimizer: OptimizerName;
  readonly lr?: number;
  readonly init: keyof typeof schemes;
  readonly augment: AugmentationName;
  readonly validation?: number;
  readonly patience?: number;
  readonly checkpoint?: string;
  readonly resume: boolean;
  readonly log?: string;
}

export function trainCnnCommand(terminal: Terminal): Command {
  return defineCommand(
    "train-cnn",
    "train a classic network on images, with all that can be seen of it",
    {
      flag: "--out <dir>",
      help: "write index.html, result.json and figures there: learning curves, confusion matrix, histograms and maps by layer",
    },
    "where tensors live: the best that passes its self-test, or this one",
  )
    .requiredOption("--net <name>", "a classic network: lenet-relu, vgg11, resnet18, …")
    .option(
      "--data <dir>",
      "a folder with IDX files (MNIST, Fashion-MNIST), the binary CIFAR-10, or a folder of pictures for each class; or shapes: generated images",
      "shapes",
    )
    .option("--count <n>", "how many images to generate for training (default: 2000)", countFrom(1))
    .option(
      "--input <size>",
      "input size N or H,W (default: that of the images); images are resized",
      countsFrom(1),
    )
    .option("--channels <n>", "channels of generated images: 1 or 3", countFrom(1))
    .option(
      "--width <n…>",
      "a factor for the channels of the network, or the channels themselves",
      positiveNumbers,
    )
    .option("--epochs <n>", "passes over the training images", countFrom(1), 10)
    .option("--batch <n>", "images in a step", countFrom(1), 50)
    .addOption(new Option("--optimizer <name>", "how to step").choices(optimizers).default("adam"))
    .option("--lr <n>", "learning rate (default: a usual one of the optimizer)", numberFrom({ above: 0 }))
    .addOption(
      new Option("--init <name>", "how kernels are drawn").choices(Object.keys(schemes)).default("xavier"),
    )
    .addOption(
      new Option("--augment <name>", "change the images at random in every epoch")
        .choices(Object.keys(augmentations))
        .default("none"),
    )
    .option(
      "--validation <share>",
      "hold this share of the training images out and watch them (default: the test images are watched; 0.1 with --patience)",
      numberFrom({ least: 0, below: 1 }),
    )
    .option(
      "--patience <n>",
      "stop after so many epochs without a smaller loss on the held out images",
      countFrom(1),
    )
    .option("--checkpoint <dir>", "write last.safetensors and best.safetensors there after every epoch")
    .option("--resume", "go on from last.safetensors of --checkpoint", false)
    .option("--log <file>", "write a line of JSON per step and per epoch")
    .addHelpText(
      "after",
      `
Ctrl-C ends the training in a checkpoint (exit code 130); --resume goes on from
it as if nothing had happened. gradlab classify and summary take checkpoints.

Examples:
  gradlab train-cnn --net lenet-relu --out run
  gradlab train-cnn --net lenet-relu --data fashion-mnist --epochs 40 --lr 0.002 --checkpoint run --log run/log.jsonl
  gradlab train-cnn --net resnet18 --width 0.25 --input 32 --augment flip-crop --patience 5`,
    )
    .action((flags: Flags) => run(flags, terminal));
}

async function run(flags: Flags, terminal: Terminal): Promise<void> {
  checkFlags(flags);
  const { net, seed, batch, epochs, patience, checkpoint, log, resume, out } = flags;
  const validation = flags.validation ?? (patience === undefined ? 0 : 0.1);
  const data = await loadData(flags, validation);
  const classic = await classicNetwork(net, shapeFor(flags, data.train));
  for (const folder of [out, checkpoint]) if (folder !== undefined) await prepareFolder(folder);
  const opened = await openBackend(flags, terminal);
  const { trainRun } = await import("../train-cnn/train-run.js");
  const { lastCheckpoint } = await import("../train-cnn/checkpoint.js");
  const warnings: string[] = [];
  if (checkpoint !== undefined && !resume && (await isFile(lastCheckpoint(checkpoint)))) {
    warnings.push(`${lastCheckpoint(checkpoint)} is written anew (--resume would go on from it)`);
  }
  const paint = painter(terminal.colors.stderr && flags.color);
  if (!flags.quiet) for (const one of warnings) terminal.log(`${paint("yellow", "warning:")} ${one}\n`);
  const optimizer: OptimizerConfig = {
    name: flags.optimizer,
    learningRate: flags.lr ?? usualRates[flags.optimizer],
  };
  const done = await trainRun({
    classic,
    data,
    opened,
    optimizer,
    plan: { seed, batch, init: schemes[flags.init], augment: flags.augment, validation },
    epochs,
    resume,
    patience,
    checkpoint,
    log,
    out,
    quiet: flags.quiet,
    color: flags.color,
    terminal,
    around: envelope("train-cnn", flags, warnings, opened),
  });
  if (flags.json) terminal.write(`${JSON.stringify(done, null, 2)}\n`);
  else terminal.write(describe(done, painter(terminal.colors.stdout && flags.color)));
}

function checkFlags({ data, count, channels, resume, checkpoint, patience, validation }: Flags): void {
  for (const [flag, value] of Object.entries({ count, channels })) {
    if (value !== undefined && data !== "shapes") {
      throw new Failure("usage", `--${flag}: expected beside --data shapes, got it beside --data ${data}`);
    }
  }
  if (resume && checkpoint === undefined) {
    throw new Failure("usage", "--resume: expected --checkpoint DIR beside it, got none");
  }
  if (patience !== undefined && validation === 0) {
    throw new Failure("usage", "--patience: expected images to watch, got --validation 0");
  }
}

async function loadData(flags: Flags, validation: number): Promise<ImageData> {
  const { seed, count, channels, input } = flags;
  return loadImageData(flags.data, {
    seed,
    validation,
    ...(count !== undefined && { count }),
    ...(channels !== undefined && { channels }),
    ...(input !== undefined && { inputSize: bothAxes(input) }),
  });
}

function shapeFor({ width }: Flags, { shape, classes }: Dataset): ShapeOptions {
  const [height, across, channels] = shape;
  return { input: [height, across], channels, classes, ...(width && { width }) };
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

function describe(
  { network, data, steps, seconds, epochs, stopped, bestEpoch, inspection, ...judged }: RunResult,
  paint: Paint,
): string {
  const sets = (["training", "validation", "test"] as const).flatMap((name) => {
    const seen = judged[name];
    return seen === null ? [] : [[name, `${seen.count}`, seen.loss.toFixed(4), percent(seen.accuracy)]];
  });
  const right = "right" as const;
  const columns = [
    { title: "images" },
    { title: "count", align: right },
    { title: "loss", align: right },
    { title: "accuracy", align: right },
  ];
  const how = stopped === "patience" ? `, stopped early; the parameters are those of epoch ${bestEpoch}` : "";
  const lines = [
    `${paint("bold", network.name)} after ${epochs.length} epochs, ${steps} steps, ${duration(seconds)}${how}`,
    "",
    textTable(columns, sets, paint),
  ];
  const final = judged.test ?? judged.validation;
  if (final !== null) lines.push("", perClass(final, data.labels, paint));
  const dead = inspection.deadUnits.filter((unit) => unit.dead > 0);
  if (inspection.deadUnits.length > 0) {
    const which = dead.map((unit) => `${unit.dead} of ${unit.of} in ${unit.layer}`).join(", ");
    lines.push("", `dead units on ${inspection.images} images: ${which || "none"}`);
  }
  return `${lines.join("\n")}\n`;
}

/** Every class with its accuracy, and what it is taken for most often. */
function perClass(
  { confusion, perClass: accuracy }: Evaluation,
  labels: readonly string[],
  paint: Paint,
): string {
  const rows = confusion.map((row, label) => {
    const wrong = row.map((count, other) => (other === label ? -1 : count));
    const most = Math.max(...wrong);
    const other = wrong.indexOf(most);
    const right = accuracy[label] ?? null;
    return [
      labels[label]!,
      right === null ? "–" : percent(right),
      most > 0 ? `${labels[other]} (${most})` : "",
    ];
  });
  const columns = [
    { title: "class" },
    { title: "accuracy", align: "right" as const },
    { title: "most often taken for" },
  ];
  return textTable(columns, rows, paint);
}
