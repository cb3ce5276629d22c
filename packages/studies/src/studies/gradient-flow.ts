import { encodeText } from "@gradlab/datasets";
import { learningCurves } from "@gradlab/figures";
import type { CellName, GradientFlow } from "@gradlab/rnn-lm";
import { type OptionsOf, seedOption } from "../declaration/option.js";
import { defineStudy, type Figure, type StudyEvent, type Table } from "../declaration/study.js";
import { blame, StudyError } from "../declaration/study-error.js";
import { lines, short } from "../declaration/wording.js";
import { modelOption, openLanguageModel } from "../language-models/language-model-kinds.js";
import { endOf } from "./sample.js";

const cells = ["elman", "lstm", "gru"] as const;

const options = {
  model: modelOption,
  text: { kind: "text", help: "what the model reads (default: what it says itself)" },
  hidden: { kind: "integer", least: 1, most: 256, default: 32, help: "units of fresh networks" },
  scheme: { kind: "choice", choices: ["torch", "orthogonal"], default: "orthogonal", help: "how fresh networks are drawn" },
  gain: { kind: "number", above: 0, default: 1, help: "what the recurrent weights of fresh networks are multiplied by" },
  forgetBias: { kind: "number", default: 1, help: "added to the bias of forget gates of a fresh LSTM" },
  steps: { kind: "integer", least: 2, most: 500, default: 40, unit: "steps", help: "how far back" },
  seed: seedOption,
} as const; // biome-ignore format: one option a line

export interface GradientFlowRecord {
  /** The model; null for fresh networks. */
  readonly model: string | null;
  readonly flows: readonly NamedFlow[];
}

/** The flow of a layer or of a cell; what is beyond the numbers of JSON is null. */
export interface NamedFlow {
  readonly name: string;
  readonly norms: readonly (number | null)[];
  readonly bounds: readonly (number | null)[];
  readonly forgetting: readonly (number | null)[] | null;
  readonly weightNorms: readonly number[];
}

/** Whether gradients vanish or explode on their way back through time. */
export const gradientFlow = defineStudy({
  name: "gradient-flow",
  help: "whether gradients vanish or explode on their way back through a recurrent network",
  options,
  about: `The norms of ∂h_t/∂h_k over the distance t − k, and what the norms of the weights
allow at most; of fresh networks of every cell on noise, or of a trained model.`,
  examples: [
    "gradient-flow --out flow.svg",
    "gradient-flow --gain 1.5 --steps 60",
    'gradient-flow --model run --text "the cat that dogs see runs"',
  ],
  drawn: "norms over the distance, with their bounds",
  tensors: "where tensors live: the best that passes its self-test, or this one",
  check({ text }, { model }) {
    if (text !== undefined && model === undefined) {
      throw new StudyError("usage", "{text}: expected a {model} beside it, got none");
    }
  },
  async *run(chosen, { model: file }, context): AsyncGenerator<StudyEvent, GradientFlowRecord> {
    await context.openBackend();
    if (file === undefined) {
      return { model: null, flows: await freshFlows(chosen) };
    }
    const model = await openLanguageModel(file);
    try {
      if (model.flow === undefined) {
        throw new StudyError("input", `${file.label}: expected a recurrent network, got ${model.name}`);
      }
      const end = endOf(model) ?? 0;
      let ids = [end];
      if (chosen.text === undefined) {
        for await (const { id } of model.generate([end], {
          length: chosen.steps - 1,
          signal: context.signal,
        })) {
          ids.push(id);
        }
      } else ids = [end, ...blame("usage", "{text}", () => encodeText(model.dictionary, chosen.text!))];
      if (ids.length < 2) throw new StudyError("usage", "{text}: expected at least one token, got none");
      const flows = await model.flow(ids.slice(0, chosen.steps));
      return { model: model.name, flows: flows.map((flow, i) => named(`layer ${i + 1}`, flow)) };
    } finally {
      model.dispose();
    }
  },
  tables: flowTables,
  figures: flowFigures,
});

