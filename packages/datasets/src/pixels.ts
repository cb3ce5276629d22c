import { rangeMismatch, typeMismatch } from "./expect-argument.js";
import { expectInteger } from "./expect-values.js";

/**
 * A decoded picture, whoever decoded it: an `ImageData` of a canvas is one, and so is what a decoder gives beside its
 * width and height.
 */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** `[height, width, channels]`, row-major, 0 … 255: grey, red-green-blue, or red-green-blue-alpha. */
  readonly data: Uint8Array | Uint8ClampedArray;
}

/** Throws unless `pixels` is a picture of 1, 3 or 4 channels. @returns How many it has. */
export function expectPixels(where: string, pixels: Pixels): 1 | 3 | 4 {
  if (typeof pixels !== "object" || pixels === null) {
    throw typeMismatch(where, "{width, height, data}", pixels);
  }
  const { width, height, data } = pixels;
  expectInteger(`${where}.width`, width, 1);
  expectInteger(`${where}.height`, height, 1);
  if (!(data instanceof Uint8Array || data instanceof Uint8ClampedArray)) {
    throw typeMismatch(`${where}.data`, "a Uint8Array or Uint8ClampedArray", data);
  }
  const channels = data.length / (width * height);
  if (channels !== 1 && channels !== 3 && channels !== 4) {
    throw rangeMismatch(`${where}.data`, `1, 3 or 4 bytes for each of ${height} x ${width} pixels`, data);
  }
  return channels;
}
