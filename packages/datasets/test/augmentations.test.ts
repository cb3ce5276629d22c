import { randomStream } from "@gradlab/random";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type Augmentation,
  adjustImage,
  compose,
  cropImage,
  cutOut,
  flipImage,
  type Image,
  imageNetMoments,
  normalize,
  normalizeImage,
  randomAdjustment,
  randomCrop,
  randomCutout,
  randomFlip,
  randomTransform,
  transformImage,
} from "../src/index.js";

const image = (shape: [number, number, number], ...data: number[]): Image => ({
  data: Float32Array.from(data),
  shape,
});

/** Pixel (y, x) of channel c is 100 c + 10 y + x. */
const counted = (height: number, width: number, channels = 1): Image =>
  image(
    [height, width, channels],
    ...Array.from({ length: height * width * channels }, (_, i) => {
      const pixel = Math.floor(i / channels);
      return 100 * (i % channels) + 10 * Math.floor(pixel / width) + (pixel % width);
    }),
  );

const anyImage = fc
  .record({
    height: fc.integer({ min: 1, max: 7 }),
    width: fc.integer({ min: 1, max: 7 }),
    channels: fc.constantFrom(1, 3),
    seed: fc.nat(250),
  })
  .map(({ height, width, channels, seed }) => ({
    data: Float32Array.from({ length: height * width * channels }, (_, i) => ((i * 37 + seed) % 256) / 255),
    shape: [height, width, channels] as const,
  }));

const stream = (index = 0) => randomStream({ seed: 0, purpose: "test", index });

test("augmentations without effect give the image back, and leave their argument as it was", () => {
  const still: Augmentation[] = [
    randomCrop({ padding: 0 }),
    randomFlip(0),
    randomTransform({}),
    randomAdjustment({}),
    normalize({ mean: 0, std: 1 }),
    compose(),
  ];
  fc.assert(
    fc.property(anyImage, (one) => {
      const before = one.data.slice();
      for (const augment of still) expect(augment(one, stream())).toEqual(one);
      expect(flipImage(flipImage(one))).toEqual(one);
      const [height, width] = one.shape;
      expect(cropImage(one, { top: 0, left: 0, height, width })).toEqual(one);
      expect(cutOut(one, { top: height, left: 0, height: 3, width })).toEqual(one);
      randomCutout({ size: 2 })(one, stream());
      randomFlip(1)(one, stream());
      adjustImage(one, { brightness: 0.5, contrast: 0.5 });
      expect(one.data).toEqual(before);
    }),
    { numRuns: 40 },
  );
});

test("a crop takes what lies in the rectangle, and fill outside the image", () => {
  const two = counted(2, 3, 2);
  expect(cropImage(two, { top: 0, left: 1, height: 2, width: 2 })).toEqual(
    image([2, 2, 2], 1, 101, 2, 102, 11, 111, 12, 112),
  );
  expect(cropImage(counted(2, 3), { top: -1, left: 2, height: 3, width: 2 }, 7)).toEqual(
    image([3, 2, 1], 7, 7, 2, 7, 12, 7),
  );
  for (const [top, left] of [
    [5, 0],
    [-9, 0],
    [0, 5],
    [0, -9],
  ] as const) {
    expect(cropImage(counted(2, 3), { top, left, height: 1, width: 2 }, 7).data).toEqual(
      Float32Array.of(7, 7),
    );
  }
});

test("a mirror exchanges left and right, pixel by pixel and not channel by channel", () => {
  expect(flipImage(counted(2, 3, 2))).toEqual(
    image([2, 3, 2], 2, 102, 1, 101, 0, 100, 12, 112, 11, 111, 10, 110),
  );
});

test("a translation by whole pixels is a crop, to the right and down", () => {
  const one = counted(4, 5, 3);
  expect(transformImage(one, { translate: [2, -1], fill: 3 })).toEqual(
    cropImage(one, { top: 1, left: -2, height: 4, width: 5 }, 3),
  );
});

test("quarter turns of a square only move pixels, clockwise", () => {
  const square = image([2, 2, 1], 1, 2, 3, 4);
  expect(transformImage(square, { angle: 90 })).toEqual(image([2, 2, 1], 3, 1, 4, 2));
  expect(transformImage(square, { angle: 180 })).toEqual(image([2, 2, 1], 4, 3, 2, 1));
  expect(transformImage(square, { angle: -90 })).toEqual(transformImage(square, { angle: 270 }));
  const odd = counted(3, 3, 3);
  const turned = [1, 2, 3, 4].reduce((made) => transformImage(made, { angle: 90 }), odd);
  expect(turned).toEqual(odd);
});

