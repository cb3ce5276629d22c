import { effectiveFieldOverImage, fieldGrowth, imageRow, imageSource } from "@gradlab/figures";
import { type LayerGraph, parseNetwork, receptiveField } from "@gradlab/receptive-field";
import type { EffectiveField } from "@gradlab/receptive-field/measure";
import { check, type Picture, type Reached, reached, type StudyEvent, type Value } from "@gradlab/studies";
import { defineExperiment } from "../experiment.js";
import { type Photograph, photograph, pictureName } from "../photograph.js";

/** Every depth up to this one is measured, and the last of `depths`. */
const charted = 16;
const depths = [4, 8, 16, 32];

/** Two residual blocks of 3x3 convolutions, each behind a max-pool. */
const residual =
  "conv1 5/1 p2, pool1 2/2, a1 3/1 p1, a2 3/1 p1, sum1 = pool1 + a2, pool2 2/2, b1 3/1 p1, b2 3/1 p1, sum2 = pool2 + b2";

/** Networks whose units are found by gradients too: one in the middle, one at the border. */
const measured: readonly [name: string, spec: string, size: number, units: [number, number][]][] = [
  ["residual with max-pools", residual, 48, [[6, 6], [0, 11]]],
  ["the start of AlexNet", "conv1 11/4, pool1 3/2, conv2 5/1 p2", 99, [[5, 5], [0, 10]]],
  ["dilated", "a 3/1 p1, b 3/1 p2 d2, c 3/1 p4 d4", 31, [[15, 15], [0, 30]]],
  ["encoder and decoder", "a 3/2 p1, b 3/2 p1, deconv1 4/2 p1, c 3/1 p1", 32, [[8, 8], [0, 15]]],
  ["with holes", "a 1/4, b 3/2 p1:0 from input, c 1/2, ab = a + c, d 1/2, e 3/2 p1:0 from ab, de = d + e", 40, [[2, 2], [0, 4]]],
]; // biome-ignore format: a table

/** What a unit can see, and how little of it counts. */
export const effectiveFields = defineExperiment({
  id: "receptive-field/effective-field",
  title: "The part of the receptive field that counts",
  about:
    "The gradient of a unit says how much each pixel moves it (Luo, Li, Urtasun and Zemel, 2016). Behind n convolutions " +
    "whose weights are 1 it is the n-fold convolution of their window: binomial and trinomial coefficients. Its width " +
    "grows with √n while the receptive field grows with n, so that deep networks look at a shrinking part of what they " +
    "could see. And where it is not zero is the receptive field: of small networks, and of a residual one with max-pools " +
    "and random weights, every pixel that the arithmetic names is found, and no other (given are the first and last " +
    "row, the first and last column and the number of pixels).",
  usesBackend: true,
  async *run({ seed }, inputs, { signal }): AsyncGenerator<StudyEvent, EffectiveFields> {
    const { measureField } = await import("@gradlab/receptive-field/measure");
    const { imageOf, noiseImages, randomField, stackOfOnes } = await import("./measure-stacks.js");
    const stacks: EffectiveField[] = [];
    for (let depth = 1; depth <= charted; depth++) {
      signal.throwIfAborted();
      stacks.push(await stackOfOnes(depth, 3));
    }
    const deepest = await stackOfOnes(32, 3);
    const pairs = await stackOfOnes(6, 2);

    const boxes: EffectiveFields["boxes"][number][] = [];
    for (const [name, spec, size, units] of measured) {
      const graph = onImages(spec, size);
      const field = receptiveField(graph);
      const last = graph.layers.at(-1)!.name;
      for (const unit of units) {
        const { pixels, contributing } = reached(field, last, unit);
        const found = await measureField(graph, last, unit);
        boxes.push({
          name: `${name}, unit (${unit.join(", ")})`,
          known: [...pixels, contributing],
          got: [...found.pixels, found.contributing],
        });
      }
    }

    signal.throwIfAborted();
    const blocks = onImages(residual, 36);
    const seen = reached(receptiveField(blocks), "sum2", [4, 4]);
    // With 4 images one seed in ten misses a pixel, with 24 about one in a million.
    const noise = noiseImages(24, 36, seed);
    const random = await randomField(blocks, [4, 4], [noise], seed);
    noise.dispose();

    const photo = yield* photograph([64, 64], inputs, seed);
    const image = imageOf(photo.pixels);
    const overPhoto = await randomField(onImages(residual, 64), [8, 8], [image], seed);
    image.dispose();
    return { stacks, deepest, pairs, boxes, seen, random, photo, overPhoto };
  },
  checks: (record) => [
    check(
      "two layers of 3 × 3: the gradient at every pixel",
      outer([1, 2, 3, 2, 1]),
      scaled(ofDepth(record, 2), 9 ** 2),
      1e-5,
    ),
    check(
      "four layers of 3 × 3: columns added up, divided by 81",
      convolved([1, 1, 1], 4),
      profile(ofDepth(record, 4), 3 ** 4),
      1e-4,
    ),
    check(
      "six layers of 2 × 2: columns added up, divided by 64",
      [1, 6, 15, 20, 15, 6, 1],
      profile(record.pairs, 2 ** 6),
      1e-4,
    ),
    check(
      `standard deviation in pixels, ${depths.join(", ")} layers of 3 × 3: √(2n/3)`,
      depths.map((n) => Math.sqrt((2 * n) / 3)),
      depths.map((n) => deviation(ofDepth(record, n))),
      1e-4,
    ),
    check(
      `side of the square with half of the mass, ${depths.join(", ")} layers`,
      depths.map((n) => sideOfMass(convolved([1 / 3, 1 / 3, 1 / 3], n), 0.5)),
      depths.map((n) => sideOf(ofDepth(record, n), 0.5)),
    ),
    ...record.boxes.map(({ name, known, got }) => check(name, known, got)),
    check(
      "residual with max-pools, ReLU and random weights, 24 images, unit (4, 4)",
      [...record.seen.pixels, record.seen.contributing],
      [...extent(record.random), record.random.reached],
    ),
  ],
  figures: (record, { document }) => [
    {
      svg: imageRow(
        depths.map((n) => ({
          ...imageSource(asPicture(ofDepth(record, n))),
          caption: `${n} layers: ${2 * n + 1} × ${2 * n + 1}`,
          pixelated: true,
        })),
        { document, width: 720 },
      ),
      caption:
        "All of what one unit can see, behind 4, 8, 16 and 32 convolutions: the darker, the more a pixel moves it. The deeper the network, the smaller the part that counts.",
    },
    {
      svg: fieldGrowth(
        [
          { name: "can see", layers: record.stacks.map((_, i) => ({ name: `${i + 1}`, size: 2 * i + 3 })) },
          ...[0.99, 0.5].map((mass) => ({
            name: `${100 * mass} % within`,
            layers: record.stacks.map((field, i) => ({ name: `${i + 1}`, size: sideOf(field, mass) })),
          })),
        ],
        { document, depthLabel: "layers of 3 × 3" },
      ),
      caption:
        "The receptive field grows with the depth, the squares that hold 99 % and half of the gradient with its square root.",
    },
    {
      svg: effectiveFieldOverImage(
        { field: record.overPhoto, image: imageSource(record.photo.pixels) },
        { document },
      ),
      caption: `The middle unit of the residual network with random weights on ${pictureName(record.photo)}: it can see 32 × 32 of the 64 × 64 pixels. The brighter a pixel, the more it moves the unit; the squares hold shares of that.`,
    },
  ],
});

