import {
  cosineRate,
  crossEntropy,
  disposeParams,
  startTraining,
  type Training,
  train,
  warmUp,
} from "@gradlab/core";
import { type SequenceTaskName, sequenceBatch, sequenceTask } from "@gradlab/datasets";
import { argMax, reshape, type Tensor1D, type Tensor2D, tensor2d, tidy } from "@tensorflow/tfjs-core";
import { applyGpt, type Dropout, type GptConfig, type GptParams, initGpt } from "../src/index.js";

export const taskConfig: GptConfig = { vocabulary: 11, context: 16, width: 64, layers: 2, heads: 4 };

export interface TaskBatch {
  readonly ids: Tensor2D;
  readonly labels: Tensor2D;
}

/** A batch of a task as tensors. */
export function taskBatch(name: SequenceTaskName, options: Parameters<typeof sequenceBatch>[1]): TaskBatch {
  const { ids, labels, shape } = sequenceBatch(sequenceTask(name), options);
  return { ids: tensor2d(ids, [...shape], "int32"), labels: tensor2d(labels, [...shape], "int32") };
}

/** The mean cross-entropy of what is to be written. */
export function taskLoss(
  params: GptParams,
  { ids, labels }: TaskBatch,
  config: GptConfig,
  dropout?: Dropout,
) {
  const logits = applyGpt(params, ids, config, dropout && { dropout });
  return crossEntropy(
    reshape(logits, [-1, config.vocabulary]) as Tensor2D,
    reshape(labels, [-1]) as Tensor1D,
    { ignoreIndex: -1 },
  );
}

/** The share of 200 other sequences whose answer is right to the last symbol. */
export async function exactShare(name: SequenceTaskName, params: GptParams): Promise<number> {
  const { ids, labels } = taskBatch(name, { count: 200, purpose: "test" });
  const likeliest = tidy(() => argMax(applyGpt(params, ids, taskConfig), 2));
  const [got, known] = await Promise.all([likeliest.data(), labels.data()]);
  for (const tensor of [ids, labels, likeliest]) tensor.dispose();
  const right = Array.from({ length: 200 }, (_, row) =>
    known.subarray(row * 16 + 8, row * 16 + 16).every((id, i) => id === got[row * 16 + 8 + i]),
  );
  return right.filter(Boolean).length / 200;
}

/** Trains a small GPT on a task; stops when it is right for all test sequences. The caller disposes the training. */
export async function trainTask(name: SequenceTaskName, steps: number): Promise<Training<GptParams>> {
  const start = initGpt(taskConfig);
  const training = startTraining(start, { name: "adam", learningRate: 3e-3 });
  disposeParams(start as never);
  const schedule = warmUp(cosineRate(3e-3, { steps }), { steps: 20 });
  const options = {
    loss: (params: GptParams, batch: TaskBatch) => taskLoss(params, batch, taskConfig),
    batch: (step: number) => taskBatch(name, { count: 64, index: step }),
    steps,
    schedule,
    maxNorm: 1,
  };
  for await (const { step } of train(training, options)) {
    if (step % 50 === 0 && (await exactShare(name, training.state)) === 1) break;
  }
  return training;
}
