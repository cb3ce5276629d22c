import { rangeMismatch, typeMismatch } from "./expect-argument.js";
import { expectInteger } from "./expect-values.js";

/** One image as numbers, as augmentations see it. */
export interface Image {
  /** `[height, width, channels]`, row-major; 0 is black and 1 is white, unless it is normalised. */
  readonly data: Float32Array;
  readonly shape: readonly [height: number, width: number, channels: number];
}

/** Throws unless `image` is one whose data has the length of its shape. */
export function expectImage(where: string, image: Image): void {
  if (typeof image !== "object" || image === null) throw typeMismatch(where, "{data, shape}", image);
  const { data, shape } = image;
  if (!Array.isArray(shape) || shape.length !== 3) {
    throw typeMismatch(`${where}.shape`, "[height, width, channels]", shape);
  }
  for (const [axis, length] of shape.entries()) expectInteger(`${where}.shape[${axis}]`, length, 1);
  if (!(data instanceof Float32Array)) throw typeMismatch(`${where}.data`, "a Float32Array", data);
  const length = shape[0] * shape[1] * shape[2];
  if (data.length !== length) throw rangeMismatch(`${where}.data`, `${length} numbers`, data);
}
