import { expectWithin } from "./expect-values.js";
import { expectImage, type Image } from "./image.js";

/** How light and shade are changed. */
export interface Adjustment {
  /** Factor of every value, at least 0; 1 unless given. */
  readonly brightness?: number;
  /** Factor of every value's distance from the mean of the image, at least 0; 1 unless given. */
  readonly contrast?: number;
}

/**
 * Brightness, then contrast: `x ← b x`, then `x ← m + c (x - m)` with the mean `m` of the image (over all channels),
 * each cut off to [0, 1].
 *
 * Unlike torchvision's `ColorJitter`, the mean is that of all channels, not of the luma.
 *
 * @param image Values in [0, 1]: adjust before you normalise.
 * @returns A new image.
 * @throws {TypeError | RangeError} when a factor is negative or not finite.
 */
export function adjustImage(image: Image, adjustment: Adjustment = {}): Image {
  expectImage("adjustImage: image", image);
  const { brightness = 1, contrast = 1 } = adjustment;
  expectWithin("adjustImage: brightness", brightness, 0, Number.MAX_VALUE);
  expectWithin("adjustImage: contrast", contrast, 0, Number.MAX_VALUE);
  const clamp = (x: number) => Math.max(0, Math.min(1, x));
  const data = image.data.map((x) => clamp(brightness * x));
  if (contrast === 1) return { data, shape: image.shape };
  const mean = data.reduce((sum, x) => sum + x, 0) / data.length;
  return { data: data.map((x) => clamp(mean + contrast * (x - mean))), shape: image.shape };
}
