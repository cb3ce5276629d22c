import { expectRectangle, type Rectangle } from "./crop-image.js";
import { expectImage, type Image } from "./image.js";

/**
 * Covers a rectangle of an image with `fill`; what of it lies outside the image has no effect.
 *
 * @returns A new image.
 * @throws {TypeError | RangeError} when the rectangle is not of integers.
 * @see DeVries, Taylor 2017, "Improved regularization of convolutional neural networks with cutout",
 *   https://arxiv.org/abs/1708.04552
 */
export function cutOut(image: Image, rectangle: Rectangle, fill = 0): Image {
  expectImage("cutOut: image", image);
  expectRectangle("cutOut: rectangle", rectangle);
  const { top, left, height, width } = rectangle;
  const [rows, columns, channels] = image.shape;
  const data = image.data.slice();
  const first = Math.max(0, left);
  const last = Math.min(columns, left + width);
  for (let y = Math.max(0, top); y < Math.min(rows, top + height) && first < last; y++) {
    data.fill(fill, (y * columns + first) * channels, (y * columns + last) * channels);
  }
  return { data, shape: image.shape };
}
