import {
  type CountingPolicyName,
  type Summary,
  summary as summarize,
  summaryCsv,
  summaryText,
} from "@gradlab/classic-cnns/networks";
import type { LayerGraph } from "@gradlab/receptive-field";
import type { InputFiles, OptionsOf } from "../declaration/option.js";
import { defineStudy, type StudyEvent } from "../declaration/study.js";
import { blame, StudyError, type StudyErrorKind } from "../declaration/study-error.js";
import { lines } from "../declaration/wording.js";
import { bestCheckpoint, isOfTrainCnn, readCheckpointNetwork } from "../networks/checkpoint.js";
import {
  bothAxes,
  classicNetwork,
  isLayerGraph,
  loadNetwork,
  readModelFile,
  refuseBesideCheckpoint,
} from "../networks/network-source.js";
import { specOption } from "../networks/own-network-options.js";
import { readWritten, writtenNetwork } from "../networks/written-network.js";
import { graphSummary } from "./graph-summary.js";
import { listTensors, type TensorList, tensorsCsv, tensorTable } from "./list-tensors.js";
import { type ModelSummary, modelCsv, modelSummary, modelTable } from "./model-summary.js";

const policies = [
  "macs",
  "with-bias",
  "flops",
  "torchinfo",
  "everything",
] as const satisfies readonly CountingPolicyName[];

const options = {
  net: { kind: "text", placeholder: "<name>", help: "a classic network: lenet, alexnet, vgg16, resnet18, …" },
  spec: specOption,
  model: { kind: "file", help: "a model.json of tfjs (layers or graph model), or a LayerGraph as JSON" },
  weights: {
    kind: "file",
    inFolder: bestCheckpoint,
    help: "a checkpoint of train-cnn, or its folder; or any .pth or .safetensors, whose tensors are listed",
  },
  input: { kind: "integers", least: 1, unit: "pixels", placeholder: "<size>", help: "input size: N, or H,W" },
  channels: { kind: "integer", least: 1, help: "input channels" },
  classes: { kind: "integer", least: 1, help: "number of classes" },
  width: {
    kind: "numbers",
    above: 0,
    help: "a factor for the channels, or the channels themselves: 16,32,64",
  },
  policy: { kind: "choice", choices: policies, default: "macs", help: "what counts as an operation" },
} as const;

type SummaryOptions = OptionsOf<typeof options>;

interface Described {
  readonly network: string;
  readonly policy: (typeof policies)[number];
}

interface ClassicRecord extends Described, Pick<Summary, "layers" | "params" | "weights" | "macs"> {
  readonly input: { readonly shape: readonly (number | null)[]; readonly channels?: number };
}

/** Of a model of tfjs: shapes as the model lays them out. */
interface ModelRecord extends Described, Omit<ModelSummary, "input" | "warnings"> {
  readonly input: { readonly shape: readonly (number | null)[] | null };
}

/** Of a file of weights whose network nobody knows. */
interface ListRecord extends Described, TensorList {}

export type SummaryRecord = ClassicRecord | ModelRecord | ListRecord;

const isList = (record: SummaryRecord): record is ListRecord => "tensors" in record;

const isModel = (record: SummaryRecord): record is ModelRecord => "trainable" in record;

