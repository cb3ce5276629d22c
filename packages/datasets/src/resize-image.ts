import { typeMismatch } from "./expect-argument.js";
import { expectInteger } from "./expect-values.js";
import { expectPixels, type Pixels } from "./pixels.js";

/** Fixed-point digits of a weight: 255 · 2^22 fits 32 bits with room for the sign. */
const PRECISION = 22;

/** Which pixels along an axis make one pixel of the result, and with which weights. */
interface Taps {
  /** The first of them. */
  readonly start: number;
  /** In units of 2^-22. */
  readonly weights: Int32Array;
}

/**
 * The triangle filter `max(0, 1 - |x|)`, stretched by the reduction when the axis shrinks (which is what keeps fine
 * patterns from turning into coarse ones) and normalised to 1.
 */
function taps(from: number, to: number): Taps[] {
  const scale = from / to;
  const support = Math.max(scale, 1);
  return Array.from({ length: to }, (_, i) => {
    const center = (i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(center - support + 0.5));
    const end = Math.min(from, Math.trunc(center + support + 0.5));
    const heights = Array.from({ length: end - start }, (_, x) =>
      Math.max(0, 1 - Math.abs((x + start - center + 0.5) * (1 / support))),
    );
    const sum = heights.reduce((total, height) => total + height, 0);
    return {
      start,
      weights: Int32Array.from(heights, (height) => Math.trunc(0.5 + (height / sum) * 2 ** PRECISION)),
    };
  });
}

/**
 * Resamples the middle axis of `[outer, from, inner]` bytes and rounds to bytes: halves go up, as `floor(x + 1/2)`.
 */
function resample(
  data: ArrayLike<number>,
  [outer, from, inner]: readonly [number, number, number],
  to: number,
): Uint8Array {
  const result = new Uint8Array(outer * to * inner);
  const axis = taps(from, to);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < to; i++) {
      const { start, weights } = axis[i]!;
      for (let c = 0; c < inner; c++) {
        let sum = 1 << (PRECISION - 1);
        for (let k = 0, at = (o * from + start) * inner + c; k < weights.length; k++, at += inner) {
          sum += data[at]! * weights[k]!;
        }
        result[(o * to + i) * inner + c] = Math.min(255, sum >> PRECISION);
      }
    }
  }
  return result;
}

/**
 * Resizes a picture, bilinear with antialiasing: along x and then along y, each pixel of the result is the mean of the
 * pixels around its place under a triangle that is as wide as the reduction; rounded to bytes after each axis, as PIL's
 * `Image.resize(size, BILINEAR)` does, and equal to it to the last bit. torchvision's tensor path
 * (`antialias=True`) rounds once, so that it differs by at most 1 of 255.
 *
 * Unlike PIL, the alpha channel is resampled like the others: colours are not weighted by it.
 *
 * @param pixels Grey, RGB or RGBA.
 * @param size The wanted `[height, width]`, or the wanted length of the shorter side: the longer one keeps the
 *   proportion, `trunc(size · longer / shorter)`.
 * @returns A new picture, with as many channels. Takes about 2 · max(reduction, 1)
 *   multiplications for each of its bytes and each axis.
 * @throws {TypeError | RangeError} when `pixels` is not a picture or `size` not positive.
 * @see Turkowski 1990, "Filters for common resampling tasks"; torchvision.transforms.Resize
 */
export function resizeImage(
  pixels: Pixels,
  size: number | readonly [height: number, width: number],
): Pixels & { readonly data: Uint8Array } {
  const channels = expectPixels("resizeImage: pixels", pixels);
  const { width, height, data } = pixels;
  if (typeof size !== "number" && !Array.isArray(size)) {
    throw typeMismatch("resizeImage: size", "a number or [height, width]", size);
  }
  const [toHeight, toWidth] = typeof size === "number" ? shorterSide(size, height, width) : size;
  expectInteger("resizeImage: size[0]", toHeight, 1);
  expectInteger("resizeImage: size[1]", toWidth, 1);
  const rows = toWidth === width ? data : resample(data, [height, width, channels], toWidth);
  const columns = toHeight === height ? rows : resample(rows, [1, height, toWidth * channels], toHeight);
  return { width: toWidth, height: toHeight, data: Uint8Array.from(columns) };
}

function shorterSide(size: number, height: number, width: number): [height: number, width: number] {
  expectInteger("resizeImage: size", size, 1);
  return height <= width
    ? [size, Math.trunc((size * width) / height)]
    : [Math.trunc((size * height) / width), size];
}
