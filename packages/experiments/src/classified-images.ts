import { type ImageData, loadImageData, StudyError, type StudyEvent } from "@gradlab/studies";
import type { ExperimentInputs } from "./experiment.js";
import { within } from "./within.js";

/** Images with classes, read from the data folder or drawn where there are none. */
export interface ClassifiedImages extends Pick<ImageData, "train" | "labels"> {
  readonly test: NonNullable<ImageData["test"]>;
  readonly isGenerated: boolean;
}

/**
 * Grey images of 28 × 28 pixels in 10 classes: `fashion-mnist-900` of the data folder, or `count` generated ones, with
 * a warning where there is a folder.
 */
export async function* classifiedImages(
  count: number,
  { data }: ExperimentInputs,
  seed: number,
): AsyncGenerator<StudyEvent, ClassifiedImages> {
  const folder = data && within(data, "fashion-mnist-900");
  const isGenerated = folder === undefined || folder.names.length === 0;
  if (folder !== undefined && isGenerated) {
    yield { kind: "warning", text: `${folder.label}: no images found; using generated ones` };
  }
  const options = { seed, count, validation: 0 };
  const { train, test, labels } = await loadImageData(isGenerated ? undefined : folder, options);
  if (test === null) {
    throw new StudyError("input", `${folder?.label}: expected images for a test, got none`);
  }
  return { train, test, labels, isGenerated };
}
