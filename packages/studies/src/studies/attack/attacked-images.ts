import { datasetFromPixels, takeBatch } from "@gradlab/datasets";
import { argMax, type Tensor4D, tensor4d, tidy } from "@tensorflow/tfjs-core";
import type { InputFiles, Picture } from "../../declaration/option.js";
import { blame, StudyError } from "../../declaration/study-error.js";
import { loadImageData } from "../../networks/image-data.js";
import type { AttackedNetwork } from "./attacked-network.js";

/** Images to attack, in [0, 1], and what is in them. */
export interface AttackedImages {
  readonly x: Tensor4D;
  /** A class for each image: given with it, or what the network sees. */
  readonly labels: readonly number[];
  /** Where each image is from: a file, or its number in the data. */
  readonly names: readonly string[];
  /** Names of the classes. */
  readonly classNames: readonly string[];
  readonly source: string;
}

interface Wanted {
  readonly image: InputFiles | undefined;
  readonly data: InputFiles | undefined;
  readonly labels: InputFiles | undefined;
  readonly count: number;
  readonly seed: number;
}

export async function attackedImages(
  network: AttackedNetwork,
  { image, data, labels: labelFile, count, seed }: Wanted,
): Promise<AttackedImages> {
  const { classes } = network.classifier;
  const named = labelFile === undefined ? network.labels : await readClassNames(labelFile, classes);
  const numbered = Array.from({ length: classes }, (_, i) => `${i}`);
  if (image !== undefined) {
    const x = await pictures(image, network);
    return {
      x,
      labels: await seen(network, x),
      names: image.names,
      classNames: named ?? numbered,
      source: image.label,
    };
  }
  const [height, width, channels] = network.input;
  const loaded = await loadImageData(data, { seed, validation: 0, inputSize: [height, width], channels });
  const set = loaded.test ?? loaded.train;
  if (set.shape[2] !== channels || set.classes > classes) {
    throw new StudyError(
      "input",
      `${loaded.source}: expected images of ${channels} channels in at most ${classes} classes, as ${network.name} has them, got ${set.shape[2]} and ${set.classes}`,
    );
  }
  const taken = Array.from({ length: Math.min(count, set.count) }, (_, i) => i);
  const batch = takeBatch(set, taken);
  return {
    x: tensor4d(batch.images, batch.shape as [number, number, number, number]),
    labels: Array.from(batch.labels),
    names: taken.map((i) => `${i}`),
    classNames: named ?? (loaded.labels.length === classes ? loaded.labels : numbered),
    source: loaded.source,
  };
}

async function pictures(files: InputFiles, { input, name }: AttackedNetwork): Promise<Tensor4D> {
  const [height, width, channels] = input;
  if (channels !== 1 && channels !== 3) {
    throw new StudyError("usage", `expected a network for 1 or 3 channels, got ${name} for ${channels}`);
  }
  const decoded: Picture[] = [];
  for (const file of files.names) decoded.push(await files.decode(file, { size: [height, width] }));
  const all = datasetFromPixels(
    decoded,
    decoded.map(() => 0),
    { channels },
  );
  const batch = takeBatch(
    all,
    decoded.map((_, i) => i),
  );
  return tensor4d(batch.images, batch.shape as [number, number, number, number]);
}

/** The class that the network gives each image. */
async function seen({ classifier }: AttackedNetwork, x: Tensor4D): Promise<number[]> {
  const rows = Array.from({ length: x.shape[0] }, (_, id) => ({ id, query: 0 }));
  const top = tidy(() => argMax(classifier.logits(x, rows), 1));
  try {
    return Array.from(await top.data());
  } finally {
    top.dispose();
  }
}

async function readClassNames(file: InputFiles, classes: number): Promise<readonly string[]> {
  const { parseLabels } = await import("@gradlab/classic-cnns/weights");
  const text = new TextDecoder().decode(await file.read(file.names[0]!));
  return blame("input", file.label, () => parseLabels(text, { classes }));
}
