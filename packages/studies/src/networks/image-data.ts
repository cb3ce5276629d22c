import {
  cifar10Labels,
  type Dataset,
  fashionMnistLabels,
  generateShapes,
  readCifar10,
  readIdxImages,
  resizeDataset,
  shapeNames,
  splitDataset,
} from "@gradlab/datasets";
import { hexDigest } from "../declaration/hex-digest.js";
import type { InputFiles } from "../declaration/option.js";
import { blame, messageOf, StudyError } from "../declaration/study-error.js";
import { pictureFolders } from "./picture-folders.js";

/** Images to learn from, and images to be judged by. */
export interface ImageData {
  /** The folder, or `shapes`. */
  readonly source: string;
  readonly kind: "idx" | "cifar-10" | "pictures" | "shapes";
  readonly train: Dataset;
  /** Held out of the training images where that is asked for, or by the folder; null otherwise. */
  readonly validation: Dataset | null;
  readonly test: Dataset | null;
  /** Names of the classes, by label. */
  readonly labels: readonly string[];
  /** SHA-256 of the training images and their labels, before any is held out. */
  readonly digest: string;
  /** What was left out, a line each. */
  readonly warnings: readonly string[];
}

export interface ImageDataOptions {
  readonly seed: number;
  /** The share of the training images that is held out, the same of every class, in [0, 1). */
  readonly validation: number;
  /** The share where none is asked for (0) and the folder holds none out itself; none unless given. */
  readonly unasked?: number;
  /** What images are resized to, or generated at; as the files say unless given. */
  readonly inputSize?: readonly [height: number, width: number];
  /** Channels of generated images. */
  readonly channels?: number;
  /** How many images are generated for training. */
  readonly count?: number;
}

/**
 * Generated images, or those of a folder with IDX files (`train-images…`, `train-labels…`, `t10k-…`, gzipped or not),
 * with the binary files of CIFAR-10, or with a folder of pictures for each class (in `train`, `val` and `test`, or at once).
 */
export async function loadImageData(
  data: InputFiles | undefined,
  options: ImageDataOptions,
): Promise<ImageData> {
  const found = data === undefined ? shapes(options) : await folder(data, options);
  const { inputSize } = options;
  const fitting = (set: Dataset) => (inputSize === undefined ? set : resizeDataset(set, inputSize));
  const { kind, labels } = found;
  const all = fitting(found.train);
  const test = found.test && fitting(found.test);
  const { seed } = options;
  const digest = await digestOf(all);
  const warnings = [...(found.warnings ?? [])];
  const about = { source: data?.label ?? "shapes", kind, test, labels, digest, warnings };
  if (found.validation) {
    if (options.validation > 0)
      warnings.push(`${about.source} has images for validation: {validation} holds no others out`);
    return { ...about, train: all, validation: fitting(found.validation) };
  }
  const share = options.validation || (options.unasked ?? 0);
  if (share === 0) return { ...about, train: all, validation: null };
  const held = Math.round(share * all.count);
  if (held === 0 || held === all.count) {
    throw new StudyError(
      "usage",
      `{validation}: expected a share that leaves images on both sides, got ${share} of ${all.count}`,
    );
  }
  const [train, validation] = splitDataset(all, {
    counts: [all.count - held, held],
    seed,
    stratified: true,
  }) as [Dataset, Dataset];
  return { ...about, train, validation };
}

/** SHA-256 of images and labels, in hexadecimal digits. */
async function digestOf({ images, labels }: Dataset): Promise<string> {
  const bytes = new Uint8Array(images.length + labels.byteLength);
  bytes.set(images);
  bytes.set(new Uint8Array(labels.buffer, labels.byteOffset, labels.byteLength), images.length);
  return hexDigest(bytes);
}

interface Loaded extends Pick<ImageData, "kind" | "train" | "test" | "labels"> {
  /** Held out by the folder itself. */
  readonly validation?: Dataset | null;
  readonly warnings?: readonly string[];
}

/** How many of the generated images are for the test, after those for training. */
const generatedTest = 500;

