import { resizeImage } from "@gradlab/datasets";
import type { Picture } from "../../declaration/option.js";
import { StudyError } from "../../declaration/study-error.js";
import type { ClassifyOptions, Preprocessing } from "./classify-options.js";

/** How the pixels of a picture become what a network takes, in this order. */
export interface PixelNumbers {
  /** Scaled to cover the input and cut, to it whatever the shape, or to lie within it, black around. */
  readonly fit: "crop" | "stretch" | "pad";
  /** White is black. */
  readonly invert: boolean;
  /** Blue first. */
  readonly bgr: boolean;
  /** What black and white become. */
  readonly range: readonly [black: number, white: number];
  /** Subtracted then, one for each channel or one for all. */
  readonly mean: readonly number[];
  /** Divided by after that. */
  readonly std: readonly number[];
}

type Chosen = Pick<ClassifyOptions, "fit" | "invert" | "bgr" | "range" | "mean" | "std">;

/** The numbers that a preset means, changed by the options; null for presets that have a way of their own. */
export function pixelNumbers(preprocess: Preprocessing, chosen: Chosen): PixelNumbers | null {
  if (preprocess === "imagenet" || preprocess === "googlenet") {
    const { fit, invert, bgr, range, mean, std } = chosen;
    for (const [option, value] of Object.entries({ fit, invert, bgr, range, mean, std })) {
      if (value === undefined || value === false) continue;
      const got = `got it beside {preprocess} ${preprocess}`;
      throw new StudyError("usage", `{${option}}: expected beside {preprocess} unit or symmetric, ${got}`);
    }
    return null;
  }
  const { fit = "crop", invert = false, bgr = false, mean = [0], std = [1] } = chosen;
  const range = chosen.range ?? (preprocess === "unit" ? [0, 1] : [-1, 1]);
  if (range.length !== 2 || range[0] === range[1]) {
    throw new StudyError("usage", `{range}: expected two different numbers LO,HI, got ${range.join(",")}`);
  }
  if (std.includes(0))
    throw new StudyError("usage", `{std}: expected numbers other than 0, got ${std.join(",")}`);
  return { fit, invert, bgr, range: [range[0]!, range[1]!], mean, std };
}

/**
 * Numbers of an image, `[height, width, channels]`.
 *
 * @param pixels 0 is black and 1 is white, red first.
 */
export function asNumbers(
  pixels: Float32Array,
  channels: number,
  { invert, bgr, range: [black, white], mean, std }: PixelNumbers,
): Float32Array {
  for (const [option, values] of Object.entries({ mean, std })) {
    if (values.length !== 1 && values.length !== channels) {
      throw new StudyError("usage", `{${option}}: expected 1 or ${channels} numbers, got ${values.length}`);
    }
  }
  return pixels.map((_, place) => {
    const channel = place % channels;
    const value = pixels[bgr ? place - channel + (channels - 1 - channel) : place]!;
    const scaled = black + (white - black) * (invert ? 1 - value : value);
    return (scaled - (mean[channel] ?? mean[0]!)) / (std[channel] ?? std[0]!);
  });
}

/** A picture of this size, as `stretch` or `pad` makes it. */
export function fitted(
  picture: Picture,
  [height, width]: readonly [number, number],
  fit: "stretch" | "pad",
): Picture {
  if (fit === "stretch") return resizeImage(picture, [height, width]);
  const scale = Math.min(height / picture.height, width / picture.width);
  const inner = resizeImage(picture, [
    Math.max(1, Math.min(height, Math.round(picture.height * scale))),
    Math.max(1, Math.min(width, Math.round(picture.width * scale))),
  ]);
  const channels = inner.data.length / (inner.width * inner.height);
  const data = new Uint8Array(height * width * channels);
  const [top, left] = [Math.floor((height - inner.height) / 2), Math.floor((width - inner.width) / 2)];
  for (let y = 0; y < inner.height; y++) {
    const row = inner.data.subarray(y * inner.width * channels, (y + 1) * inner.width * channels);
    data.set(row, ((top + y) * width + left) * channels);
  }
  return { width, height, data };
}