/** What was measured. */
interface EffectiveFields {
  /** Of 1, 2, … layers of 3 × 3. */
  readonly stacks: readonly EffectiveField[];
  /** Of 32 layers. */
  readonly deepest: EffectiveField;
  /** Of six layers of 2 × 2. */
  readonly pairs: EffectiveField;
  readonly boxes: readonly { readonly name: string; readonly known: Value; readonly got: Value }[];
  readonly seen: Reached;
  readonly random: EffectiveField;
  readonly photo: Photograph;
  readonly overPhoto: EffectiveField;
}

const ofDepth = ({ stacks, deepest }: EffectiveFields, depth: number) => stacks[depth - 1] ?? deepest;

const onImages = (spec: string, size: number): LayerGraph => ({
  ...parseNetwork(spec),
  input: { shape: [size, size] },
});

/** Every pair of numbers multiplied. */
const outer = (values: readonly number[]) => values.map((a) => values.map((b) => a * b));

/** The n-fold convolution of a window with itself: of `[1, 1]` binomial coefficients. */
function convolved(window: readonly number[], n: number): number[] {
  let result = [1];
  for (let i = 0; i < n; i++) {
    const next = new Array<number>(result.length + window.length - 1).fill(0);
    for (const [a, value] of result.entries()) {
      for (const [b, tap] of window.entries()) next[a + b]! += value * tap;
    }
    result = next;
  }
  return result;
}

/** The side of the square around the middle that holds a share of the mass of a profile times itself. */
function sideOfMass(profile: readonly number[], share: number): number {
  const middle = (profile.length - 1) / 2;
  for (let reach = 0; reach < middle; reach++) {
    const held = profile.slice(middle - reach, middle + reach + 1).reduce((sum, value) => sum + value, 0);
    if (held * held >= share) return 2 * reach + 1;
  }
  return profile.length;
}

/** Shares of the mass as multiples of the weight of one path. */
const scaled = ({ rows }: EffectiveField, paths: number) =>
  rows.map((row) => Array.from(row, (value) => value * paths));

/** Rows added up over their columns. */
const profile = ({ rows }: EffectiveField, paths: number) =>
  rows.map((row) => row.reduce((sum, value) => sum + value, 0) * paths);

function deviation(field: EffectiveField): number {
  const shares = profile(field, 1);
  const middle = (shares.length - 1) / 2;
  return Math.sqrt(shares.reduce((sum, share, y) => sum + share * (y - middle) ** 2, 0));
}

const sideOf = ({ contours }: EffectiveField, mass: number) =>
  contours.find((contour) => contour.mass === mass)?.side ?? null;

/** First and last row, first and last column with any mass. */
function extent({ rows }: EffectiveField): [Value, Value] {
  const ends = (lines: readonly boolean[]) => [lines.indexOf(true), lines.lastIndexOf(true)];
  return [
    ends(rows.map((row) => row.some((value) => value > 0))),
    ends(Array.from(rows[0]!, (_, column) => rows.some((row) => row[column]! > 0))),
  ];
}

const tints = [[236, 36], [240, 76], [249, 180]] as const; // biome-ignore format: red, green, blue

/** Blue on a pale ground, by the square root of the mass, which brings out the flanks. */
function asPicture({ rows }: EffectiveField): Picture {
  const strongest = Math.max(...rows.map((row) => Math.max(...row)));
  const side = rows.length;
  const data = new Uint8Array(3 * side * side);
  for (const [at, value] of rows.flatMap((row) => [...row]).entries()) {
    const strength = Math.sqrt(value / strongest);
    for (const [i, [pale, full]] of tints.entries()) {
      data[3 * at + i] = Math.round(pale + strength * (full - pale));
    }
  }
  return { width: side, height: side, data };
}
