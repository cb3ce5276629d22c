/**
 * Measures every number of `src/costs.ts` on this machine, and what the choices that follow from them lose to the
 * fastest way. `npm run costs` runs it, each provider in a process of its own.
 */
import * as tf from "@tensorflow/tfjs-core";
import { type Companion, companionOf } from "../src/companion/companion.js";
import { convolve, inputGradient } from "../src/companion/convolution.js";
import { multiplyAt } from "../src/companion/multiply.js";
import { costs } from "../src/costs.js";
import { allocate, type BackendWasm, floats, release, type TensorInfo } from "../src/heap.js";
import { addPatches } from "../src/kernels/conv-backprop-input.js";
import { multiplyMatrices } from "../src/kernels/mat-mul.js";
import { anyPatches, flatPatches, type Patches } from "../src/kernels/patches.js";
import { addColumns, convolveByTaps, gatherColumns } from "../src/kernels/tap-products.js";
import { transposeMatrices } from "../src/transpose-matrices.js";
import type { SlidingWindow } from "../src/window.js";

export type Provider = keyof typeof costs;

export interface MeasureOptions {
  /** How often everything is timed: the best time counts, for other work on a machine only makes it slower. */
  readonly rounds?: number;
  /** Milliseconds of one timing. */
  readonly least?: number;
}

/** Nanoseconds of a call. */
type Time = (task: () => void) => number;

function timer({ rounds = 9, least = 4 }: MeasureOptions): Time {
  return (task) => {
    const timeOf = (calls: number) => {
      const begin = performance.now();
      for (let i = 0; i < calls; i++) task();
      return performance.now() - begin;
    };
    let calls = 1;
    while (timeOf(calls) < least) calls *= 2;
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < rounds; round++) best = Math.min(best, timeOf(calls) / calls);
    return best * 1e6;
  };
}

const sizeOf = (axes: readonly number[]) => axes.reduce((product, n) => product * n, 1);

/** Square images under a square window with "same" padding. */
export function windowOf(
  batch: number,
  image: number,
  channels: number,
  taps: number,
  stride = 1,
): SlidingWindow {
  const output = Math.ceil(image / stride);
  const before = Math.max(0, (output - 1) * stride + taps - image) >> 1;
  return {
    ...{ batch, channels, image: [1, image, image], output: [1, output, output], taps: [1, taps, taps] },
    ...{ stride: [1, stride, stride], dilation: [1, 1, 1], before: [0, before, before] },
  };
}

function filled(backend: BackendWasm, ...shape: number[]): TensorInfo {
  const x = allocate(backend, shape);
  floats(backend, x).forEach((_, i, values) => {
    values[i] = Math.sin(i);
  });
  return x;
}

/** The numbers of one table changed while `run` runs. */
export function changed<T>(provider: Provider, changes: Readonly<Record<string, number>>, run: () => T): T {
  const table: Record<string, number> = costs[provider];
  const before = { ...table };
  Object.assign(table, changes);
  try {
    return run();
  } finally {
    Object.assign(table, before);
  }
}

const always = -1e15;
const never = 1e15;

/** @returns What was measured, by the names of the table. */
export function measureCosts(
  provider: Provider,
  backend: BackendWasm,
  options: MeasureOptions = {},
): Readonly<Record<string, number>> {
  const time = timer(options);
  return provider === "composition" ? compositionCosts(backend, time) : companionCosts(backend, time);
}

