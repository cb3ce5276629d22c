import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import {
  cifar10Labels,
  type Dataset,
  datasetFromPixels,
  fashionMnistLabels,
  generateShapes,
  readCifar10,
  readIdxImages,
  resizeDataset,
  shapeNames,
  splitDataset,
} from "@gradlab/datasets";
import type { Picture as Pixels } from "@gradlab/studies";
import { blame, Failure, messageOf } from "../failure.js";
import { readInput } from "../files.js";
import { readPicture } from "../pictures.js";

/** Images to learn from, and images to be judged by. */
export interface ImageData {
  /** The folder, or `shapes`. */
  readonly source: string;
  readonly kind: "idx" | "cifar-10" | "pictures" | "shapes";
  readonly train: Dataset;
  /** Held out of the training images; null unless asked for. */
  readonly validation: Dataset | null;
  readonly test: Dataset | null;
  /** Names of the classes, by label. */
  readonly labels: readonly string[];
  /** SHA-256 of the training images and their labels, before any is held out. */
  readonly digest: string;
}

export interface ImageDataOptions {
  readonly seed: number;
  /** The share of the training images that is held out, the same of every class, in [0, 1). */
  readonly validation: number;
  /** What images are resized to, or generated at; as the files say unless given. */
  readonly inputSize?: readonly [height: number, width: number];
  /** Channels of generated images. */
  readonly channels?: number;
  /** How many images are generated for training. */
  readonly count?: number;
}

/**
 * The images that `--data` names: `shapes` for generated ones, or a folder with IDX files (`train-images…`,
 * `train-labels…`, `t10k-…`, gzipped or not), with the binary files of CIFAR-10, or with a folder of pictures for each
 * class (in `train` and `test`, or at once).
 */
export async function loadImageData(data: string, options: ImageDataOptions): Promise<ImageData> {
  const found = data === "shapes" ? shapes(options) : await folder(data, options);
  const { inputSize } = options;
  const fitting = (set: Dataset) => (inputSize === undefined ? set : resizeDataset(set, inputSize));
  const { kind, labels } = found;
  const all = fitting(found.train);
  const test = found.test && fitting(found.test);
  const { validation: share, seed } = options;
  const about = { source: data, kind, test, labels, digest: digestOf(all) };
  if (share === 0) return { ...about, train: all, validation: null };
  const held = Math.round(share * all.count);
  if (held === 0 || held === all.count) {
    throw new Failure(
      "usage",
      `--validation: expected a share that leaves images on both sides, got ${share} of ${all.count}`,
    );
  }
  const [train, validation] = splitDataset(all, {
    counts: [all.count - held, held],
    seed,
    stratified: true,
  }) as [Dataset, Dataset];
  return { ...about, train, validation };
}

const digestOf = ({ images, labels }: Dataset) =>
  createHash("sha256").update(images).update(labels).digest("hex");

type Loaded = Pick<ImageData, "kind" | "train" | "test" | "labels">;

/** How many of the generated images are for the test, after those for training. */
const generatedTest = 500;

function shapes({ seed, inputSize = [28, 28], channels = 1, count = 2000 }: ImageDataOptions): Loaded {
  const [size, width] = inputSize;
  if (size !== width) {
    throw new Failure("usage", `--input: expected one size for generated images, got ${inputSize}`);
  }
  if (channels !== 1 && channels !== 3) {
    throw new Failure("usage", `--channels: expected 1 or 3 for generated images, got ${channels}`);
  }
  return blame("usage", "--data shapes", () => {
    const scene = { seed, size, channels } as const;
    const train = generateShapes({ ...scene, count });
    const test = generateShapes({ ...scene, count: generatedTest, first: count });
    return { kind: "shapes", train, test, labels: shapeNames.slice(0, train.classes) };
  });
}