async function freshFlows(chosen: OptionsOf<typeof options>): Promise<NamedFlow[]> {
  const { hidden, scheme, gain, forgetBias, steps, seed } = chosen;
  const { disposeParams, normalTensor } = await import("@gradlab/core");
  const { gradientFlow: flowOf, initRecurrent } = await import("@gradlab/rnn-lm");
  const { mul } = await import("@tensorflow/tfjs-core");
  const flows: NamedFlow[] = [];
  for (const cell of cells) {
    const spec = { cell: cell as CellName, inputs: hidden, hidden };
    const params = initRecurrent(spec, { seed, scheme, forgetBias });
    const x = normalTensor([steps, hidden], { seed, purpose: "gradient-flow", mean: 0, std: 0.5 });
    const recurrent = mul(params[0]!.recurrent, gain);
    try {
      const flow = await flowOf(cell, { ...params[0]!, recurrent: recurrent as never }, x as never);
      flows.push(named(cell, flow));
    } finally {
      disposeParams(params as never);
      x.dispose();
      recurrent.dispose();
    }
  }
  return flows;
}

function named(name: string, { norms, bounds, forgetting, weightNorms }: GradientFlow): NamedFlow {
  const finite = (values: readonly number[]) =>
    values.map((value) => (Number.isFinite(value) ? value : null));
  return {
    name,
    norms: finite(norms),
    bounds: finite(bounds),
    forgetting: forgetting && finite(forgetting),
    weightNorms,
  };
}

function flowTables({ model, flows }: GradientFlowRecord): Table[] {
  const count = flows[0]!.norms.length;
  const places = [...new Set([1, 2, 5, 10, 20, 50, 100, 200, 499, count])]
    .filter((d) => d <= count)
    .sort((a, b) => a - b);
  const show = (value: number | null | undefined) =>
    value == null ? "–" : short(Number(value.toPrecision(3)));
  const right = "right" as const;
  return [
    lines(model ?? "fresh networks", "norm of ∂h_t/∂h_k and its bound, by the distance t − k"),
    {
      columns: [
        { title: "distance", align: right },
        ...flows.flatMap(({ name }) => [
          { title: name, align: right },
          { title: "bound", align: right },
        ]),
      ],
      rows: places.map((d) => [
        `${d}`,
        ...flows.flatMap(({ norms, bounds }) => [show(norms[d - 1]), show(bounds[d - 1])]),
      ]),
      notes: flows.map(
        ({ name, weightNorms }) =>
          `${name}: largest singular value of U ${weightNorms.map(short).join(", ")}`,
      ),
    },
  ];
}

function flowFigures(
  { model, flows }: GradientFlowRecord,
  { document }: { readonly document: Document },
): Figure[] {
  // A logarithmic axis has no room for 0, for what is below all numbers, and for bounds that leave the page.
  const points = (values: readonly (number | null)[]) =>
    values.flatMap((value, i) =>
      value !== null && value > 1e-30 && value < 1e12 ? [[i + 1, value] as [number, number]] : [],
    );
  const curves = flows
    .flatMap(({ name, norms, bounds, forgetting }) => [
      { name, points: points(norms) },
      { name: `bound of ${name}`, points: points(bounds) },
      ...(forgetting === null ? [] : [{ name: `forget gates of ${name}`, points: points(forgetting) }]),
    ])
    .filter((curve) => curve.points.length > 0);
  if (curves.length === 0) throw new StudyError("input", "no norm is above 0: there is nothing to draw");
  return [
    {
      name: "gradient-flow",
      caption: `${model ?? "Fresh networks"}: how large the gradient of the last state is, by the distance that it goes back.`,
      svg: learningCurves(curves, {
        document,
        timeLabel: "distance in steps, t − k",
        errorLabel: "norm of ∂h_t/∂h_k",
      }),
    },
  ];
}
