import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import {
  cosineRate,
  crossEntropy,
  disposeParams,
  disposeTraining,
  type ParamsOf,
  startTraining,
  train,
  warmUp,
} from "@gradlab/core";
import { batchesOf, type Dataset, inOrder } from "@gradlab/datasets";
import {
  argMax,
  type Tensor1D,
  type Tensor2D,
  type Tensor4D,
  tensor1d,
  tensor4d,
  tidy,
} from "@tensorflow/tfjs-core";

/** The 700 training (or 200 test) images of fashion-mnist-900. */
export function fashionMnist(folder: string, part: "train" | "t10k"): Dataset {
  const read = (name: string) =>
    new Uint8Array(gunzipSync(readFileSync(join(folder, "fashion-mnist-900", `${part}-${name}.gz`))));
  const images = read("images-idx3-ubyte").slice(16);
  const labels = Int32Array.from(read("labels-idx1-ubyte").subarray(8));
  return { images, labels, shape: [28, 28, 1], count: labels.length, classes: 10 };
}

export interface ImageModel<P> {
  readonly start: P;
  /** `[batch, height, width, channels]` to logits; `step` is null where nothing is trained. */
  readonly logits: (params: P, images: Tensor4D, step: number | null) => Tensor2D;
}

export interface ImageTrainingOptions {
  readonly train: Dataset;
  readonly test: Dataset;
  readonly steps: number;
  readonly learningRate: number;
  readonly weightDecay?: number;
  readonly augment?: Parameters<typeof batchesOf>[1]["augment"];
}

/** Trains a model with Adam on batches of 50, and returns its accuracy on the test images. Takes its start away. */
export async function trainImages<P extends ParamsOf<P>>(
  { start, logits }: ImageModel<P>,
  { train: images, test, steps, learningRate, weightDecay = 0, augment }: ImageTrainingOptions,
): Promise<number> {
  const training = startTraining(start, { name: "adam", learningRate });
  disposeParams(start as never);
  const next = batchesOf(images, { size: 50, ...(augment && { augment }) });
  const tensorsOf = ({
    images,
    labels,
    shape,
  }: ReturnType<typeof next> | NonNullable<ReturnType<ReturnType<typeof inOrder>>>) => ({
    images: tensor4d(images, [...shape]),
    labels: tensor1d(labels, "int32") as Tensor1D,
  });
  const options = {
    batch: (step: number) => tensorsOf(next(step)),
    loss: (params: P, batch: { images: Tensor4D; labels: Tensor1D }, step: number) =>
      crossEntropy(logits(params, batch.images, step), batch.labels),
    steps,
    schedule: warmUp(cosineRate(learningRate, { steps }), { steps: 20 }),
    maxNorm: 1,
    weightDecay,
  };
  try {
    for await (const _ of train(training, options));
    let right = 0;
    const all = inOrder(test);
    for (let i = 0; ; i++) {
      const batch = all(i);
      if (batch === null) return right / test.count;
      const { images, labels } = tensorsOf(batch);
      const likeliest = tidy(() => argMax(logits(training.state as P, images, null), 1));
      const found = await likeliest.data();
      right += batch.labels.reduce((sum, label, at) => sum + +(label === found[at]), 0);
      for (const tensor of [images, labels, likeliest]) tensor.dispose();
    }
  } finally {
    disposeTraining(training);
  }
}
