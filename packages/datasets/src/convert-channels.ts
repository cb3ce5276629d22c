import { expectOneOf } from "./expect-values.js";
import { expectPixels, type Pixels } from "./pixels.js";

/**
 * A picture in grey (1 channel) or colour (3). Grey is luma as ITU-R BT.601-2 has it, in the integers of PIL's
 * `convert("L")`: `(19595 R + 38470 G + 7471 B + 2^15) >> 16`. An alpha channel is left out, not blended; grey becomes
 * colour by repetition.
 *
 * @returns A new picture; its data is `[height, width, channels]`.
 * @throws {TypeError | RangeError} when `pixels` has not 1, 3 or 4 channels.
 * @see Recommendation ITU-R BT.601, https://www.itu.int/rec/R-REC-BT.601
 */
export function convertChannels(pixels: Pixels, channels: 1 | 3): Pixels & { readonly data: Uint8Array } {
  const from = expectPixels("convertChannels: pixels", pixels);
  expectOneOf("convertChannels: channels", channels, [1, 3]);
  const { width, height, data } = pixels;
  const result = new Uint8Array(width * height * channels);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const at = pixel * from;
    const to = pixel * channels;
    if (channels === 3) {
      for (let c = 0; c < 3; c++) result[to + c] = data[at + (from === 1 ? 0 : c)]!;
    } else if (from === 1) {
      result[to] = data[at]!;
    } else {
      result[to] = (19_595 * data[at]! + 38_470 * data[at + 1]! + 7_471 * data[at + 2]! + 32_768) >> 16;
    }
  }
  return { width, height, data: result };
}
