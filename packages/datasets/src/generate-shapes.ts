import { bernoulli, fillNormal, integer, type RandomStream, randomStream, uniform } from "@gradlab/random";
import type { Dataset } from "./dataset.js";
import { expectInteger, expectOneOf, expectWithin } from "./expect-values.js";
import { type Outline, shapeOutlines } from "./shape-outlines.js";

/** What `generateShapes` makes. All lengths are relative to the picture, so that every size shows the same scenes. */
export interface ShapesOptions {
  /** How many images. */
  readonly count: number;
  /** Seed of all images; 0 unless given. */
  readonly seed?: number;
  /** The index of the first image; 0 unless given. Images 0 … 1999 and 2000 … 2999 of a seed are a training and a test set. */
  readonly first?: number;
  /** Height and width in pixels, at least 16; 28 unless given. */
  readonly size?: number;
  /** How many of `shapeNames`, from the first on; 10 unless given, in [2, 16]. */
  readonly classes?: number;
  /** 1 for grey (the default) or 3 for red, green, blue. */
  readonly channels?: 1 | 3;
  /** The largest rotation to either side in degrees, in [0, 180]; 15 unless given. From 45 on, some classes look alike. */
  readonly rotation?: number;
  /** How far the centre may be from the middle, as a part of the size, in [0, 0.5]; 0.09 unless given. */
  readonly shift?: number;
  /** Smallest and largest radius of a shape as a part of the size, in [0.05, 1]; [0.24, 0.36] unless given. */
  readonly scale?: readonly [smallest: number, largest: number];
  /** The largest standard deviation of the noise, white = 1, in [0, 1]; 0.06 unless given. */
  readonly noise?: number;
  /** The largest number of pieces of clutter behind a shape; 2 unless given, in [0, 64]. */
  readonly clutter?: number;
  /** The probability that a shape is darker than its background, in [0, 1]; 0.1 unless given. */
  readonly inverted?: number;
}

/** The names of the classes of `generateShapes`, by label. */
export const shapeNames: readonly string[] = shapeOutlines.map(([name]) => name);

type Scene = Required<Omit<ShapesOptions, "count" | "first">>;

/**
 * Images of shapes and glyphs that need no file: solid shapes and strokes, anti-aliased, at random places, sizes,
 * angles and contrasts (brighter or darker than the background), over clutter, a gradient and noise.
 *
 * Image `i` depends on the options, the seed and `first + i` alone, not on `count`; its class is
 * `(first + i) mod classes`, so that every run of `classes` images has each class once.
 *
 * @returns `count · size² · channels` bytes of images.
 * @throws {TypeError | RangeError} when an option is not as stated.
 */
export function generateShapes(options: ShapesOptions): Dataset {
  const {
    count,
    first = 0,
    seed = 0,
    size = 28,
    classes = 10,
    channels = 1,
    rotation = 15,
    shift = 0.09,
    scale = [0.24, 0.36],
    noise = 0.06,
    clutter = 2,
    inverted = 0.1,
  } = options;
  expectInteger("generateShapes: count", count, 0);
  expectInteger("generateShapes: first", first, 0);
  expectInteger("generateShapes: seed", seed, 0);
  expectInteger("generateShapes: size", size, 16, 4096);
  expectInteger("generateShapes: classes", classes, 2, shapeNames.length);
  expectOneOf("generateShapes: channels", channels, [1, 3]);
  expectWithin("generateShapes: rotation", rotation, 0, 180);
  expectWithin("generateShapes: shift", shift, 0, 0.5);
  expectWithin("generateShapes: scale[0]", scale[0], 0.05, 1);
  expectWithin("generateShapes: scale[1]", scale[1], scale[0], 1);
  expectWithin("generateShapes: noise", noise, 0, 1);
  expectInteger("generateShapes: clutter", clutter, 0, 64);
  expectWithin("generateShapes: inverted", inverted, 0, 1);
  const scene = { seed, size, classes, channels, rotation, shift, scale, noise, clutter, inverted };
  const pixels = size * size * channels;
  const images = new Uint8Array(count * pixels);
  const labels = new Int32Array(count);
  const canvas = new Float32Array(pixels);
  const grain = new Float32Array(pixels);
  for (let i = 0; i < count; i++) {
    const stream = randomStream({ seed, purpose: "datasets/shapes", index: first + i });
    labels[i] = (first + i) % classes;
    paint(canvas, grain, labels[i]!, scene, stream);
    for (let p = 0; p < pixels; p++) {
      images[i * pixels + p] = Math.max(0, Math.min(255, Math.round(255 * canvas[p]!)));
    }
  }
  return { images, labels, shape: [size, size, channels], classes, count };
}

