import { generatedScene } from "@gradlab/datasets";
import type { Picture, StudyEvent } from "@gradlab/studies";
import type { ExperimentInputs } from "./experiment.js";

/** A photograph, read from the data folder or drawn where there is none. */
export interface Photograph {
  readonly pixels: Picture;
  readonly isGenerated: boolean;
}

/**
 * The photograph of `images/` whose name sorts last, one picture, always the same, scaled and cut to a size; a
 * generated one, with a warning, where the folder has none.
 */
export async function* photograph(
  size: readonly [height: number, width: number],
  { data }: ExperimentInputs,
  seed: number,
): AsyncGenerator<StudyEvent, Photograph> {
  const name = data?.names.filter((one) => /^images\/[^/]+\.(jpe?g|png|webp)$/i.test(one)).at(-1);
  if (data !== undefined && name !== undefined) {
    return { pixels: await data.decode(name, { size, jpeg: true }), isGenerated: false };
  }
  if (data !== undefined) {
    const text = `${data.label}/images: no photograph found; using a generated picture`;
    yield { kind: "warning", text };
  }
  return { pixels: generatedScene(size, seed), isGenerated: true };
}

/** In the sentence under a figure. */
export const pictureName = ({ isGenerated }: Pick<Photograph, "isGenerated">) =>
  isGenerated ? "a generated picture" : "a photograph";
