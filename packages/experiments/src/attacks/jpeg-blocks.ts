/** How coarse each frequency becomes at quality 50, of brightness and of colours: ISO/IEC 10918-1, Tables K.1 and K.2. */
const tables = {
  luminance: [
    [16, 11, 10, 16, 24, 40, 51, 61],
    [12, 12, 14, 19, 26, 58, 60, 55],
    [14, 13, 16, 24, 40, 57, 69, 56],
    [14, 17, 22, 29, 51, 87, 80, 62],
    [18, 22, 37, 56, 68, 109, 103, 77],
    [24, 35, 55, 64, 81, 104, 113, 92],
    [49, 64, 78, 87, 103, 121, 120, 101],
    [72, 92, 95, 98, 112, 100, 103, 99],
  ].flat(),
  chrominance: [
    [17, 18, 24, 47, 99, 99, 99, 99],
    [18, 21, 26, 66, 99, 99, 99, 99],
    [24, 26, 56, 99, 99, 99, 99, 99],
    [47, 66, 99, 99, 99, 99, 99, 99],
    ...Array.from({ length: 4 }, () => Array(8).fill(99)),
  ].flat() as number[],
} as const;

/** Rows are the waves of the discrete cosine transform of 8 numbers. */
const waves = Float64Array.from({ length: 64 }, (_, at) => {
  const [k, i] = [Math.floor(at / 8), at % 8];
  return (k === 0 ? Math.sqrt(1 / 8) : 0.5) * Math.cos(((2 * i + 1) * k * Math.PI) / 16);
});

export type Size = readonly [height: number, width: number];

/** The sizes of steps that frequencies are rounded to, as libjpeg has them for a quality from 1 to 100. */
export function jpegSteps(quality: number, kind: keyof typeof tables): number[] {
  const scale = quality < 50 ? 5000 / quality : 200 - 2 * quality;
  return tables[kind].map((step) => Math.min(255, Math.max(1, Math.floor((step * scale + 50) / 100))));
}

/**
 * Changes the frequencies of a plane in blocks of 8 x 8; blocks at the edges go on with the last row and column.
 *
 * @param change Writes into the frequencies of one block.
 */
export function changeFrequencies(
  plane: ArrayLike<number>,
  [height, width]: Size,
  change: (frequencies: Float64Array) => void,
): Float64Array {
  const result = new Float64Array(height * width);
  const block = new Float64Array(64);
  for (let top = 0; top < height; top += 8) {
    for (let left = 0; left < width; left += 8) {
      for (let i = 0; i < 64; i++) {
        const [y, x] = [Math.min(top + (i >> 3), height - 1), Math.min(left + (i & 7), width - 1)];
        block[i] = plane[y * width + x]!;
      }
      transform(block, false);
      change(block);
      transform(block, true);
      for (let i = 0; i < 64; i++) {
        const [y, x] = [top + (i >> 3), left + (i & 7)];
        if (y < height && x < width) result[y * width + x] = block[i]!;
      }
    }
  }
  return result;
}

const half = new Float64Array(64);

/** The transform of a block in its place, or back. */
function transform(block: Float64Array, isInverse: boolean): void {
  const [k, i] = isInverse ? [1, 8] : [8, 1]; // distances between waves, and along one
  for (let y = 0; y < 8; y++) {
    for (let to = 0; to < 8; to++) {
      let sum = 0;
      for (let x = 0; x < 8; x++) sum += waves[to * k + x * i]! * block[8 * y + x]!;
      half[8 * y + to] = sum;
    }
  }
  for (let to = 0; to < 8; to++) {
    for (let x = 0; x < 8; x++) {
      let sum = 0;
      for (let y = 0; y < 8; y++) sum += waves[to * k + y * i]! * half[8 * y + x]!;
      block[8 * to + x] = sum;
    }
  }
}
