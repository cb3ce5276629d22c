import { expect, test } from "vitest";
import { mapPicture } from "../src/networks/map-picture.js";

const mapOf = (height: number, width: number, value: (y: number, x: number) => number) => ({
  layer: "a",
  image: 0,
  shape: [1, height, width] as [number, number, number],
  values: Float32Array.from({ length: height * width }, (_, i) => value(Math.floor(i / width), i % width)),
});

test("a map of more than 64 places along a side is shown as means of squares, those at the edge of what is there", () => {
  // 100 x 65 places come to 50 x 33; columns alternate between 1 and 0, the last one stands alone.
  const { width, height, data } = mapPicture(
    mapOf(100, 65, (_, x) => (x % 2 === 0 ? 1 : 0)),
    1,
  );
  expect([height, width]).toEqual([50, 33]);
  const blue = (x: number) => [...data.subarray(3 * x, 3 * x + 3)];
  // White is 255, 255, 255 and 1 is 44, 82, 178: the mean lies in the middle.
  expect(blue(0)).toEqual([150, 169, 217]);
  expect(blue(32)).toEqual([44, 82, 178]);
});

test("a small map is enlarged, pixel by pixel", () => {
  const { width, height, data } = mapPicture(
    mapOf(2, 2, (y, x) => (y === x ? -1 : 0)),
    1,
  );
  expect([height, width]).toEqual([24, 24]);
  expect([...data.subarray(0, 3)]).toEqual([232, 135, 30]);
  expect([...data.subarray(3 * 12, 3 * 13)]).toEqual([255, 255, 255]);
});
