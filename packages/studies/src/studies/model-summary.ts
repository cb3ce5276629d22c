import { type CountingPolicy, countingPolicies } from "@gradlab/classic-cnns/networks";
import { receptiveField } from "@gradlab/receptive-field";
import { type ModelRow, modelRows, type Shape } from "@gradlab/tfjs-models";
import type { Table } from "../declaration/study.js";
import { StudyError } from "../declaration/study-error.js";
import { grouped, perAxis } from "../declaration/wording.js";
import { blameModel, type ModelFile } from "../networks/network-source.js";

/** One layer of a model of tfjs; null for what is not known. */
interface ModelLayer {
  readonly name: string;
  readonly op: string;
  /** As the model lays it out, without the batch. */
  readonly outputShape: Shape | null;
  readonly kernel: readonly number[] | null;
  readonly receptiveField: readonly (number | null)[] | null;
  readonly jump: readonly (number | null)[] | null;
  /** Parameters as Keras counts them: statistics of norms too. */
  readonly params: number | null;
  /** Those that training changes; null in graph models. */
  readonly trainable: number | null;
  readonly weights: number | null;
  readonly macs: number | null;
}

export interface ModelSummary {
  readonly layers: readonly ModelLayer[];
  readonly params: number;
  /** Null in graph models, which do not say. */
  readonly trainable: number | null;
  readonly weights: number;
  readonly macs: number;
  /** Without the batch, as the model lays it out. */
  readonly input: Shape | null;
  readonly warnings: readonly string[];
}

/** The table of a layers or graph model of tfjs. */
export function modelSummary(
  label: string,
  { json, weights }: ModelFile,
  chosen: {
    readonly size?: readonly number[];
    readonly channels?: number;
    readonly policy: keyof typeof countingPolicies;
  },
): ModelSummary {
  const { policy, ...shape } = chosen;
  const isCut = shape.size !== undefined || shape.channels !== undefined;
  const model = blameModel(isCut ? "usage" : "input", label, () =>
    modelRows(json, { ...shape, ...(weights && { weights }) }),
  );
  if (model.rows.length === 0)
    throw new StudyError("input", `${label}: expected at least one layer, got none`);
  const { fields, warning } = fieldsOf(model.graph, shape.size);
  const layers = model.rows.map((row): ModelLayer => {
    const field = fields.get(row.name);
    return {
      name: row.name,
      op: row.op,
      outputShape: row.output,
      kernel: row.kernel,
      receptiveField: field?.size ?? null,
      jump: field?.jump ?? null,
      params: row.params,
      trainable: row.trainable,
      weights: row.weights,
      macs: operations(row, countingPolicies[policy]),
    };
  });
  const total = (key: "weights" | "macs") => layers.reduce((sum, layer) => sum + (layer[key] ?? 0), 0);
  return {
    layers,
    params: model.params,
    trainable: model.trainable,
    weights: total("weights"),
    macs: total("macs"),
    input: model.input,
    warnings: [...model.warnings, ...warning],
  };
}

type Fields = ReadonlyMap<string, { readonly size: Shape; readonly jump: Shape }>;

function fieldsOf(
  graph: ReturnType<typeof modelRows>["graph"],
  inputSize: readonly number[] | undefined,
): { fields: Fields; warning: readonly string[] } {
  if (graph === null || graph.layers.length === 0) return { fields: new Map(), warning: [] };
  try {
    const { layers } = receptiveField(
      graph,
      inputSize && { inputSize: inputSize.length === 1 ? inputSize[0]! : inputSize },
    );
    return { fields: new Map(layers.map((row) => [row.name, row])), warning: [] };
  } catch (error) {
    return { fields: new Map(), warning: [`no receptive fields: ${(error as Error).message}`] };
  }
}

const sizeOf = (shape: Shape | null) =>
  shape?.reduce<number | null>(
    (product, size) => (product === null || size === null ? null : product * size),
    1,
  ) ?? null;

const activations =
  /^(activation|.*relu6?|.*elu|sigmoid|tanh|.*softmax|softplus|softsign|add|addv2|addn|mul|multiply|sub|subtract|average|maximum|minimum)$/i;

/** Operations of a layer for one image, as the policy counts them. */
function operations(row: ModelRow, policy: CountingPolicy): number | null {
  if (row.macs === null) return null;
  const outputs = sizeOf(row.output) ?? 0;
  if ((row.weights ?? 0) > 0) {
    const biased = policy.bias && (row.params ?? 0) > (row.weights ?? 0);
    return row.macs * policy.multiplyAdd + (biased ? outputs : 0);
  }
  if (/batch_?norm/i.test(row.op)) {
    if (policy.norm === false) return 0;
    return policy.norm === "elements" ? 2 * outputs : (row.trainable ?? row.params ?? 0);
  }
  if (row.kernel !== null) return policy.pool ? outputs * sizeOf(row.kernel)! : 0;
  return policy.activation && activations.test(row.op) ? outputs : 0;
}

const sizes = (shape: Shape | null) => (shape === null ? "?" : shape.map((size) => size ?? "?").join("x"));
const count = (value: number | null) => (value === null ? "?" : value === 0 ? "" : grouped(value));

export function modelTable(
  { layers, params, trainable, weights, macs }: Omit<ModelSummary, "warnings" | "input">,
  policy: string,
): Table {
  const split = trainable === null ? "" : `, ${grouped(trainable)} of them trainable`;
  const unit = policy === "macs" ? "MACs" : `operations (${policy})`;
  return {
    columns: [
      { title: "layer", shrinks: true },
      { title: "op", shrinks: true },
      { title: "output", align: "right" },
      { title: "kernel", align: "right" },
      { title: "field", align: "right" },
      { title: "jump", align: "right" },
      { title: "params", align: "right" },
      { title: policy === "macs" ? "MACs" : "operations", align: "right" },
    ],
    rows: layers.map((layer) => [
      layer.name,
      layer.op,
      sizes(layer.outputShape),
      perAxis(layer.kernel),
      perAxis(layer.receptiveField),
      perAxis(layer.jump),
      count(layer.params),
      count(layer.macs),
    ]),
    notes: [
      "",
      `${grouped(params)} parameters${split}, ${grouped(weights)} weights`,
      `${grouped(macs)} ${unit} for one image`,
    ],
  };
}

/** The same with commas between the columns. */
export function modelCsv({ layers }: Pick<ModelSummary, "layers">): string {
  const cell = (value: string) => (/[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  const rows = layers.map((layer) =>
    [
      layer.name,
      layer.op,
      sizes(layer.outputShape),
      perAxis(layer.kernel),
      perAxis(layer.receptiveField),
      perAxis(layer.jump),
      `${layer.params ?? "?"}`,
      `${layer.weights ?? "?"}`,
      `${layer.macs ?? "?"}`,
    ]
      .map(cell)
      .join(","),
  );
  return `${["layer,op,output,kernel,receptive_field,jump,params,weights,macs", ...rows].join("\n")}\n`;
}