function shapes({ seed, inputSize = [28, 28], channels = 1, count = 2000 }: ImageDataOptions): Loaded {
  const [size, width] = inputSize;
  if (size !== width) {
    throw new StudyError("usage", `{input}: expected one size for generated images, got ${inputSize}`);
  }
  if (channels !== 1 && channels !== 3) {
    throw new StudyError("usage", `{channels}: expected 1 or 3 for generated images, got ${channels}`);
  }
  return blame("usage", "{data} shapes", () => {
    const scene = { seed, size, channels } as const;
    const train = generateShapes({ ...scene, count });
    const test = generateShapes({ ...scene, count: generatedTest, first: count });
    return { kind: "shapes", train, test, labels: shapeNames.slice(0, train.classes) };
  });
}

async function folder(files: InputFiles, options: ImageDataOptions): Promise<Loaded> {
  const names = files.names.filter((name) => !name.includes("/"));
  const find = (pattern: RegExp) => names.find((one) => pattern.test(one));
  const idx = (part: string) => [
    find(new RegExp(`^(${part})-images.*idx3`, "i")),
    find(new RegExp(`^(${part})-labels.*idx1`, "i")),
  ];
  const [images, classes] = idx("train");
  if (images !== undefined && classes !== undefined) {
    const train = await readPair(files, images, classes);
    const [testImages, testLabels] = idx("t10k|test");
    const test =
      testImages === undefined || testLabels === undefined
        ? null
        : await readPair(files, testImages, testLabels, train.classes);
    if (test !== null && `${test.shape}` !== `${train.shape}`) {
      throw new StudyError(
        "input",
        `${pathOf(files, testImages!)}: expected images of [${train.shape}] as for training, got [${test.shape}]`,
      );
    }
    return { kind: "idx", train, test, labels: classNames(files.label, train.classes) };
  }
  const batches = names.filter((name) => /^data_batch_\d+\.bin$/.test(name));
  if (batches.length > 0) {
    const train = await readRecords(files, batches);
    const last = find(/^test_batch\.bin$/);
    return {
      kind: "cifar-10",
      train,
      test: last === undefined ? null : await readRecords(files, [last]),
      labels: cifar10Labels,
    };
  }
  // Without a wish, the size that ImageNet's networks train at would be far too much for a first try.
  const pictures = await pictureFolders(files, options.inputSize ?? [64, 64]);
  if (pictures !== null) return { kind: "pictures", ...pictures };
  const entries = [...new Set(files.names.map((name) => name.split("/")[0]!))];
  const got = entries.length === 0 ? "an empty folder" : entries.slice(0, 6).join(", ");
  throw new StudyError(
    "input",
    `${files.label}: expected train-images…idx3-ubyte and train-labels…idx1-ubyte (gzipped or not), data_batch_1.bin, or a folder of pictures for each class, got ${got}`,
  );
}

const pathOf = (files: InputFiles, name: string) => `${files.label}/${name}`;

async function readPair(
  files: InputFiles,
  images: string,
  labels: string,
  classes?: number,
): Promise<Dataset> {
  const bytes = [await files.read(images), await files.read(labels)] as const;
  const where = { images: pathOf(files, images), labels: pathOf(files, labels) };
  try {
    return await readIdxImages(...bytes, { where, ...(classes !== undefined && { classes }) });
  } catch (error) {
    throw new StudyError("input", messageOf(error), { cause: error });
  }
}

async function readRecords(files: InputFiles, names: readonly string[]): Promise<Dataset> {
  const bytes = await Promise.all(names.map(files.read));
  return blame("input", names.map((name) => pathOf(files, name)).join(", "), () => readCifar10(bytes));
}

/** The names that go with a folder that says what it is; numbers for others. */
function classNames(label: string, classes: number): readonly string[] {
  if (/fashion[^/\\]*$/i.test(label.replace(/[/\\]+$/, "")) && classes === fashionMnistLabels.length)
    return fashionMnistLabels;
  return Array.from({ length: classes }, (_, label) => `${label}`);
}
