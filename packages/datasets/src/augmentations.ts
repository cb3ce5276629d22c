import { bernoulli, integer, type RandomStream, uniform } from "@gradlab/random";
import { adjustImage } from "./adjust-image.js";
import { cropImage } from "./crop-image.js";
import { cutOut } from "./cut-out.js";
import { expectFinite, typeMismatch } from "./expect-argument.js";
import { expectInteger, expectWithin } from "./expect-values.js";
import { flipImage } from "./flip-image.js";
import { type Moments, normalizeFor } from "./normalize-image.js";
import type { Augmentation } from "./take-batch.js";
import { transformImage } from "./transform-image.js";

/*
 * The random forms of the pure functions beside them: each takes its ranges, and gives a function that draws from the
 * stream of the sample and nothing else.
 */

/** A number in [low, high), also where the two are equal; always draws. */
function between(stream: RandomStream, low: number, high: number): number {
  return low + (high - low) * uniform(stream);
}

/** One augmentation after another, from one stream. @throws {TypeError} when one is not a function. */
export function compose(...augmentations: readonly Augmentation[]): Augmentation {
  for (const [i, augment] of augmentations.entries()) {
    if (typeof augment !== "function")
      throw typeMismatch(`compose: augmentations[${i}]`, "a function", augment);
  }
  return (image, stream) => augmentations.reduce((made, augment) => augment(made, stream), image);
}

/**
 * A border of `padding` pixels of `fill` around the image, then a crop at a random place: of the size of the image, or
 * of `size`.
 *
 * @param options `padding`: at least 0. `size`: `[height, width]` of the result, no larger than image and border.
 * @throws {TypeError | RangeError} when an option is not as stated.
 * @see He et al. 2016, §4.2 (padding 4 for CIFAR-10), https://arxiv.org/abs/1512.03385
 */
export function randomCrop(options: {
  readonly padding: number;
  readonly size?: readonly [height: number, width: number];
  readonly fill?: number;
}): Augmentation {
  const { padding, size, fill = 0 } = options;
  expectInteger("randomCrop: padding", padding, 0, 2 ** 20);
  for (const axis of size === undefined ? [] : [0, 1])
    expectInteger(`randomCrop: size[${axis}]`, size![axis], 1);
  expectFinite("randomCrop: fill", fill);
  return (image, stream) => {
    const [height, width] = size ?? image.shape;
    const spareY = image.shape[0] + 2 * padding - height;
    const spareX = image.shape[1] + 2 * padding - width;
    expectInteger("randomCrop: image height + 2 padding - size[0]", spareY, 0);
    expectInteger("randomCrop: image width + 2 padding - size[1]", spareX, 0);
    const top = integer(stream, 0, spareY + 1) - padding;
    const left = integer(stream, 0, spareX + 1) - padding;
    return cropImage(image, { top, left, height, width }, fill);
  };
}

/**
 * The mirror image with a probability, 1/2 unless given.
 *
 * @throws {TypeError | RangeError} when `probability` is not in [0, 1].
 */
export function randomFlip(probability = 0.5): Augmentation {
  expectWithin("randomFlip: probability", probability, 0, 1);
  return (image, stream) => (bernoulli(stream, probability) ? flipImage(image) : image);
}

/**
 * A random rotation, enlargement and translation, see `transformImage`.
 *
 * @param options `degrees`: the largest rotation to either side. `translate`: the largest translation to either side, as
 *   a part of width and height. `scale`: smallest and largest enlargement. Each without effect unless given.
 * @throws {TypeError | RangeError} when an option is not as stated.
 */
export function randomTransform(options: {
  readonly degrees?: number;
  readonly translate?: number;
  readonly scale?: readonly [smallest: number, largest: number];
  readonly fill?: number;
}): Augmentation {
  const { degrees = 0, translate = 0, scale = [1, 1], fill = 0 } = options;
  expectWithin("randomTransform: degrees", degrees, 0, 180);
  expectWithin("randomTransform: translate", translate, 0, 1);
  expectWithin("randomTransform: scale[0]", scale[0], 1e-6, 1e6);
  expectWithin("randomTransform: scale[1]", scale[1], scale[0], 1e6);
  return (image, stream) => {
    const [height, width] = image.shape;
    const angle = between(stream, -degrees, degrees);
    const x = width * between(stream, -translate, translate);
    const y = height * between(stream, -translate, translate);
    return transformImage(image, {
      angle,
      translate: [x, y],
      scale: between(stream, scale[0], scale[1]),
      fill,
    });
  };
}

/**
 * Random factors of brightness and contrast, uniform on [1 - b, 1 + b] and [1 - c, 1 + c], see `adjustImage`.
 *
 * @param options `brightness` (b) and `contrast` (c) in [0, 1]; 0 unless given.
 * @throws {TypeError | RangeError} when one is not in [0, 1].
 */
export function randomAdjustment(options: {
  readonly brightness?: number;
  readonly contrast?: number;
}): Augmentation {
  const { brightness = 0, contrast = 0 } = options;
  expectWithin("randomAdjustment: brightness", brightness, 0, 1);
  expectWithin("randomAdjustment: contrast", contrast, 0, 1);
  return (image, stream) => {
    const factor = between(stream, 1 - brightness, 1 + brightness);
    return adjustImage(image, {
      brightness: factor,
      contrast: between(stream, 1 - contrast, 1 + contrast),
    });
  };
}

/**
 * Covers a square of `size` x `size` pixels whose middle is a random pixel, so that a part of it may lie outside.
 *
 * @throws {TypeError | RangeError} when `size` is not a positive integer.
 * @see DeVries, Taylor 2017, §3, https://arxiv.org/abs/1708.04552
 */
export function randomCutout(options: { readonly size: number; readonly fill?: number }): Augmentation {
  const { size, fill = 0 } = options;
  expectInteger("randomCutout: size", size, 1, 2 ** 20);
  expectFinite("randomCutout: fill", fill);
  return (image, stream) => {
    const half = Math.floor(size / 2);
    const top = integer(stream, 0, image.shape[0]) - half;
    const left = integer(stream, 0, image.shape[1]) - half;
    return cutOut(image, { top, left, height: size, width: size }, fill);
  };
}

/** `normalizeImage` as the last of a row of augmentations; draws nothing. */
export function normalize(moments: Moments): Augmentation {
  return (image) => normalizeFor("normalize", image, moments);
}
