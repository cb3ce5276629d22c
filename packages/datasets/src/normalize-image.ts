import { expectFinite, rangeMismatch } from "./expect-argument.js";
import { expectPositive } from "./expect-values.js";
import { expectImage, type Image } from "./image.js";

/** Mean and standard deviation of every channel, or one number for all. */
export interface Moments {
  readonly mean: number | readonly number[];
  readonly std: number | readonly number[];
}

/** The moments of ImageNet's training images in [0, 1], red, green, blue, that torchvision's weights expect. */
export const imageNetMoments: Moments = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/**
 * `(x - mean) / std`, channel by channel, in single precision.
 *
 * @returns A new image.
 * @throws {TypeError | RangeError} when there is not one mean and one positive standard deviation per channel.
 */
export function normalizeImage(image: Image, moments: Moments): Image {
  return normalizeFor("normalizeImage", image, moments);
}

/** @param caller The function that was called: it begins the messages. */
export function normalizeFor(caller: string, image: Image, { mean, std }: Moments): Image {
  expectImage(`${caller}: image`, image);
  const { data, shape } = image;
  const channels = shape[2];
  const means = perChannel(`${caller}: mean`, mean, channels);
  const stds = perChannel(`${caller}: std`, std, channels, expectPositive);
  const result = new Float32Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const channel = i % channels;
    result[i] = Math.fround(data[i]! - means[channel]!) / stds[channel]!;
  }
  return { data: result, shape };
}

function perChannel(
  where: string,
  value: number | readonly number[],
  channels: number,
  expectOne: (where: string, one: unknown) => void = expectFinite,
): Float32Array {
  const values = typeof value === "number" ? Array.from({ length: channels }, () => value) : value;
  if (!Array.isArray(values) || values.length !== channels) {
    throw rangeMismatch(where, `a number, or one for each of ${channels} channels`, value);
  }
  for (const [i, one] of values.entries()) expectOne(`${where}[${i}]`, one);
  return Float32Array.from(values);
}
