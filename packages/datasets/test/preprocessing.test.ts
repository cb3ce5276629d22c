import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  centerCrop,
  convertChannels,
  datasetFromPixels,
  type Pixels,
  preprocessImageNet,
  resizeImage,
} from "../src/index.js";

interface Picture {
  readonly size: [height: number, width: number];
  readonly data: number[];
}

const golden: {
  readonly picture: { readonly height: number; readonly width: number };
  readonly grey: Picture;
  readonly resize: {
    readonly to: number | [number, number];
    readonly pil: Picture;
    readonly tensor: Picture;
  }[];
  readonly centerCrop: (Picture & { readonly to: [number, number] })[];
  readonly preprocess: {
    readonly resize: number;
    readonly crop: number;
    readonly pil: number[];
    readonly tensor: number[];
  };
} = JSON.parse(readFileSync(new URL("golden/preprocessing.json", import.meta.url), "utf8"));

/** The picture of the golden script. */
function closedForm(): Pixels & { data: Uint8Array } {
  const { height, width } = golden.picture;
  const data = Uint8Array.from({ length: height * width * 3 }, (_, i) => {
    const [c, x, y] = [i % 3, Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    return y % 3 === 0 ? 255 * ((x + c) % 2) : (x * x * 3 + y * 7 + x * y + c * 50) % 256;
  });
  return { height, width, data };
}

const expected = ({ size: [height, width], data }: Picture): Pixels => ({
  width,
  height,
  data: Uint8Array.from(data),
});

test.each(golden.resize)(
  "a picture resized to $to is PIL's to the last bit, torchvision's to one level",
  ({ to, pil, tensor }) => {
    const got = resizeImage(closedForm(), to);
    expect(got).toEqual(expected(pil));
    // The tensor path keeps fractions between the axes: each of the two roundings moves a value by at most 1/2, and the
    // last one to an integer.
    const differences = tensor.data.map((value, i) => Math.abs(value - got.data[i]!));
    expect(tensor.size).toEqual([got.height, got.width]);
    expect(Math.max(...differences)).toBeLessThanOrEqual(1);
  },
);

test("grey is PIL's to the last bit; alpha is left out; grey becomes colour by repetition", () => {
  const color = closedForm();
  const grey = convertChannels(color, 1);
  expect(grey).toEqual(expected(golden.grey));
  const pixels = color.width * color.height;
  const withAlpha = Uint8ClampedArray.from({ length: 4 * pixels }, (_, i) =>
    i % 4 === 3 ? i % 256 : color.data[3 * Math.floor(i / 4) + (i % 4)]!,
  );
  expect(convertChannels({ ...color, data: withAlpha }, 3)).toEqual(color);
  expect(convertChannels({ ...color, data: withAlpha }, 1)).toEqual(grey);
  expect(convertChannels(grey, 1)).toEqual(grey);
  expect(convertChannels(convertChannels(grey, 3), 1)).toEqual(grey);
});

test.each(golden.centerCrop)(
  "the middle $to is torchvision's, with its border where the picture is too small",
  (one) => {
    expect(centerCrop(expected(golden.grey), one.to)).toEqual(expected(one));
  },
);

test("the input of a network is torchvision's: PIL's way exactly, the tensor way within 1/255", () => {
  const { pil, tensor, ...options } = golden.preprocess;
  const { data, shape } = preprocessImageNet(closedForm(), options);
  expect(shape).toEqual([options.crop, options.crop, 3]);
  // Printed with 9 digits, which say a single-precision number exactly.
  expect(data).toEqual(Float32Array.from(pil));
  const std = [0.229, 0.224, 0.225];
  for (const [i, value] of tensor.entries()) {
    // 1/255 before the normalisation, and the rounding of numbers up to 3.
    expect(Math.abs(value - data[i]!) * std[i % 3]!).toBeLessThan(1 / 255 + 1e-6);
  }
  const plain = preprocessImageNet(closedForm(), { ...options, moments: null }).data;
  const crop = centerCrop(resizeImage(closedForm(), 12), [9, 9]);
  expect(plain).toEqual(Float32Array.from(crop.data, (byte) => byte / 255));
});

test("a picture of one colour keeps it at any size, and an axis of the same length is left alone", () => {
  // Weights that do not add up to 1 shift the grey.
  const side = fc.integer({ min: 1, max: 40 });
  fc.assert(
    fc.property(side, side, side, side, fc.nat(255), (height, width, toHeight, toWidth, grey) => {
      const flat = { height, width, data: new Uint8Array(height * width).fill(grey) };
      const got = resizeImage(flat, [toHeight, toWidth]);
      expect(got).toEqual({
        height: toHeight,
        width: toWidth,
        data: new Uint8Array(toHeight * toWidth).fill(grey),
      });
    }),
    { numRuns: 100 },
  );
  const one = closedForm();
  const same = resizeImage(one, [one.height, one.width]);
  expect(same).toEqual(one);
  expect(same.data.buffer).not.toBe(one.data.buffer);
});

test("pictures with labels are a data set", () => {
  const red: Pixels = { width: 2, height: 1, data: Uint8Array.of(255, 0, 0, 9, 1, 2, 3, 9) };
  const grey: Pixels = { width: 2, height: 1, data: Uint8Array.of(5, 6) };
  expect(datasetFromPixels([red, grey], [1, 0])).toEqual({
    images: Uint8Array.of(255, 0, 0, 1, 2, 3, 5, 5, 5, 6, 6, 6),
    labels: Int32Array.of(1, 0),
    shape: [1, 2, 3],
    classes: 2,
    count: 2,
  });
  // (19595 · 255 + 2^15) >> 16 = 76, the luma of red.
  expect(datasetFromPixels([red], [1], { channels: 1, classes: 4 })).toMatchObject({
    images: Uint8Array.of(76, 2),
    classes: 4,
  });
});

test("pictures that are none, labels out of range and unequal sizes are refused by name", () => {
  const one: Pixels = { width: 2, height: 1, data: Uint8Array.of(5, 6) };
  const tall: Pixels = { width: 1, height: 2, data: Uint8Array.of(5, 6) };
  const refused: [() => unknown, Error][] = [
    [
      () => resizeImage({ width: 2, height: 2, data: new Uint8Array(8) }, 3),
      new RangeError(
        "resizeImage: pixels.data: expected 1, 3 or 4 bytes for each of 2 x 2 pixels, got Uint8Array of length 8",
      ),
    ],
    [() => resizeImage(one, 0), new RangeError("resizeImage: size: expected an integer at least 1, got 0")],
    [
      () => resizeImage(one, [1, 2.5]),
      new RangeError("resizeImage: size[1]: expected an integer at least 1, got 2.5"),
    ],
    [
      () => centerCrop(one, [0, 1]),
      new RangeError("centerCrop: size[0]: expected an integer at least 1, got 0"),
    ],
    [
      () => resizeImage(one, undefined as never),
      new TypeError("resizeImage: size: expected a number or [height, width], got undefined"),
    ],
    [
      () => centerCrop(one, 224 as never),
      new TypeError("centerCrop: size: expected [height, width], got 224"),
    ],
    [
      () => preprocessImageNet({ ...one, width: 0 }),
      new RangeError("preprocessImageNet: pixels.width: expected an integer at least 1, got 0"),
    ],
    [
      () => convertChannels(one, 2 as 1),
      new RangeError("convertChannels: channels: expected one of 1, 3, got 2"),
    ],
    [
      () => datasetFromPixels([one, tall], [0, 1]),
      new RangeError("datasetFromPixels: pictures[1]: expected 1 x 2 pixels as in pictures[0], got 2 x 1"),
    ],
    [
      () => datasetFromPixels([one], [0, 1]),
      new RangeError("datasetFromPixels: labels: expected 1 labels, got an array of length 2"),
    ],
    [
      () => datasetFromPixels([one], [3], { classes: 3 }),
      new RangeError("datasetFromPixels: labels[0]: expected an integer in [0, 2], got 3"),
    ],
    [
      () => datasetFromPixels([one], [0], { classes: -1 }),
      new RangeError("datasetFromPixels: classes: expected an integer in [1, 2147483647], got -1"),
    ],
    [
      () => datasetFromPixels([null as never], [0]),
      new TypeError("datasetFromPixels: pictures[0]: expected {width, height, data}, got null"),
    ],
    [
      () => datasetFromPixels([], []),
      new TypeError(
        "datasetFromPixels: pictures: expected an array of at least one picture, got an array of length 0",
      ),
    ],
  ];
  for (const [call, error] of refused) expect(call).toThrow(error);
});
