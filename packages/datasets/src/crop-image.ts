import { expectFinite, typeMismatch } from "./expect-argument.js";
import { expectInteger } from "./expect-values.js";
import { expectImage, type Image } from "./image.js";

/** A rectangle of pixels; it may reach outside the image. */
export interface Rectangle {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

export function expectRectangle(where: string, rectangle: Rectangle): void {
  if (typeof rectangle !== "object" || rectangle === null) {
    throw typeMismatch(where, "{top, left, height, width}", rectangle);
  }
  const { top, left, height, width } = rectangle;
  expectInteger(`${where}.top`, top, -(2 ** 31), 2 ** 31);
  expectInteger(`${where}.left`, left, -(2 ** 31), 2 ** 31);
  expectInteger(`${where}.height`, height, 1, 2 ** 31);
  expectInteger(`${where}.width`, width, 1, 2 ** 31);
}

/**
 * Cuts a rectangle out of an image; what lies outside is `fill`.
 *
 * @returns A new image, `[height, width, channels]`.
 * @throws {TypeError | RangeError} when the rectangle is not of integers, or `fill` not finite.
 */
export function cropImage(image: Image, rectangle: Rectangle, fill = 0): Image {
  expectImage("cropImage: image", image);
  expectRectangle("cropImage: rectangle", rectangle);
  expectFinite("cropImage: fill", fill);
  const { top, left, height, width } = rectangle;
  const [fromHeight, fromWidth, channels] = image.shape;
  const data = new Float32Array(height * width * channels).fill(fill);
  const first = Math.max(0, -left);
  const last = Math.min(width, fromWidth - left);
  for (let y = Math.max(0, -top); y < Math.min(height, fromHeight - top) && first < last; y++) {
    const row = (y + top) * fromWidth + left;
    data.set(
      image.data.subarray((row + first) * channels, (row + last) * channels),
      (y * width + first) * channels,
    );
  }
  return { data, shape: [height, width, channels] };
}
