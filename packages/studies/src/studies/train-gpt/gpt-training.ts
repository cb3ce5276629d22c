import { applyGpt, type GptConfig, type GptParams, gptModel, initGpt } from "@gradlab/attention";
import {
  cosineRate,
  countParams,
  crossEntropy,
  disposeParams,
  generate,
  loadCheckpoint,
  startTraining,
  type Training,
  train,
  warmUp,
} from "@gradlab/core";
import {
  argMax,
  cast,
  mul,
  notEqual,
  reshape,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tensor2d,
  tidy,
} from "@tensorflow/tfjs-core";
import type { GptData, TokenBatch } from "./gpt-data.js";
import type { TrainGptOptions } from "./train-gpt-options.js";
import type { GptJudgement, TrainGptRecord } from "./train-gpt-record.js";

export interface GptState {
  readonly params: GptParams;
}

export type GptTraining = Training<GptState>;

interface Tensors {
  readonly ids: Tensor2D;
  readonly labels: Tensor2D;
}

const tensorsOf = ({ ids, labels, shape }: TokenBatch): Tensors => ({
  ids: tensor2d(ids, [...shape], "int32"),
  labels: tensor2d(labels, [...shape], "int32"),
});

/** A training at its first step. */
export function beginGpt(config: GptConfig, { seed, lr }: TrainGptOptions): GptTraining {
  const params = initGpt(config, { seed });
  try {
    return startTraining({ params } as GptState, { name: "adam", learningRate: lr });
  } finally {
    disposeParams(params as never);
  }
}

/** The training in a checkpoint, which must be one of this configuration. */
export function loadGpt(bytes: Uint8Array, config: GptConfig): GptTraining {
  const params = initGpt(config);
  try {
    return loadCheckpoint(bytes, { params } as GptState);
  } finally {
    disposeParams(params as never);
  }
}

export const countGpt = ({ state }: GptTraining): number => countParams(state.params as never);

/** The steps of a training, until `steps`. */
export function gptSteps(
  training: GptTraining,
  config: GptConfig,
  data: GptData,
  { steps, lr, dropout: rate, seed }: TrainGptOptions,
  signal: AbortSignal,
) {
  return train(training, {
    batch: (step: number) => tensorsOf(data.batch(step)),
    loss: ({ params }: GptState, batch: Tensors, step: number) => {
      const dropout = { rate, seed, purpose: "train-gpt dropout", index: step };
      return lossOf(applyGpt(params, batch.ids, config, rate > 0 ? { dropout } : {}), batch.labels);
    },
    schedule: warmUp(cosineRate(lr, { steps: Math.max(steps, 21) }), { steps: 20 }),
    steps,
    maxNorm: 1,
    signal,
  });
}

function lossOf(logits: ReturnType<typeof applyGpt>, labels: Tensor2D) {
  const rows = reshape(logits, [-1, logits.shape[2]]) as Tensor2D;
  return crossEntropy(rows, reshape(labels, [-1]) as Tensor1D, { ignoreIndex: -1 });
}

/** The loss on sequences that are not trained on, and the share of answers that are right as a whole. */
export async function judgeGpt(
  { params }: GptState,
  config: GptConfig,
  data: GptData,
): Promise<Pick<GptJudgement, "testLoss" | "exact">> {
  let [loss, tokens, right, rows] = [0, 0, 0, 0];
  for (const one of data.test) {
    const batch = tensorsOf(one);
    const [mean, wrong] = tidy(() => {
      const logits = applyGpt(params, batch.ids, config);
      const counts = cast(notEqual(batch.labels, -1), "float32");
      const misses = cast(notEqual(cast(argMax(logits, 2), "int32"), batch.labels), "float32");
      return [lossOf(logits, batch.labels), mul(counts, misses)] as [Tensor, Tensor];
    });
    const [[value], misses] = await Promise.all([mean.data(), wrong.data()]);
    for (const tensor of [batch.ids, batch.labels, mean, wrong]) tensor.dispose();
    const [count, length] = one.shape;
    const counted = one.labels.reduce((sum, label) => sum + +(label !== -1), 0);
    loss += value! * counted;
    tokens += counted;
    rows += count;
    for (let row = 0; row < count; row++) {
      right += +misses.subarray(row * length, (row + 1) * length).every((miss) => miss === 0);
    }
  }
  return { testLoss: loss / tokens, exact: data.kind === "task" ? right / rows : null };
}

/** What the model writes after the prompts. */
export async function gptExamples(
  { params }: GptState,
  config: GptConfig,
  data: GptData,
  signal: AbortSignal,
): Promise<TrainGptRecord["examples"]> {
  const examples: TrainGptRecord["examples"][number][] = [];
  for (const { ids, known } of data.prompts) {
    const written: number[] = [];
    const events = generate(gptModel(params, config), ids, { length: data.written, signal });
    for await (const { id } of events) written.push(id);
    examples.push({
      read: data.textOf(ids),
      written: data.textOf(written),
      known: known === null ? null : data.textOf(known),
    });
  }
  return examples;
}