function compositionCosts(backend: BackendWasm, time: Time): Record<keyof typeof costs.composition, number> {
  const multiply = (m: number, k: number, n: number) => {
    const [a, b, out] = [filled(backend, m, k), filled(backend, k, n), allocate(backend, [m, n])];
    const pair = [{ a: 0, b: 0, out: 0 }];
    const taken = time(() => multiplyMatrices(backend, a, b, out, [m, k, n], pair));
    release(backend, a, b, out);
    return taken;
  };
  const square = 256 * 256;
  const product = (multiply(512, 256, 256) - multiply(64, 256, 256)) / (448 * square);
  const packOf = (n: number) => multiply(8, n, n) / (n * n) - 8 * product;

  const matrix = filled(backend, 512, 512);
  const transpose = time(() => release(backend, transposeMatrices(backend, matrix))) / (512 * 512);

  // What stands under a tap in the middle of a picture, its places, and the columns of as many channels.
  const channels = 32;
  const picture = filled(backend, 28, 28, channels);
  const inside = Array.from({ length: 26 * 26 }, (_, i) => (Math.floor(i / 26) + 1) * 28 + (i % 26) + 1);
  const positions = Int32Array.from(inside);
  const columns = allocate(backend, [channels, inside.length]);
  const [from, to] = [floats(backend, picture), floats(backend, columns)];
  const moved = inside.length * channels;
  const gather = time(() => gatherColumns(from, positions, channels, to)) / moved;
  const add = time(() => addColumns(to, positions, channels, from)) / moved;

  const [pixel, filter] = [filled(backend, 1, 3, 3, 1), filled(backend, 3, 3, 1, 1)];
  const nine = windowOf(1, 3, 1, 3);
  const tap = time(() => release(backend, convolveByTaps(backend, pixel, filter, [1, 3, 3, 1], nine))) / 9;

  /** Of patches that are added up, with a row of so many numbers. */
  const perRow = (channels: number) => {
    const window = windowOf(1, 28, channels, 3);
    const patches = new Float32Array(28 * 28 * 9 * channels);
    const image = new Float32Array(28 * 28 * channels);
    return time(() => addPatches(patches, image, window, [0, 1])) / (28 * 28 * 3);
  };
  const [shortRow, longRow] = [perRow(1), perRow(64)];
  const row = shortRow - (longRow - shortRow) / 63;

  const written = (patches: Patches, window: SlidingWindow) => {
    const rows = new Float32Array(sizeOf(window.taps) * window.channels * patches.columns);
    return time(() => patches.writeRows(rows, 0, 1)) / rows.length;
  };
  const source = new Float32Array(64 * 64 * 8);
  const inRows = (image: number) => {
    const window = windowOf(1, image, 8, 3);
    return written(
      anyPatches(() => source, window),
      window,
    );
  };
  // For a number: in a row of so many the beginning of a row is shared by so many.
  const [narrow, wide] = [inRows(8), inRows(64)];
  const copyRow = (narrow - wide) / (1 / 8 - 1 / 64);
  const plane = windowOf(1, 64, 8, 3);
  const flat = flatPatches(
    () => source,
    () => source,
    plane,
    8,
  );
  const measured = {
    ...{ product, transpose, pack: packOf(256), packUncached: packOf(2048), gather, add, row, tap },
    ...{
      cached: cachedUpTo(packOf),
      copyPlane: written(flat, plane),
      copyInRow: wide - copyRow / 64,
      copyRow,
    },
  };
  release(backend, matrix, picture, columns, pixel, filter);
  return measured;
}

/** The elements of the largest square operand whose packing takes less than half again as long as of a small one. */
function cachedUpTo(packOf: (n: number) => number): number {
  const small = packOf(256);
  const sides = [512, 724, 1024, 1448, 2048];
  const beyond = sides.findIndex((n) => packOf(n) > 1.5 * small);
  return beyond === -1 ? 2048 ** 2 : beyond === 0 ? 256 ** 2 : sides[beyond - 1]! ** 2;
}

