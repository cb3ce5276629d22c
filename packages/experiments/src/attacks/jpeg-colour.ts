import { fillUniform, type RandomStream } from "@gradlab/random";
import type { Picture } from "@gradlab/studies";
import { changeFrequencies, jpegSteps, type Size } from "./jpeg-blocks.js";

/** A picture as it comes back from a JPEG file of that quality, its colours at half the size: all that is lost. */
export function jpegColour({ width, height, data }: Picture, quality: number): Picture {
  // Blocks of 16 x 16, the last ones filled up with the last row and column.
  const [rows, columns] = [16 * Math.ceil(height / 16), 16 * Math.ceil(width / 16)];
  const planes = Array.from({ length: 3 }, () => new Float64Array(rows * columns));
  for (let i = 0; i < rows * columns; i++) {
    const [y, x] = [Math.min(Math.floor(i / columns), height - 1), Math.min(i % columns, width - 1)];
    const at = 3 * (y * width + x);
    const [red, green, blue] = [data[at]!, data[at + 1]!, data[at + 2]!];
    planes[0]![i] = Math.round(0.299 * red + 0.587 * green + 0.114 * blue) - 128;
    planes[1]![i] = Math.round(-0.168736 * red - 0.331264 * green + 0.5 * blue);
    planes[2]![i] = Math.round(0.5 * red - 0.418688 * green - 0.081312 * blue);
  }
  const brightness = rounded(planes[0]!, [rows, columns], jpegSteps(quality, "luminance"));
  const small = [rows / 2, columns / 2] as const;
  const steps = jpegSteps(quality, "chrominance");
  const [blues, reds] = [planes[1]!, planes[2]!].map((plane) =>
    larger(rounded(smaller(plane, small), small, steps), small[1], [height, width]),
  );
  const pixels = new Uint8Array(3 * width * height);
  for (let i = 0; i < width * height; i++) {
    const y = brightness[Math.floor(i / width) * columns + (i % width)]! + 128;
    const [b, r] = [blues![i]!, reds![i]!];
    pixels[3 * i] = byte(y + 1.402 * r);
    pixels[3 * i + 1] = byte(y - 0.344136 * b - 0.714136 * r);
    pixels[3 * i + 2] = byte(y + 1.772 * b);
  }
  return { width, height, data: pixels };
}

const byte = (value: number) => Math.min(255, Math.max(0, Math.round(value)));

function rounded(plane: Float64Array, size: Size, steps: readonly number[]): Float64Array {
  const changed = changeFrequencies(plane, size, (frequencies) => {
    for (let i = 0; i < 64; i++) frequencies[i] = Math.round(frequencies[i]! / steps[i]!) * steps[i]!;
  });
  return changed.map((value) => Math.min(127, Math.max(-128, Math.round(value))));
}

/** Means of four. */
function smaller(plane: Float64Array, [h, w]: Size): Float64Array {
  return Float64Array.from({ length: h * w }, (_, i) => {
    const at = 4 * w * Math.floor(i / w) + 2 * (i % w);
    return Math.round((plane[at]! + plane[at + 1]! + plane[at + 2 * w]! + plane[at + 2 * w + 1]!) / 4);
  });
}

/** Three quarters of the nearest, one of the next, as libjpeg does it. */
function larger(plane: Float64Array, columns: number, [height, width]: Size): Float64Array {
  const result = new Float64Array(height * width);
  for (let y = 0; y < height; y++) {
    const [near, far] = neighbours(y, Math.ceil(height / 2));
    for (let x = 0; x < width; x++) {
      const [left, right] = neighbours(x, Math.ceil(width / 2));
      const upper = 3 * plane[near * columns + left]! + plane[near * columns + right]!;
      const lower = 3 * plane[far * columns + left]! + plane[far * columns + right]!;
      result[y * width + x] = Math.round((3 * upper + lower) / 16);
    }
  }
  return result;
}

/** Of a place in twice the length: the nearest in the half, and the one on its other side. */
function neighbours(place: number, length: number): [near: number, far: number] {
  const near = place >> 1;
  const far = place % 2 === 0 ? near - 1 : near + 1;
  return [near, Math.min(length - 1, Math.max(0, far))];
}

/**
 * What rounding in a JPEG file could add to pixels in [0, 1], `[height, width, 3]`: noise of every frequency of
 * brightness and of colours at half the size, as large as its step allows.
 *
 * @param size Even numbers.
 */
export function jpegColourNoise(stream: RandomStream, [height, width]: Size, quality: number): Float32Array {
  const small = [height / 2, width / 2] as const;
  const noise = (size: Size, kind: "luminance" | "chrominance") => {
    const steps = jpegSteps(quality, kind);
    const drawn = new Float32Array(64);
    return changeFrequencies(new Float64Array(size[0] * size[1]), size, (frequencies) => {
      fillUniform(stream, drawn, -0.5, 0.5);
      for (let i = 0; i < 64; i++) frequencies[i] = (drawn[i]! * steps[i]!) / 255;
    });
  };
  const brightness = noise([height, width], "luminance");
  const [blues, reds] = [noise(small, "chrominance"), noise(small, "chrominance")];
  const pixels = new Float32Array(3 * height * width);
  for (let i = 0; i < height * width; i++) {
    const half = (Math.floor(i / width) >> 1) * small[1] + ((i % width) >> 1);
    const [y, b, r] = [brightness[i]!, blues[half]!, reds[half]!];
    pixels[3 * i] = y + 1.402 * r;
    pixels[3 * i + 1] = y - 0.344136 * b - 0.714136 * r;
    pixels[3 * i + 2] = y + 1.772 * b;
  }
  return pixels;
}
