import * as fc from "fast-check";
import sharp from "sharp";
import { expect, test } from "vitest";
import { imageSource } from "../src/index.js";

const bytesOf = (href: string) => Buffer.from(href.slice(href.indexOf(",") + 1), "base64");

// Catches a wrong filter, checksum, length or order of channels: another decoder has to read every pixel.
test("a picture comes out of its data URL as it was, whatever its size and content", async () => {
  const pictures = fc.integer({ min: 1, max: 24 }).chain((width) =>
    fc.integer({ min: 1, max: 24 }).chain((height) =>
      fc.record({
        width: fc.constant(width),
        height: fc.constant(height),
        data: fc.oneof(
          fc.uint8Array({ minLength: 3 * width * height, maxLength: 3 * width * height }),
          // Slopes, which the filters are for.
          fc.nat(255).map((step) => Uint8Array.from({ length: 3 * width * height }, (_, i) => i * step)),
        ),
      }),
    ),
  );
  await fc.assert(
    fc.asyncProperty(pictures, async (picture) => {
      const { href, width, height } = imageSource(picture);
      expect(href.startsWith("data:image/png;base64,")).toBe(true);
      const { data, info } = await sharp(bytesOf(href)).raw().toBuffer({ resolveWithObject: true });
      expect([width, height, info.channels]).toEqual([info.width, info.height, 3]);
      expect(new Uint8Array(data)).toEqual(picture.data);
    }),
    { numRuns: 50 },
  );
});

test("the filters make a slope small, and a photograph's JPEG is taken as it is", () => {
  const [width, height] = [200, 100];
  const data = Uint8Array.from({ length: 3 * width * height }, (_, i) => (i % (3 * width)) / 3 + i / 600);
  expect(bytesOf(imageSource({ width, height, data }).href).length).toBeLessThan(data.length / 20);
  const jpeg = Uint8Array.of(0xff, 0xd8, 0xff);
  expect(imageSource({ width, height, data, jpeg }).href).toBe("data:image/jpeg;base64,/9j/");
});

test("a picture with too few bytes is refused", () => {
  expect(() => imageSource({ width: 2, height: 2, data: new Uint8Array(11) })).toThrow(
    new RangeError("imageSource: data: expected 12 bytes for 2 x 2 pixels, got 11"),
  );
});
