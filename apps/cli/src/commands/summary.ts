import { extname } from "node:path";
import type { LayerGraph } from "@gradlab/receptive-field";
import {
  bothAxes,
  classicNetwork,
  loadNetwork,
  refuseBesideCheckpoint,
  type ShapeOptions,
} from "@gradlab/studies";
import { type Command, Option } from "commander";
import {
  type CommonOptions,
  countFrom,
  countsFrom,
  defineCommand,
  envelope,
  positiveNumbers,
} from "../command.js";
import { blame, Failure } from "../failure.js";
import { writeOutput } from "../files.js";
import { filesInput } from "../input-files.js";
import { painter, type Terminal } from "../terminal.js";

/** The names of `countingPolicies`, written out so that help needs no tensors; a test holds them together. */
export const policies = ["macs", "with-bias", "flops", "torchinfo", "everything"] as const;

interface Flags extends CommonOptions, ShapeOptions {
  readonly net?: string;
  readonly model?: string;
  readonly weights?: string;
  readonly policy: (typeof policies)[number];
}

export function summaryCommand(terminal: Terminal): Command {
  return defineCommand("summary", "shapes, receptive fields, parameters and operations of every layer", {
    flag: "--out <file>",
    help: "write the table: .json or .csv",
  })
    .option("--net <name>", "a classic network: lenet, alexnet, vgg16, resnet18, …")
    .option("--model <file>", "a model.json of tfjs (layers or graph model), or a LayerGraph as JSON")
    .option("--weights <file>", "a checkpoint of train-cnn, or its folder")
    .option("--input <size>", "input size: N, or H,W", countsFrom(1))
    .option("--channels <n>", "input channels", countFrom(1))
    .option("--classes <n>", "number of classes", countFrom(1))
    .option(
      "--width <n…>",
      "a factor for the channels, or the channels themselves: 16,32,64",
      positiveNumbers,
    )
    .addOption(new Option("--policy <name>", "what counts as an operation").choices(policies).default("macs"))
    .addHelpText(
      "after",
      `
Operations are for one image. Policies: macs counts multiply-accumulates of
convolutions and dense layers; with-bias adds one for each bias added; flops
takes a multiply-accumulate for two; torchinfo counts as that tool does;
everything is flops with norms, pooling, activations and sums.

Examples:
  gradlab summary --net resnet18
  gradlab summary --net vgg11 --width 16,32,64,128,128 --input 64 --channels 1 --classes 10
  gradlab summary --net alexnet --policy flops --json
  gradlab summary --weights run/best.safetensors`,
    )
    .action((flags: Flags) => run(flags, terminal));
}

async function run(flags: Flags, terminal: Terminal): Promise<void> {
  const { net, policy, out } = flags;
  if (out !== undefined && ![".json", ".csv"].includes(extname(out))) {
    throw new Failure(
      "usage",
      `--out: expected a name that ends in .json or .csv, got ${JSON.stringify(out)}`,
    );
  }
  const { label, graph } = await source(flags);
  const { summary, summaryCsv, summaryText } = await import("@gradlab/classic-cnns/networks");
  const inputSize = flags.input && bothAxes(flags.input);
  // A classic network has been cut to size already.
  const resized = net === undefined && inputSize !== undefined;
  const [exit, place] =
    net === undefined ? (["runtime", label] as const) : (["usage", `--net ${net}`] as const);
  const table = blame(exit, place, () => summary(graph, { policy, ...(resized && { inputSize }) }));
  const result = {
    ...envelope("summary", flags, []),
    network: label,
    input: { shape: inputSize ?? graph.input.shape, channels: graph.input.channels },
    policy,
    layers: table.layers,
    params: table.params,
    weights: table.weights,
    macs: table.macs,
  };
  if (out !== undefined) {
    await writeOutput(
      out,
      extname(out) === ".csv" ? summaryCsv(table) : `${JSON.stringify(result, null, 2)}\n`,
    );
    if (!flags.quiet) terminal.log(`wrote ${out}\n`);
  }
  if (flags.json) {
    terminal.write(`${JSON.stringify(result, null, 2)}\n`);
    return;
  }
  const paint = painter(terminal.colors.stdout && flags.color);
  const { shape, channels } = result.input;
  const input = `on an input of ${channels} x ${shape.join(" x ")}`;
  const text = summaryText(table, { bold: (line) => paint("bold", line) });
  terminal.write(`${paint("bold", label)} ${input}\n\n${text}\n`);
}

interface Source {
  readonly label: string;
  readonly graph: LayerGraph;
}

async function source(flags: Flags): Promise<Source> {
  const { net, model, weights } = flags;
  const given = [net, model, weights].filter((flag) => flag !== undefined);
  if (given.length !== 1) {
    const got = given.length === 0 ? "none" : given.length;
    throw new Failure("usage", `expected one of --net, --model and --weights, got ${got}`);
  }
  if (model !== undefined) return ownModel(model, flags);
  if (weights !== undefined) return ownCheckpoint(weights, flags);
  const { name, graph } = await classicNetwork(net!, flags);
  return { label: name, graph };
}

async function ownCheckpoint(path: string, flags: Flags): Promise<Source> {
  const { checkpointFile, readCheckpointNetwork } = await import("../train-cnn/checkpoint.js");
  const file = await checkpointFile(path);
  refuseBesideCheckpoint(flags, file);
  const { name, graph } = await readCheckpointNetwork(file);
  return { label: `${name} of ${file}`, graph };
}

async function ownModel(model: string, flags: Flags): Promise<Source> {
  for (const flag of ["classes", "width"] as const) {
    if (flags[flag] !== undefined) {
      throw new Failure("usage", `--${flag}: expected beside --net, got it beside --model`);
    }
  }
  const { label, graph } = await loadNetwork({}, filesInput([model]));
  const channels = flags.channels ?? graph.input.channels;
  return {
    label,
    graph: { ...graph, input: { ...graph.input, ...(channels !== undefined && { channels }) } },
  };
}
