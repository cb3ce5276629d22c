import { type RandomStream, uniform } from "@gradlab/random";
import { changeFrequencies, jpegSteps, type Size } from "./jpeg-blocks.js";

/** A grey image in [0, 1] as it comes back from a JPEG file of that quality: all that is lost, and no file. */
export function jpegGrey(pixels: Float32Array, size: Size, quality: number): Float32Array {
  const steps = jpegSteps(quality, "luminance");
  const levels = Float64Array.from(pixels, (value) => Math.round(255 * value) - 128);
  const rounded = changeFrequencies(levels, size, (frequencies) => {
    for (const [i, step] of steps.entries()) frequencies[i] = Math.round(frequencies[i]! / step) * step;
  });
  return Float32Array.from(rounded, (value) => Math.min(255, Math.max(0, Math.round(value + 128))) / 255);
}

/** What rounding in a JPEG file could add to an image: noise of every frequency, as large as its step allows. */
export function jpegNoise(stream: RandomStream, size: Size, quality: number): Float32Array {
  const steps = jpegSteps(quality, "luminance");
  const noise = changeFrequencies(new Float64Array(size[0] * size[1]), size, (frequencies) => {
    for (const [i, step] of steps.entries()) frequencies[i] = uniform(stream, -step / 2, step / 2) / 255;
  });
  return Float32Array.from(noise);
}