test("a transformed plane is the transformed formula: bilinear interpolation is exact on planes", () => {
  // f(x, y) = 0.3 x - 0.2 y + 1 around the centre; wrong centres, directions, orders of rotation and translation,
  // and a scale applied the wrong way round fail here.
  const [height, width] = [15, 19];
  const f = (x: number, y: number) => 0.3 * x - 0.2 * y + 1;
  const data = Array.from({ length: height * width }, (_, i) =>
    f((i % width) - 9, Math.floor(i / width) - 7),
  );
  const plane = image([height, width, 1], ...data);
  const [angle, scale, translate] = [25, 1.4, [1.25, -0.5]] as const;
  const moved = transformImage(plane, { angle, scale, translate, fill: 99 });
  const [cos, sin] = [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)];
  let compared = 0;
  for (let y = -7; y <= 7; y++) {
    for (let x = -9; x <= 9; x++) {
      const got = moved.data[(y + 7) * width + x + 9]!;
      // Forwards: u = R^-1 (p - t) / s, so p = s R u + t with R = [cos -sin; sin cos].
      const [dx, dy] = [(x - translate[0]) / scale, (y - translate[1]) / scale];
      const [u, v] = [cos * dx + sin * dy, -sin * dx + cos * dy];
      if (Math.abs(u) > 9 || Math.abs(v) > 7) continue; // from outside, or mixed with it
      // Values reach 5: single precision rounds the pixels and the result by 2^-22 each.
      expect(Math.abs(got - f(u, v))).toBeLessThan(1e-6);
      compared++;
    }
  }
  expect(compared).toBeGreaterThan(150);
});

test("an enlargement moves pixels away from the centre; outside, fill comes in by parts", () => {
  expect(transformImage(image([1, 4, 1], 0, 1, 2, 3), { scale: 2 }).data).toEqual(
    Float32Array.of(0.75, 1.25, 1.75, 2.25),
  );
  expect(transformImage(image([1, 2, 1], 1, 1), { translate: [0.25, 0] }).data).toEqual(
    Float32Array.of(0.75, 1),
  );
});

test("brightness multiplies, contrast stretches around the mean, both within [0, 1]", () => {
  const one = image([1, 2, 2], 0, 0.25, 0.5, 0.75);
  expect(adjustImage(one, { brightness: 2 }).data).toEqual(Float32Array.of(0, 0.5, 1, 1));
  expect(adjustImage(one, { contrast: 2 }).data).toEqual(Float32Array.of(0, 0.125, 0.625, 1));
  expect(adjustImage(one, { contrast: 0 }).data).toEqual(new Float32Array(4).fill(0.375));
  // Brightness first: 0, 0.5, 1, 1 with mean 0.625.
  expect(adjustImage(one, { brightness: 2, contrast: 0.5 }).data).toEqual(
    Float32Array.of(0.3125, 0.5625, 0.8125, 0.8125),
  );
});

test("a cutout covers its rectangle in all channels and no more", () => {
  expect(cutOut(counted(3, 3, 2), { top: 1, left: 2, height: 5, width: 5 }, -1)).toEqual(
    image([3, 3, 2], 0, 100, 1, 101, 2, 102, 10, 110, 11, 111, -1, -1, 20, 120, 21, 121, -1, -1),
  );
  expect(cutOut(counted(2, 2), { top: -1, left: -1, height: 2, width: 2 }, 5).data).toEqual(
    Float32Array.of(5, 1, 10, 11),
  );
});

test("normalisation takes mean and standard deviation of the channel", () => {
  expect(normalizeImage(image([1, 2, 2], 1, 2, 3, 4), { mean: [1, 2], std: [2, 4] }).data).toEqual(
    Float32Array.of(0, 0, 1, 0.5),
  );
  const black = normalizeImage(image([1, 1, 3], 0, 0, 0), imageNetMoments).data;
  // (0 - 0.485) / 0.229 and so on, to single precision.
  for (const [c, value] of [-2.1179039, -2.0357143, -1.8044444].entries()) {
    expect(Math.abs(black[c]! - value)).toBeLessThan(3e-7);
  }
});

test("random crops reach every place equally often, flips the given share", () => {
  // 1000 draws over 9 places: chi square of 8 degrees of freedom exceeds 26.1 once in a thousand.
  const crop = randomCrop({ padding: 1 });
  const places = new Map<string, number>();
  let flips = 0;
  for (let i = 0; i < 1000; i++) {
    const at = crop(counted(4, 4), stream(i)).data.join();
    places.set(at, (places.get(at) ?? 0) + 1);
    if (randomFlip(0.3)(counted(1, 2), stream(i)).data[0] === 1) flips++;
  }
  expect(places.size).toBe(9);
  const chiSquare = [...places.values()].reduce((sum, n) => sum + (n - 1000 / 9) ** 2 / (1000 / 9), 0);
  expect(chiSquare).toBeLessThan(26.1);
  expect(Math.abs(flips - 300)).toBeLessThan(4 * Math.sqrt(1000 * 0.3 * 0.7));
  expect(randomCrop({ padding: 0, size: [2, 3] })(counted(4, 4), stream()).shape).toEqual([2, 3, 1]);
});

