import { convertChannels } from "./convert-channels.js";
import type { Dataset } from "./dataset.js";
import { rangeMismatch, typeMismatch } from "./expect-argument.js";
import { expectInteger, expectOneOf } from "./expect-values.js";
import { expectPixels, type Pixels } from "./pixels.js";

/** What `datasetFromPixels` takes beside pictures and labels. */
export interface DatasetFromPixelsOptions {
  /** 1 for grey, 3 for colour; 3 unless given. */
  readonly channels?: 1 | 3;
  /** How many classes there are; one more than the largest label unless given. */
  readonly classes?: number;
}

/**
 * A data set of decoded pictures, all of one size (`resizeImage` and `centerCrop` bring them there).
 *
 * @param pictures Grey, RGB or RGBA; converted as by `convertChannels`.
 * @param labels The class of each.
 * @throws {TypeError | RangeError} when the number of labels or the size of a picture is another, or a label is out of
 *   range; the message names the picture.
 */
export function datasetFromPixels(
  pictures: readonly Pixels[],
  labels: ArrayLike<number>,
  options: DatasetFromPixelsOptions = {},
): Dataset {
  if (!Array.isArray(pictures) || pictures.length === 0) {
    throw typeMismatch("datasetFromPixels: pictures", "an array of at least one picture", pictures);
  }
  const { channels = 3 } = options;
  expectOneOf("datasetFromPixels: channels", channels, [1, 3]);
  if (labels?.length !== pictures.length) {
    throw rangeMismatch("datasetFromPixels: labels", `${pictures.length} labels`, labels);
  }
  const { classes: most = 2 ** 31 - 1 } = options;
  expectInteger("datasetFromPixels: classes", most, 1, 2 ** 31 - 1);
  let largest = 0;
  for (let i = 0; i < labels.length; i++) {
    expectInteger(`datasetFromPixels: labels[${i}]`, labels[i], 0, most - 1);
    largest = Math.max(largest, labels[i]!);
  }
  const { classes = largest + 1 } = options;
  for (const [i, picture] of pictures.entries()) expectPixels(`datasetFromPixels: pictures[${i}]`, picture);
  const { width, height } = pictures[0]!;
  for (const [i, picture] of pictures.entries()) {
    if (picture.width !== width || picture.height !== height) {
      throw new RangeError(
        `datasetFromPixels: pictures[${i}]: expected ${height} x ${width} pixels as in pictures[0], got ${picture.height} x ${picture.width}`,
      );
    }
  }
  const images = new Uint8Array(pictures.length * height * width * channels);
  for (const [i, picture] of pictures.entries()) {
    images.set(convertChannels(picture, channels).data, i * height * width * channels);
  }
  return {
    images,
    labels: Int32Array.from(labels),
    shape: [height, width, channels],
    classes,
    count: pictures.length,
  };
}
