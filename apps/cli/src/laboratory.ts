import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { generatedScene } from "@gradlab/datasets";
import type { Laboratory, Photograph } from "./experiments/experiment.js";
import type { OpenedBackend } from "./open-backend.js";
import { embedPicture, readPicture } from "./pictures.js";

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
        const pixels = await readPicture(file, size);
        return { pixels, image: await embedPicture(pixels), isGenerated: false };
      }
      const pixels = generatedScene(size, seed);
      return { pixels, image: await embedPicture(pixels), isGenerated: true };
    },
  };
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