function companionCosts(backend: BackendWasm, time: Time): Record<keyof typeof costs.companion, number> {
  const companion = companionOf(backend)!;
  const alone = <T>(run: () => T) => changed("companion", { worth: never }, run);
  const multiply = (m: number, k: number, n: number, changes: Readonly<Record<string, number>> = {}) => {
    const [a, b, out] = [filled(backend, m, k), filled(backend, k, n), allocate(backend, [m, n])];
    const [aAt, bAt, outAt] = [a, b, out].map(({ dataId }) => backend.getMemoryOffset(dataId));
    const task = () => multiplyAt(companion, { m, n, k, a: aAt!, b: bAt!, out: outAt! });
    const taken = changed("companion", changes, () => time(task));
    release(backend, a, b, out);
    return taken;
  };
  const [one, five] = alone(() => [multiply(96, 256, 256), multiply(480, 256, 256)] as const);
  const product = (five - one) / (384 * 256 * 256);
  const pack = one / (256 * 256) - 96 * product;

  const pooled = tf.randomNormal([8, 32, 32, 32]) as tf.Tensor4D;
  const pool = alone(() => time(() => tf.maxPool(pooled, 3, 1, "valid").dispose()));
  const touch = pool / (8 * 30 * 30 * 32 * 9);
  pooled.dispose();

  // Eight channels each: few products for each place that is looked for.
  const image = windowOf(1, 28, 8, 3);
  const gathered = alone(() => gradientTime(backend, companion, image, 8, "gathered", time));
  const point = gathered / (28 * 28 * 9) - 64 * product;

  const measured = { product, pack, touch, point };
  if (companion.threads === 1) throw new Error("measure-costs: worth: expected two threads, got 1");
  /** The first product that two threads finish before one does, in nanoseconds of one. */
  const worthOf = () => {
    for (const k of [4, 8, 16, 24, 32, 48, 64, 96, 128, 256]) {
      const work = alone(() => multiply(192, k, 64));
      if (multiply(192, k, 64, { worth: 0 }) < work) return work;
    }
    return Number.POSITIVE_INFINITY;
  };
  /** The first of the rows from which on the first way is the faster one. */
  const rows = [2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 20, 24, 28, 32, 48, 64];
  const faster = (m: number, first: Readonly<Record<string, number>>, second: typeof first) =>
    alone(() => multiply(m, 512, 512, first) < multiply(m, 512, 512, second));
  const panels = { packFrom: 0, thinUpTo: 0 };
  const where = { packFrom: never, thinUpTo: 0 };
  const thin = { packFrom: never, thinUpTo: never };
  const packFrom = rows.find((m) => m > 6 && faster(m, panels, where)) ?? Number.POSITIVE_INFINITY;
  const thinUpTo = rows.findLast((m) => m < 24 && faster(m, thin, where)) ?? 0;
  const channelsOfTap =
    [4, 8, 12, 16, 24, 32].find((channels) =>
      alone(() => {
        const at = (channelsOfTap: number) =>
          changed("companion", { channelsOfTap }, () =>
            forwardTime(backend, companion, windowOf(16, 28, channels, 3), 32, time),
          );
        return at(0) < at(never);
      }),
    ) ?? Number.POSITIVE_INFINITY;
  return { ...measured, worth: worthOf(), packFrom, thinUpTo, channelsOfTap };
}

function forwardTime(
  backend: BackendWasm,
  companion: Companion,
  window: SlidingWindow,
  outChannels: number,
  time: Time,
): number {
  const { batch, channels, image, output, taps } = window;
  const x = filled(backend, batch, ...image, channels);
  const filter = filled(backend, ...taps, channels, outChannels);
  const outShape = [batch, ...output, outChannels];
  const taken = time(() => release(backend, convolve(backend, companion, x, filter, outShape, window)));
  release(backend, x, filter);
  return taken;
}

/** The companion's gradient of the image in one of its two ways. */
function gradientTime(
  backend: BackendWasm,
  companion: Companion,
  window: SlidingWindow,
  outChannels: number,
  way: "spread" | "gathered",
  time: Time,
): number {
  const { batch, channels, image, output, taps } = window;
  const dy = filled(backend, batch, ...output, outChannels);
  const filter = filled(backend, ...taps, channels, outChannels);
  const shape = [batch, ...image, channels];
  const task = () => release(backend, inputGradient(backend, companion, dy, filter, shape, window));
  const taken = changed("companion", { point: way === "spread" ? never : always }, () => time(task));
  release(backend, dy, filter);
  return taken;
}