async function folder(path: string, options: ImageDataOptions): Promise<Loaded> {
  const names = (await filesOf(path)).sort();
  const find = (pattern: RegExp) => {
    const name = names.find((one) => pattern.test(one));
    return name === undefined ? undefined : join(path, name);
  };
  const idx = (part: string) => [
    find(new RegExp(`^(${part})-images.*idx3`, "i")),
    find(new RegExp(`^(${part})-labels.*idx1`, "i")),
  ];
  const [images, classes] = idx("train");
  if (images !== undefined && classes !== undefined) {
    const train = await readPair(images, classes);
    const [testImages, testLabels] = idx("t10k|test");
    const test =
      testImages === undefined || testLabels === undefined
        ? null
        : await readPair(testImages, testLabels, train.classes);
    if (test !== null && `${test.shape}` !== `${train.shape}`) {
      throw new Failure(
        "runtime",
        `${testImages}: expected images of [${train.shape}] as for training, got [${test.shape}]`,
      );
    }
    return { kind: "idx", train, test, labels: classNames(path, train.classes) };
  }
  const batches = names.filter((name) => /^data_batch_\d+\.bin$/.test(name));
  if (batches.length > 0) {
    const train = await readRecords(batches.map((name) => join(path, name)));
    const last = find(/^test_batch\.bin$/);
    return {
      kind: "cifar-10",
      train,
      test: last === undefined ? null : await readRecords([last]),
      labels: cifar10Labels,
    };
  }
  const pictures = await pictureFolders(path, options);
  if (pictures !== null) return pictures;
  const got = names.length === 0 ? "an empty folder" : names.slice(0, 6).join(", ");
  throw new Failure(
    "runtime",
    `${path}: expected train-images…idx3-ubyte and train-labels…idx1-ubyte (gzipped or not), data_batch_1.bin, or a folder of pictures for each class, got ${got}`,
  );
}

const isPicture = (name: string) => /\.(jpe?g|png|webp|gif|tiff?|avif)$/i.test(name);

/** Pictures by class; null where there are none. */
async function pictureFolders(path: string, { inputSize }: ImageDataOptions): Promise<Loaded | null> {
  const parts = await classFolders(join(path, "train"));
  const classes = parts.length > 0 ? parts : await classFolders(path);
  if (classes.length < 2) return null;
  const labels = classes.map(({ name }) => name);
  // Without a wish, the size that ImageNet's networks train at would be far too much for a first try.
  const size = inputSize ?? ([64, 64] as const);
  const train = await readPictures(classes, labels, size);
  const held = parts.length > 0 ? await classFolders(join(path, "test")) : [];
  const strange = held.find(({ name }) => !labels.includes(name));
  if (strange !== undefined) {
    throw new Failure(
      "runtime",
      `${join(path, "test", strange.name)}: expected a class of the training images`,
    );
  }
  const test = held.length === 0 ? null : await readPictures(held, labels, size);
  return { kind: "pictures", train, test, labels };
}

interface ClassFolder {
  readonly name: string;
  readonly files: readonly string[];
}

/** The folders with pictures in a folder, by name. */
async function classFolders(path: string): Promise<ClassFolder[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const read = folders.sort().map(async (name) => {
    const files = (await readdir(join(path, name))).filter(isPicture).sort();
    return { name, files: files.map((file) => join(path, name, file)) };
  });
  return (await Promise.all(read)).filter(({ files }) => files.length > 0);
}

async function readPictures(
  classes: readonly ClassFolder[],
  labels: readonly string[],
  size: readonly [number, number],
): Promise<Dataset> {
  const pictures: Pixels[] = [];
  const label: number[] = [];
  for (const { name, files } of classes) {
    for (const file of files) {
      pictures.push(await readPicture(file, { size }));
      label.push(labels.indexOf(name));
    }
  }
  return datasetFromPixels(pictures, label, { channels: 3, classes: labels.length });
}

async function filesOf(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason =
      code === "ENOENT" ? "no such folder" : code === "ENOTDIR" ? "not a folder" : messageOf(error);
    throw new Failure("runtime", `--data: ${path}: ${reason}`, { cause: error });
  }
}

async function readPair(images: string, labels: string, classes?: number): Promise<Dataset> {
  const bytes = [await readInput(images), await readInput(labels)] as const;
  try {
    // The package speaks of its arguments, the user has files.
    const where = { images, labels };
    return await readIdxImages(...bytes, { where, ...(classes !== undefined && { classes }) });
  } catch (error) {
    throw new Failure("runtime", messageOf(error), { cause: error });
  }
}

async function readRecords(files: readonly string[]): Promise<Dataset> {
  const bytes = await Promise.all(files.map(readInput));
  return blame("runtime", files.join(", "), () => readCifar10(bytes));
}

/** The names that go with a folder that says what it is; numbers for others. */
function classNames(path: string, classes: number): readonly string[] {
  if (/fashion/i.test(basename(path)) && classes === fashionMnistLabels.length) return fashionMnistLabels;
  return Array.from({ length: classes }, (_, label) => `${label}`);
}