export const summary = defineStudy({
  name: "summary",
  help: "shapes, receptive fields, parameters and operations of every layer",
  options,
  about: `Operations are for one image. Policies: macs counts multiply-accumulates of
convolutions and dense layers; with-bias adds one for each bias added; flops
takes a multiply-accumulate for two; torchinfo counts as that tool does;
everything is flops with norms, pooling, activations and sums. A model of tfjs
keeps its own order of sizes, and its parameters count as Keras counts them.
Of weights that no checkpoint of train-cnn holds, every tensor is listed.`,
  examples: [
    "summary --net resnet18",
    "summary --net vgg11 --width 16,32,64,128,128 --input 64 --channels 1 --classes 10",
    "summary --net alexnet --policy flops --json",
    'summary --spec "conv1 5 p2 f6, relu, pool1 2/2, flatten, dense 120, relu, dense" --input 28 --channels 1 --classes 10',
    "summary --weights run/best.safetensors",
    "summary --weights resnet18.pth",
  ],
  drawn: null,
  tensors: null,
  check({ net, spec, classes, width }, { model, weights }) {
    const given = [net !== undefined, spec !== undefined, model, weights].filter(Boolean).length;
    if (given !== 1) {
      const got = given === 0 ? "none" : given;
      throw new StudyError("usage", `expected one of {net}, {spec}, {model} and {weights}, got ${got}`);
    }
    if (spec !== undefined && width !== undefined) {
      throw new StudyError("usage", "{width}: expected beside {net}, got it beside {spec}");
    }
    for (const [option, value] of Object.entries({ classes, width })) {
      if (model && value !== undefined) {
        throw new StudyError("usage", `{${option}}: expected beside {net}, got it beside {model}`);
      }
    }
  },
  async *run(chosen, inputs): AsyncGenerator<StudyEvent, SummaryRecord> {
    const { net, spec, policy } = chosen;
    const { weights } = inputs;
    if (weights !== undefined && !(await isOfTrainCnn(weights))) {
      refuseBesideCheckpoint(chosen, weights.label);
      return { network: weights.label, policy, ...(await listTensors(weights)) };
    }
    const file = inputs.model && (await readModelFile(inputs.model));
    if (file !== undefined && !isLayerGraph(file.json)) {
      const { label } = inputs.model!;
      const { input, warnings, ...table } = modelSummary(label, file, {
        policy,
        ...(chosen.input && { size: chosen.input }),
        ...(chosen.channels !== undefined && { channels: chosen.channels }),
      });
      for (const text of warnings) yield { kind: "warning", text };
      return { network: label, input: { shape: input }, policy, ...table };
    }
    const { label, graph } = await source(chosen, inputs);
    const inputSize = chosen.input && bothAxes(chosen.input);
    // A network that was named or written has been cut to size already.
    const resized = net === undefined && spec === undefined && inputSize !== undefined;
    const named = net === undefined ? "{spec}" : `{net} ${net}`;
    const blameOn: readonly [StudyErrorKind, place: string] =
      net === undefined && spec === undefined ? ["input", label] : ["usage", named];
    const table = blame(...blameOn, () => {
      try {
        return summarize(graph, { policy, ...(resized && { inputSize }) });
      } catch (error) {
        // What is no network of classic layers may still have positions, channels and parameters.
        if (file === undefined) throw error;
        return graphSummary(graph, { policy, ...(resized && { inputSize }) });
      }
    });
    if ("trainable" in table) {
      const { input, warnings, ...rest } = table;
      for (const text of warnings) yield { kind: "warning", text };
      return { network: label, input: { shape: input }, policy, ...rest };
    }
    const { channels } = graph.input;
    return {
      network: label,
      input: { shape: inputSize ?? graph.input.shape, ...(channels !== undefined && { channels }) },
      policy,
      layers: table.layers,
      params: table.params,
      weights: table.weights,
      macs: table.macs,
    };
  },
  tables: (record) => {
    if (isList(record)) return tensorTable(record);
    if (isModel(record)) {
      const size = record.input.shape?.map((n) => n ?? "?").join(" x ") ?? "unknown shape";
      return [lines(`${record.network} on an input of ${size}`), modelTable(record, record.policy)];
    }
    return [
      lines(`${record.network} on an input of ${record.input.channels} x ${record.input.shape.join(" x ")}`),
      lines(undefined, summaryText(record)),
    ];
  },
  csv: (record) =>
    isList(record) ? tensorsCsv(record) : isModel(record) ? modelCsv(record) : summaryCsv(record),
});

async function source(
  chosen: SummaryOptions,
  { model, weights }: { readonly model?: InputFiles; readonly weights?: InputFiles },
): Promise<{ label: string; graph: LayerGraph }> {
  if (model !== undefined) {
    const { label, graph } = await loadNetwork({}, model);
    // A graph has no weights that other channels could contradict.
    const channels = chosen.channels ?? graph.input.channels;
    return {
      label,
      graph: { ...graph, input: { ...graph.input, ...(channels !== undefined && { channels }) } },
    };
  }
  if (weights !== undefined) {
    refuseBesideCheckpoint(chosen, weights.label);
    const { name, graph } = await readCheckpointNetwork(weights);
    return { label: `${name} of ${weights.label}`, graph };
  }
  const written = await readWritten(chosen.spec, undefined);
  if (written !== undefined) {
    const { name, graph } = await writtenNetwork(written, chosen);
    return { label: name, graph };
  }
  const { name, graph } = await classicNetwork(chosen.net!, chosen);
  return { label: name, graph };
}