export interface MeasuredChoice {
  readonly name: string;
  /** Milliseconds of each way. */
  readonly ways: Readonly<Record<string, number>>;
  /** Milliseconds of what the table chooses. */
  readonly chosen: number;
}

/** Layers of LeNet, ResNet-18, a VGG and a GoogLeNet, shallow and deep: batch, image, channels, taps, stride, filters. */
export const layers: readonly (readonly [number, number, number, number, number, number])[] = [
  [16, 28, 1, 5, 1, 6],
  [16, 14, 6, 5, 1, 16],
  [4, 48, 3, 7, 2, 64],
  [4, 24, 64, 3, 1, 64],
  [4, 24, 64, 3, 2, 128],
  [4, 6, 256, 3, 1, 256],
  [4, 3, 512, 3, 1, 512],
  [4, 24, 32, 1, 1, 64],
  [4, 12, 96, 5, 1, 32],
  [1, 32, 16, 3, 1, 16],
];

/** Ways are forced by prices that no real one has. */
export const ways = {
  composition: {
    forward: { whole: { tap: never }, taps: { tap: always } },
    inputGradient: {
      convolved: { tap: never, row: never },
      spread: { tap: never, row: always },
      taps: { tap: always },
    },
    filterGradient: { whole: { tap: never }, taps: { tap: always } },
  },
  companion: { inputGradient: { gathered: { point: always }, spread: { point: never } } },
} as const;

/** Only at stride 1 is the gradient of the image a convolution of `dy`. */
export const isThere = (way: string, stride: number): boolean => way !== "convolved" || stride === 1;

/** What the choices by the table lose, on layers of well-known networks. */
export function measureChoices(provider: Provider, options: MeasureOptions = {}): readonly MeasuredChoice[] {
  const time = timer(options);
  return layers.flatMap(([batch, size, channels, taps, stride, filters]) => {
    const x = tf.randomNormal([batch, size, size, channels]);
    const filter = tf.randomNormal([taps, taps, channels, filters]);
    const dy = tf.randomNormal([batch, Math.ceil(size / stride), Math.ceil(size / stride), filters]);
    const attrs = { strides: [stride, stride], pad: "same", dataFormat: "NHWC", dilations: [1, 1] };
    const runs: Readonly<Record<string, () => void>> = {
      forward: () => run("Conv2D", { x, filter }, attrs),
      inputGradient: () => run("Conv2DBackpropInput", { dy, filter }, { ...attrs, inputShape: x.shape }),
      filterGradient: () => run("Conv2DBackpropFilter", { x, dy }, { ...attrs, filterShape: filter.shape }),
    };
    const choices = Object.entries(ways[provider]).map(([part, forced]) => {
      const task = runs[part]!;
      const there = Object.entries(forced).filter(([way]) => isThere(way, stride));
      const times = there.map(([way, prices]) => [
        way,
        changed(provider, prices as Record<string, number>, () => time(task)) / 1e6,
      ]);
      const name = `${part} ${batch}x${size}x${size}x${channels}, ${taps}x${taps} / ${stride}, ${filters}`;
      return { name, ways: Object.fromEntries(times), chosen: time(task) / 1e6 };
    });
    tf.dispose([x, filter, dy]);
    return choices;
  });
}

function run(name: string, inputs: tf.NamedTensorMap, attrs: object): void {
  // A new weight in every call, as in training, so that nothing that was packed for the last one can be used.
  const given = Object.fromEntries(Object.entries(inputs).map(([key, tensor]) => [key, tf.mul(tensor, 1)]));
  tf.dispose([tf.engine().runKernel(name, given, attrs as tf.NamedAttrMap), ...Object.values(given)]);
}
