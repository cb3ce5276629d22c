import { type Prediction, topPredictions } from "@gradlab/classic-cnns";
import { transformInput } from "@gradlab/classic-cnns/weights";
import { datasetFromPixels, preprocessImageNet, takeBatch } from "@gradlab/datasets";
import { type Tensor, type Tensor4D, tensor4d, tidy, zeros } from "@tensorflow/tfjs-core";
import type { InputFiles } from "../../declaration/option.js";
import { blame, StudyError } from "../../declaration/study-error.js";
import { bothAxes } from "../../networks/network-source.js";
import {
  type CheckedModel,
  classesOf,
  loadTfjsModel,
  type TfjsModel,
  told,
} from "../../networks/tfjs-model.js";
import type { ClassifyOptions, Preprocessing, Scores } from "./classify-options.js";
import type { LayerMaps } from "./layer-maps.js";
import { modelMaps } from "./model-maps.js";
import { asNumbers, fitted, type PixelNumbers } from "./pixel-numbers.js";

/** Something that gives every class a score. */
export interface Classifier {
  readonly name: string;
  /** Height, width and channels of an image. */
  readonly input: readonly [height: number, width: number, channels: number];
  readonly classes: number;
  readonly labels: readonly string[] | null;
  readonly preprocess: Preprocessing;
  /** `[1, height, width, channels]` to logits or probabilities `[1, classes]`, which the caller disposes. */
  readonly scores: (x: Tensor4D) => Tensor;
  /** What the scores are; null where nobody says, so that the numbers decide. */
  readonly kind: Scores | null;
  /** Where NaN begins; null where nowhere, or nobody can tell. */
  readonly firstNaN: (x: Tensor4D) => Promise<string | null>;
  /** What every layer makes of a batch of one. */
  readonly look: (x: Tensor4D) => Promise<LayerMaps>;
  readonly dispose: () => void;
}

/** A model of tfjs, which says itself what it takes. */
export async function tfjsClassifier(
  checked: CheckedModel,
  chosen: Pick<ClassifyOptions, "input" | "preprocess">,
): Promise<Classifier> {
  const { file } = checked;
  const model = await loadTfjsModel(checked);
  try {
    const [, height, width, channels] = model.input;
    const given = chosen.input === undefined ? [] : bothAxes(chosen.input);
    const [h, w] = [given[0] ?? height, given[1] ?? width];
    if (
      h === undefined ||
      w === undefined ||
      channels === undefined ||
      h === null ||
      w === null ||
      channels === null
    ) {
      throw new StudyError(
        "input",
        `${file.label}: expected an input [batch, height, width, channels], got ${JSON.stringify(model.input)} ({input} sets height and width)`,
      );
    }
    if ((height !== null && h !== height) || (width !== null && w !== width)) {
      throw new StudyError(
        "usage",
        `{input}: expected ${height} x ${width}, which ${file.label} takes, got ${h} x ${w}`,
      );
    }
    return {
      name: file.label,
      input: [h, w, channels],
      classes: model.classes ?? countClasses(file.label, model, [1, h, w, channels]),
      labels: null,
      preprocess: chosen.preprocess ?? "unit",
      scores: model.predict,
      kind: checked.scores,
      firstNaN: model.firstNaN,
      look: (x) => modelMaps(model.steps, x),
      dispose: model.dispose,
    };
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/** How many classes a model that does not say so gives a score to. */
function countClasses(file: string, { predict }: TfjsModel, shape: [number, number, number, number]): number {
  return tidy(() => {
    const y = blame("input", file, () => {
      try {
        return predict(zeros(shape));
      } catch (error) {
        throw new RangeError(told(error), { cause: error });
      }
    });
    const classes = y.shape && classesOf(y.shape);
    if (typeof classes === "number") return classes;
    const got = JSON.stringify(y.shape ?? null);
    throw new StudyError("input", `${file}: expected one output [batch, classes], got ${got}`);
  });
}

/**
 * The scores of an image, one for each class.
 *
 * @param x A batch of one, which is disposed.
 */
export async function scoresOf(
  file: string,
  x: Tensor4D,
  { scores, name, firstNaN }: Classifier,
): Promise<number[]> {
  let y: Tensor | undefined;
  try {
    y = scores(x);
    const values = [...(await y.data())];
    const place = values.findIndex((value) => Number.isNaN(value));
    if (place === -1) return values;
    const first = await firstNaN(x).catch(() => null);
    const where = first === null ? "" : `, which begins at layer "${first}"`;
    throw new StudyError("input", `${name}: expected scores, got NaN for class ${place} of ${file}${where}`);
  } catch (error) {
    if (error instanceof StudyError) throw error;
    throw new StudyError("input", `${name}: ${told(error)}`, { cause: error });
  } finally {
    x.dispose();
    y?.dispose();
  }
}

/**
 * What every layer makes of an image.
 *
 * @param x A batch of one, which is disposed where that fails.
 */
export async function lookAt(file: string, x: Tensor4D, { look, name }: Classifier): Promise<LayerMaps> {
  try {
    return await look(x);
  } catch (error) {
    x.dispose();
    if (error instanceof StudyError) throw error;
    throw new StudyError("input", `${name}: ${file}: ${told(error)}`, { cause: error });
  }
}

/** The classes of the highest scores, the highest first; equal ones by their number. */
export function topClasses(
  scores: readonly number[],
  kind: Scores,
  labels: readonly string[] | null,
  top: number,
): Prediction[] {
  const values = kind === "logits" ? softmaxOf(scores) : scores;
  return topPredictions(values, top, labels);
}

/** What scores look like, where nothing else tells: probabilities of one class in all, a single one, or logits. */
export function guessedKind(scores: readonly number[]): Scores {
  const total = scores.reduce((sum, score) => sum + score, 0);
  const areShares = scores.every((score) => score >= 0 && score <= 1);
  if (scores.length === 1) return areShares ? "sigmoid" : "none";
  return areShares && Math.abs(total - 1) < 1e-3 ? "softmax" : "logits";
}

function softmaxOf(scores: readonly number[]): number[] {
  const most = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/** The picture in a file as a batch of one. */
export async function readImage(
  files: InputFiles,
  file: string,
  { input: [height, width, channels], preprocess }: Pick<Classifier, "input" | "preprocess">,
  numbers: PixelNumbers | null,
): Promise<Tensor4D> {
  if (numbers === null) {
    if (height !== width || channels !== 3) {
      throw new StudyError(
        "usage",
        `{preprocess} ${preprocess}: expected a square input of 3 channels, got ${height} x ${width} x ${channels}`,
      );
    }
    const picture = await files.decode(file);
    const image = preprocessImageNet(picture, { crop: height, resize: Math.round((height * 256) / 224) });
    const x = tensor4d(image.data, [1, height, width, 3]);
    if (preprocess === "imagenet") return x;
    try {
      return transformInput(x);
    } finally {
      x.dispose();
    }
  }
  if (channels !== 1 && channels !== 3) {
    throw new StudyError("usage", `${file}: expected a network for 1 or 3 channels, got one for ${channels}`);
  }
  const { fit } = numbers;
  const size = [height, width] as const;
  const picture =
    fit === "crop" ? await files.decode(file, { size }) : fitted(await files.decode(file), size, fit);
  const { images } = takeBatch(datasetFromPixels([picture], [0], { channels }), [0]);
  return tensor4d(asNumbers(images, channels, numbers), [1, height, width, channels]);
}
