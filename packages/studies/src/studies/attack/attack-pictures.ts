import type { Picture } from "../../declaration/option.js";

/** Numbers in [0, 1], `[height, width, channels]`, as a picture of 8 bits; grey where there is one channel. */
export function pictureOf(
  values: Float32Array,
  [height, width, channels]: readonly [number, number, number],
): Picture {
  const data = new Uint8Array(3 * height * width);
  for (let pixel = 0; pixel < height * width; pixel++) {
    for (let c = 0; c < 3; c++) {
      const value = values[pixel * channels + Math.min(c, channels - 1)]!;
      data[3 * pixel + c] = Math.round(255 * Math.min(1, Math.max(0, value)));
    }
  }
  return { width, height, data };
}

/** A difference so much amplified that the largest number is white or black; grey is no change. */
export function amplified(
  adversarial: Float32Array,
  clean: Float32Array,
): { readonly values: Float32Array; readonly factor: number } {
  const largest = adversarial.reduce((most, value, i) => Math.max(most, Math.abs(value - clean[i]!)), 0);
  const factor = largest === 0 ? 1 : 0.5 / largest;
  return { values: adversarial.map((value, i) => 0.5 + factor * (value - clean[i]!)), factor };
}
