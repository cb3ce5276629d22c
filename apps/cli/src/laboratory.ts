import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { generatedScene } from "@gradlab/datasets";
import type { Backend as OpenedBackend } from "@gradlab/studies";
import type { ClassifiedImages, Laboratory, Photograph } from "./experiments/experiment.js";
import { Failure } from "./failure.js";
import { embedPicture, readPicture } from "./pictures.js";
import { loadImageData } from "./train-cnn/image-data.js";

export interface LaboratoryOptions {
  readonly seed: number;
  readonly document: Document;
  readonly signal: AbortSignal;
  readonly backend: OpenedBackend | null;
  /** Folder with real data, if there is one. */
  readonly data: string | undefined;
  readonly warn: (warning: string) => void;
}

/** What experiments use, with generated input where the data folder lacks a part. */
export function openLaboratory({
  seed,
  document,
  signal,
  backend,
  data,
  warn,
}: LaboratoryOptions): Laboratory {
  return {
    seed,
    document,
    signal,
    backend,
    embed: (pixels) => embedPicture(pixels, "png"),
    async photograph(size): Promise<Photograph> {
      const file = data === undefined ? undefined : await lastPhotograph(join(data, "images"), warn);
      if (file !== undefined) {
        const pixels = await readPicture(file, { size });
        return { pixels, image: await embedPicture(pixels), isGenerated: false };
      }
      const pixels = generatedScene(size, seed);
      return { pixels, image: await embedPicture(pixels), isGenerated: true };
    },
    async classifiedImages(count): Promise<ClassifiedImages> {
      const folder = data === undefined ? undefined : await imageFolder(data, warn);
      const { train, test, labels } = await loadImageData(folder ?? "shapes", { seed, count, validation: 0 });
      if (test === null) throw new Failure("runtime", `${folder}: expected images for a test, got none`);
      return { train, test, labels, isGenerated: folder === undefined };
    },
  };
}

/** The folder with images of clothes, if there is one. */
async function imageFolder(data: string, warn: (warning: string) => void): Promise<string | undefined> {
  const folder = join(data, "fashion-mnist-900");
  const { length } = await readdir(folder).catch(() => []);
  if (length === 0) warn(`${folder}: no images found; using generated ones`);
  return length === 0 ? undefined : folder;
}

/** The photograph whose name sorts last: one picture, always the same. */
async function lastPhotograph(folder: string, warn: (warning: string) => void): Promise<string | undefined> {
  const names = await readdir(folder).catch(() => []);
  const name = names
    .filter((one) => /\.(jpe?g|png|webp)$/i.test(one))
    .sort()
    .at(-1);
  if (name === undefined) warn(`${folder}: no photograph found; using a generated picture`);
  return name === undefined ? undefined : join(folder, name);
}
