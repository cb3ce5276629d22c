import { centerCrop } from "./center-crop.js";
import { convertChannels } from "./convert-channels.js";
import { expectInteger } from "./expect-values.js";
import type { Image } from "./image.js";
import { imageNetMoments, type Moments, normalizeFor } from "./normalize-image.js";
import { expectPixels, type Pixels } from "./pixels.js";
import { resizeImage } from "./resize-image.js";

/** What `preprocessImageNet` does otherwise than usual. */
export interface PreprocessImageNetOptions {
  /** Length of the shorter side before the crop; 256 unless given. */
  readonly resize?: number;
  /** Height and width of the result; 224 unless given. */
  readonly crop?: number;
  /** What to normalise by; ImageNet's unless given, null for numbers in [0, 1]. */
  readonly moments?: Moments | null;
}

/**
 * Makes the input of an ImageNet network of a photograph, as torchvision's reference transform does: the shorter side
 * to 256 (antialiased), the middle 224 x 224, `byte / 255`, minus mean, divided by standard deviation. Before the
 * normalisation it equals torchvision's result for PIL images; for its tensor path it is within 1/255.
 *
 * @param pixels A decoded picture; grey is repeated, alpha left out.
 * @returns `[224, 224, 3]`, red, green, blue.
 * @throws {TypeError | RangeError} when `pixels` is not a picture or an option not as stated.
 * @see torchvision.transforms._presets.ImageClassification, https://github.com/pytorch/vision
 */
export function preprocessImageNet(pixels: Pixels, options: PreprocessImageNetOptions = {}): Image {
  expectPixels("preprocessImageNet: pixels", pixels);
  const { resize = 256, crop = 224, moments = imageNetMoments } = options;
  expectInteger("preprocessImageNet: resize", resize, 1);
  expectInteger("preprocessImageNet: crop", crop, 1);
  const picture = centerCrop(resizeImage(convertChannels(pixels, 3), resize), [crop, crop]);
  const image: Image = {
    data: Float32Array.from(picture.data, (byte) => byte / 255),
    shape: [crop, crop, 3],
  };
  return moments === null ? image : normalizeFor("preprocessImageNet", image, moments);
}
