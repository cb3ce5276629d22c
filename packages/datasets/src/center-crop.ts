import { typeMismatch } from "./expect-argument.js";
import { expectInteger } from "./expect-values.js";
import { expectPixels, type Pixels } from "./pixels.js";

/** Python's `round`: halves go to the even neighbour. */
function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  return x - floor === 0.5 ? floor + (floor % 2) : Math.round(x);
}

/**
 * Cuts `[height, width]` out of the middle. Where the rest is odd, the cut starts at the even one of the two middle
 * places, and where the picture is too small it gets a black border (the odd pixel right and below): both as
 * torchvision's `CenterCrop` does.
 *
 * @returns A new picture with as many channels.
 * @throws {TypeError | RangeError} when `pixels` is not a picture or the size not positive.
 */
export function centerCrop(
  pixels: Pixels,
  size: readonly [height: number, width: number],
): Pixels & { readonly data: Uint8Array } {
  const channels = expectPixels("centerCrop: pixels", pixels);
  if (!Array.isArray(size)) throw typeMismatch("centerCrop: size", "[height, width]", size);
  const [height, width] = size;
  expectInteger("centerCrop: size[0]", height, 1);
  expectInteger("centerCrop: size[1]", width, 1);
  // Where the picture is larger, how much is left out before the cut; where smaller, minus the border before it.
  // The picture with its border is as large as the cut, so that nothing is left to cut along that axis.
  const offset = (from: number, to: number) =>
    from < to ? -Math.floor((to - from) / 2) : roundHalfEven((from - to) / 2);
  const top = offset(pixels.height, height);
  const left = offset(pixels.width, width);
  const data = new Uint8Array(height * width * channels);
  const from = Math.max(0, left);
  const to = Math.min(pixels.width, left + width);
  for (let y = 0; y < height; y++) {
    const row = y + top;
    if (row < 0 || row >= pixels.height) continue;
    const start = row * pixels.width;
    data.set(
      pixels.data.subarray((start + from) * channels, (start + to) * channels),
      (y * width + from - left) * channels,
    );
  }
  return { width, height, data };
}
