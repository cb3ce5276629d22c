import { expectFinite, typeMismatch } from "./expect-argument.js";
import { expectWithin } from "./expect-values.js";
import { expectImage, type Image } from "./image.js";

/** How an image is moved. */
export interface Transform {
  /** Rotation about the centre in degrees, clockwise; 0 unless given. */
  readonly angle?: number;
  /** Enlargement about the centre, positive; 1 unless given. */
  readonly scale?: number;
  /** Then a translation in pixels, to the right and down; [0, 0] unless given. */
  readonly translate?: readonly [x: number, y: number];
  /** What comes in from outside; 0 unless given. */
  readonly fill?: number;
}

/**
 * Moves an image: every pixel of the result is taken from where it came from, bilinear between the four pixels around
 * that place, `fill` outside the image. Its centre is `((width - 1) / 2, (height - 1) / 2)` in pixel indices.
 *
 * A rotation by a multiple of 90° of a square image, and a translation by whole pixels, only move pixels.
 *
 * @returns A new image of the same shape.
 * @throws {TypeError | RangeError} when a number is not finite or the scale not positive.
 */
export function transformImage(image: Image, transform: Transform = {}): Image {
  expectImage("transformImage: image", image);
  const { angle = 0, scale = 1, translate = [0, 0], fill = 0 } = transform;
  expectFinite("transformImage: angle", angle);
  expectWithin("transformImage: scale", scale, 1e-6, 1e6);
  if (!Array.isArray(translate)) throw typeMismatch("transformImage: translate", "[x, y]", translate);
  for (const axis of [0, 1]) expectWithin(`transformImage: translate[${axis}]`, translate[axis], -1e6, 1e6);
  expectFinite("transformImage: fill", fill);
  const [height, width, channels] = image.shape;
  const [cos, sin] = turn(angle);
  const [middleX, middleY] = [(width - 1) / 2, (height - 1) / 2];
  const { data: from } = image;
  const data = new Float32Array(from.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const dx = (x - middleX - translate[0]) / scale;
      const dy = (y - middleY - translate[1]) / scale;
      const u = cos * dx + sin * dy + middleX;
      const v = cos * dy - sin * dx + middleY;
      const left = Math.floor(u);
      const top = Math.floor(v);
      const [right, below] = [u - left, v - top]; // weights of the right and lower neighbours
      const to = (y * width + x) * channels;
      for (let c = 0; c < channels; c++) {
        const at = (column: number, row: number) =>
          column < 0 || column >= width || row < 0 || row >= height
            ? fill
            : from[(row * width + column) * channels + c]!;
        const upper = right === 0 ? at(left, top) : (1 - right) * at(left, top) + right * at(left + 1, top);
        if (below === 0) {
          data[to + c] = upper;
          continue;
        }
        const lower =
          right === 0 ? at(left, top + 1) : (1 - right) * at(left, top + 1) + right * at(left + 1, top + 1);
        data[to + c] = (1 - below) * upper + below * lower;
      }
    }
  }
  return { data, shape: image.shape };
}

/** Cosine and sine of an angle in degrees, exact at right angles. */
function turn(angle: number): [cos: number, sin: number] {
  const degrees = ((angle % 360) + 360) % 360;
  if (degrees % 90 === 0) {
    return [
      [1, 0],
      [0, 1],
      [-1, 0],
      [0, -1],
    ][degrees / 90] as [number, number];
  }
  const radians = (degrees * Math.PI) / 180;
  return [Math.cos(radians), Math.sin(radians)];
}