test("random transforms, adjustments and cutouts stay in their ranges and fill them", () => {
  const point = image([1, 9, 1], 0, 0, 0, 0, 1, 0, 0, 0, 0);
  const where: number[] = [];
  const bright: number[] = [];
  const covered: number[] = [];
  for (let i = 0; i < 400; i++) {
    const { data } = randomTransform({ translate: 1 / 3 })(point, stream(i));
    // Bilinear: the centre of mass moves with the point; the vertical part takes mass from a single row.
    where.push(data.reduce((sum, x, at) => sum + x * (at - 4), 0) / data.reduce((sum, x) => sum + x));
    bright.push(randomAdjustment({ brightness: 0.4 })(image([1, 1, 1], 0.5), stream(i)).data[0]!);
    covered.push(
      randomCutout({ size: 4, fill: 1 })(image([6, 6, 1], ...new Float32Array(36)), stream(i)).data.reduce(
        (sum, x) => sum + x,
      ),
    );
  }
  for (const [values, low, high] of [
    [where, -3, 3],
    [bright, 0.3, 0.7],
  ] as const) {
    expect(Math.min(...values)).toBeGreaterThanOrEqual(low - 1e-6);
    expect(Math.max(...values)).toBeLessThanOrEqual(high + 1e-6);
    // The extremes of 400 draws are within 2 % of the ends but once in 400 times two.
    expect(Math.max(...values) - Math.min(...values)).toBeGreaterThan(0.96 * (high - low));
  }
  // A corner of the square of 4 at least stays inside: 2 x 2 at the upper left, 3 x 3 at the lower right.
  expect([Math.min(...covered), Math.max(...covered)]).toEqual([4, 16]);
});

test("composed augmentations go one after another, from one stream", () => {
  const crop = randomCrop({ padding: 2 });
  const flip = randomFlip();
  const one = counted(3, 4);
  for (let i = 0; i < 10; i++) {
    const source = stream(i);
    const byHand = flip(crop(one, source), source);
    expect(compose(crop, flip)(one, stream(i))).toEqual(byHand);
  }
});

test("ranges that are none are refused when the augmentation is made, sizes that do not fit when it is used", () => {
  const refused: [() => unknown, Error][] = [
    [() => randomFlip(1.5), new RangeError("randomFlip: probability: expected a number in [0, 1], got 1.5")],
    [
      () => randomCrop({ padding: -1 }),
      new RangeError("randomCrop: padding: expected an integer in [0, 1048576], got -1"),
    ],
    [
      () => randomCrop({ padding: 1, size: [7, 3] })(counted(4, 4), stream()),
      new RangeError(
        "randomCrop: image height + 2 padding - size[0]: expected an integer at least 0, got -1",
      ),
    ],
    [
      () => randomTransform({ scale: [2, 1] }),
      new RangeError("randomTransform: scale[1]: expected a number in [2, 1000000], got 1"),
    ],
    [
      () => randomAdjustment({ contrast: 2 }),
      new RangeError("randomAdjustment: contrast: expected a number in [0, 1], got 2"),
    ],
    [
      () => randomCutout({ size: 0 }),
      new RangeError("randomCutout: size: expected an integer in [1, 1048576], got 0"),
    ],
    [
      () => compose(randomFlip(), 3 as never),
      new TypeError("compose: augmentations[1]: expected a function, got 3"),
    ],
    [
      () => normalizeImage(counted(1, 1, 3), { mean: [0, 0], std: 1 }),
      new RangeError(
        "normalizeImage: mean: expected a number, or one for each of 3 channels, got an array of length 2",
      ),
    ],
    [
      () => normalizeImage(counted(1, 1), { mean: 0, std: 0 }),
      new RangeError("normalizeImage: std[0]: expected a positive number, got 0"),
    ],
    [
      // positive, but not in single precision
      () => normalizeImage(counted(1, 1), { mean: 0, std: 1e-50 }),
      new RangeError("normalizeImage: std[0]: expected a positive number, got 1e-50"),
    ],
    [
      () => normalizeImage(counted(1, 1), { mean: Number.NaN, std: 1 }),
      new RangeError("normalizeImage: mean[0]: expected a finite number, got NaN"),
    ],
    [
      () => cropImage(counted(2, 2), { top: 0, left: 0, height: 1, width: 1 }, Number.NaN),
      new RangeError("cropImage: fill: expected a finite number, got NaN"),
    ],
    [
      () => cutOut(counted(2, 2), undefined as never),
      new TypeError("cutOut: rectangle: expected {top, left, height, width}, got undefined"),
    ],
    [
      () => transformImage(counted(2, 2), { translate: 1 as never }),
      new TypeError("transformImage: translate: expected [x, y], got 1"),
    ],
    [
      () => flipImage({ data: new Float32Array(3), shape: [1, 2, 1] }),
      new RangeError("flipImage: image.data: expected 2 numbers, got Float32Array of length 3"),
    ],
    [
      () => cropImage(counted(2, 2), { top: 0.5, left: 0, height: 1, width: 1 }),
      new RangeError("cropImage: rectangle.top: expected an integer in [-2147483648, 2147483648], got 0.5"),
    ],
    [
      () => transformImage(counted(2, 2), { scale: 0 }),
      new RangeError("transformImage: scale: expected a number in [0.000001, 1000000], got 0"),
    ],
  ];
  for (const [call, error] of refused) expect(call).toThrow(error);
});
