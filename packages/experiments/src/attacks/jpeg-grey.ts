import { type RandomStream, uniform } from "@gradlab/random";

/** How coarse each frequency becomes at quality 50: ISO/IEC 10918-1, Table K.1. */
const luminance = [
  [16, 11, 10, 16, 24, 40, 51, 61],
  [12, 12, 14, 19, 26, 58, 60, 55],
  [14, 13, 16, 24, 40, 57, 69, 56],
  [14, 17, 22, 29, 51, 87, 80, 62],
  [18, 22, 37, 56, 68, 109, 103, 77],
  [24, 35, 55, 64, 81, 104, 113, 92],
  [49, 64, 78, 87, 103, 121, 120, 101],
  [72, 92, 95, 98, 112, 100, 103, 99],
].flat();

/** Rows are the waves of the discrete cosine transform of 8 numbers. */
const waves = Array.from({ length: 8 }, (_, k) =>
  Array.from(
    { length: 8 },
    (_, i) => (k === 0 ? Math.sqrt(1 / 8) : 0.5) * Math.cos(((2 * i + 1) * k * Math.PI) / 16),
  ),
);

type Size = readonly [height: number, width: number];

/** The sizes of steps that frequencies are rounded to, as libjpeg has them for a quality from 1 to 100. */
function stepsOf(quality: number): number[] {
  const scale = quality < 50 ? 5000 / quality : 200 - 2 * quality;
  return luminance.map((step) => Math.min(255, Math.max(1, Math.floor((step * scale + 50) / 100))));
}

/** A grey image in [0, 1] as it comes back from a JPEG file of that quality: all that is lost, and no file. */
export function jpegGrey(pixels: Float32Array, size: Size, quality: number): Float32Array {
  const steps = stepsOf(quality);
  return byBlocks(pixels, size, (block) => {
    const levels = block.map((value) => Math.round(255 * value) - 128);
    const rounded = transform(levels, false).map((value, i) => Math.round(value / steps[i]!) * steps[i]!);
    return transform(rounded, true).map((value) => Math.min(255, Math.max(0, Math.round(value + 128))) / 255);
  });
}

/** What rounding in a JPEG file could add to an image: noise of every frequency, as large as its step allows. */
export function jpegNoise(stream: RandomStream, size: Size, quality: number): Float32Array {
  const steps = stepsOf(quality);
  return byBlocks(new Float32Array(size[0] * size[1]), size, () =>
    transform(
      steps.map((step) => uniform(stream, -step / 2, step / 2) / 255),
      true,
    ),
  );
}

/** Changes an image in blocks of 8 x 8; blocks at the edges go on with the last row and column. */
function byBlocks(
  pixels: Float32Array,
  [height, width]: Size,
  change: (block: number[]) => number[],
): Float32Array {
  const result = new Float32Array(pixels.length);
  for (let top = 0; top < height; top += 8) {
    for (let left = 0; left < width; left += 8) {
      const at = (i: number) => {
        const [y, x] = [top + Math.floor(i / 8), left + (i % 8)];
        return Math.min(y, height - 1) * width + Math.min(x, width - 1);
      };
      const places = Array.from({ length: 64 }, (_, i) => i);
      const changed = change(places.map((i) => pixels[at(i)]!));
      for (const i of places) {
        if (top + Math.floor(i / 8) < height && left + (i % 8) < width) result[at(i)] = changed[i]!;
      }
    }
  }
  return result;
}

/** The transform of a block, or back. */
function transform(block: readonly number[], isInverse: boolean): number[] {
  const wave = (k: number, i: number) => (isInverse ? waves[i]![k]! : waves[k]![i]!);
  const rows = Array.from({ length: 64 }, (_, at) => {
    const [y, k] = [Math.floor(at / 8), at % 8];
    let sum = 0;
    for (let x = 0; x < 8; x++) sum += wave(k, x) * block[8 * y + x]!;
    return sum;
  });
  return Array.from({ length: 64 }, (_, at) => {
    const [k, x] = [Math.floor(at / 8), at % 8];
    let sum = 0;
    for (let y = 0; y < 8; y++) sum += wave(k, y) * rows[8 * y + x]!;
    return sum;
  });
}