/** A number in [low, high), also where the two are equal. */
function between(stream: RandomStream, low: number, high: number): number {
  return low + (high - low) * uniform(stream);
}

/** One scene, in [0, 1] but for the noise. */
function paint(
  canvas: Float32Array,
  grain: Float32Array,
  label: number,
  scene: Scene,
  stream: RandomStream,
): void {
  const { size, channels, rotation, shift, scale, noise, clutter, inverted } = scene;
  const isDark = bernoulli(stream, inverted);
  const contrast = between(stream, 0.45, 0.85) * (isDark ? -1 : 1);
  const low = between(stream, 0.05, 0.95 - Math.abs(contrast));
  const ground = isDark ? low - contrast : low;
  // In colour, each channel is brighter or darker than the grey by up to 0.15: the contrast keeps its sign.
  const tint = (level: number) =>
    Array.from({ length: channels }, () => level + (channels === 1 ? 0 : between(stream, -0.15, 0.15)));

  const background = tint(ground);
  const slopeX = between(stream, -0.12, 0.12) / size;
  const slopeY = between(stream, -0.12, 0.12) / size;
  const middle = (size - 1) / 2;
  for (let y = 0, p = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const slope = slopeX * (x - middle) + slopeY * (y - middle);
      for (let c = 0; c < channels; c++) canvas[p++] = background[c]! + slope;
    }
  }

  const pieces = clutter === 0 ? 0 : integer(stream, 0, clutter + 1);
  for (let k = 0; k < pieces; k++) {
    const length = size * between(stream, 0.04, 0.16);
    const thickness = size * between(stream, 0.02, 0.05);
    const angle = between(stream, 0, Math.PI);
    const [x, y] = [between(stream, 0, size), between(stream, 0, size)];
    const color = tint(ground + contrast * between(stream, 0.3, 0.9));
    // A rod: a point along it is as far from its outline as from that of a disc that slides on its axis.
    const rod: Outline = (u, v) => {
      const over = Math.max(0, Math.abs(u) - length);
      return Math.sqrt(over * over + v * v) - thickness;
    };
    draw(canvas, size, channels, rod, color, placed(x, y, 1, 1, angle), length + thickness);
  }

  const radius = size * between(stream, scale[0], scale[1]);
  const aspect = between(stream, 0.85, 1.15);
  const angle = (Math.PI / 180) * between(stream, -rotation, rotation);
  const [x, y] = [0, 0].map(() => size * (0.5 + between(stream, -shift, shift))) as [number, number];
  const outline = shapeOutlines[label]![1];
  const color = tint(ground + contrast);
  draw(canvas, size, channels, outline, color, placed(x, y, radius * aspect, radius / aspect, angle), radius);

  const std = between(stream, 0.2 * noise, noise);
  fillNormal(stream, grain, 0, std);
  for (let p = 0; p < canvas.length; p++) canvas[p]! += grain[p]!;
}

/** Where and how a shape stands: `u = (cos · dx + sin · dy) / sx`, `v = (cos · dy - sin · dx) / sy`. */
interface Placement {
  readonly x: number;
  readonly y: number;
  readonly sx: number;
  readonly sy: number;
  readonly cos: number;
  readonly sin: number;
}

function placed(x: number, y: number, sx: number, sy: number, angle: number): Placement {
  return { x, y, sx, sy, cos: Math.cos(angle), sin: Math.sin(angle) };
}

/** Draws a shape; a pixel is covered as far as the outline, taken as straight, reaches into it. */
function draw(
  canvas: Float32Array,
  size: number,
  channels: number,
  outline: Outline,
  color: readonly number[],
  { x, y, sx, sy, cos, sin }: Placement,
  radius: number,
): void {
  const reach = 1.25 * radius + 1;
  const unit = Math.sqrt(sx * sy); // pixels per unit of the outline's distance
  const [top, bottom] = [Math.max(0, Math.floor(y - reach)), Math.min(size, Math.ceil(y + reach))];
  const [left, right] = [Math.max(0, Math.floor(x - reach)), Math.min(size, Math.ceil(x + reach))];
  for (let row = top; row < bottom; row++) {
    for (let column = left; column < right; column++) {
      const dx = column + 0.5 - x;
      const dy = row + 0.5 - y;
      const cover = 0.5 - unit * outline((cos * dx + sin * dy) / sx, (cos * dy - sin * dx) / sy);
      if (cover <= 0) continue;
      const p = (row * size + column) * channels;
      const alpha = Math.min(1, cover);
      for (let c = 0; c < channels; c++) canvas[p + c]! += alpha * (color[c]! - canvas[p + c]!);
    }
  }
}
