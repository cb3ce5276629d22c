/** Convolutions and both of their gradients by the companion module, for any window of up to three axes. */
import { allocate, allocateZeros, type BackendWasm, sizeOf, type TensorInfo } from "../heap.js";
import type { SlidingWindow } from "../window.js";
import { type Companion, job } from "./companion.js";
import { MACS } from "./multiply.js";
import { align, withMemory } from "./with-memory.js";

const ROWS_OF_TASK = 96;
const COLUMNS_OF_TASK = 128;
/** As in `assembly/convolution.ts` and `assembly/filter-gradient.ts`. */
const K_BLOCK = 512;
const WIDEN_ROWS = 32;
const GRADIENT_COLUMNS = 128;
const POINTED_CHANNELS = 16;
const ADDED_OF_TASK = 1024;
const TILE_BYTES = 192;
/** What is read beyond the last number under a tap. */
const BEYOND = 8;

/** Tables of pointers for the rows of a task. */
function rowScratch(taps: number, inner: number): number {
  const entries = Math.ceil(ROWS_OF_TASK / 4);
  return TILE_BYTES + entries * 24 * Math.min(taps, Math.max(1, Math.floor(K_BLOCK / inner)));
}

interface Places {
  readonly x: number;
  readonly filter: number;
  readonly y: number;
  readonly packed: number;
  readonly zeros: number;
  readonly bias: number;
}

interface Cuts {
  readonly activation: number;
  readonly rowsOfTask: number;
  readonly rowTasks: number;
  readonly tapsOfTask: number;
  readonly pixelsOfBlock: number;
  readonly columnTasks: number;
  readonly phases: number;
  readonly phaseCount: number;
  readonly inner: number;
  readonly parts: number;
  readonly partAt: number;
}

export const RECORD_BYTES = 176;

/** The record `Convolution` of `assembly/convolution.ts`. */
export function record(
  window: SlidingWindow,
  outChannels: number,
  places: Places,
  cuts: Partial<Cuts>,
): number[] {
  const { batch, channels, image, output, taps, stride, dilation, before } = window;
  const { activation = 0, rowTasks = 0, tapsOfTask = 0, pixelsOfBlock = 0, columnTasks = 0 } = cuts;
  const { phases = 0, phaseCount = 0, rowsOfTask = ROWS_OF_TASK } = cuts;
  const { inner = channels, parts = 1, partAt = 0 } = cuts;
  const { x, filter, y, packed, zeros, bias } = places;
  return [
    ...[batch, ...image, channels, ...output, outChannels],
    ...[taps[0] * taps[1] * taps[2], taps[1], taps[2]],
    ...[...stride, ...dilation, ...before],
    ...[x, filter, y, packed, zeros, bias],
    ...[activation, rowsOfTask, COLUMNS_OF_TASK, rowTasks],
    ...[tapsOfTask, pixelsOfBlock, columnTasks, phases, phaseCount, inner, parts, partAt],
  ];
}

const tapsOf = ({ taps }: SlidingWindow) => taps[0] * taps[1] * taps[2];
const outputsOf = ({ batch, output }: SlidingWindow) => batch * output[0] * output[1] * output[2];

/** Microseconds of one thread. */
const workOf = (window: SlidingWindow, outChannels: number): number =>
  (outputsOf(window) * tapsOf(window) * window.channels * outChannels) / MACS;

/** A convolution whose taps are whole rows: what stands under one is in a piece, after the images were made wider. */
interface RowsOfTaps {
  readonly window: SlidingWindow;
  /** Numbers under a row of taps. */
  readonly inner: number;
  /** Of the wider images; 0 where none need be wider. */
  readonly bytes: number;
}

/** Fewer channels than this are too short a loop for each tap. */
const ROW_CHANNELS = 16;

function rowsOfTaps(window: SlidingWindow): RowsOfTaps {
  const { batch, channels, image, output, taps, stride, before } = window;
  const right = Math.max(0, (output[2] - 1) * stride[2] + taps[2] - before[2] - image[2]);
  const width = before[2] + image[2] + right;
  return {
    window: {
      ...window,
      image: [image[0], image[1], width],
      taps: [taps[0], taps[1], 1],
      before: [before[0], before[1], 0],
    },
    inner: taps[2] * channels,
    bytes: width === image[2] ? 0 : (batch * image[0] * image[1] * width * channels + BEYOND) * 4,
  };
}

/** Makes images wider with zeros on both sides, with the record at `at`, which is free again afterwards. */
function widen(
  companion: Companion,
  {
    window,
    wide,
    x,
    at,
    to,
  }: Readonly<Record<"x" | "at" | "to", number>> & {
    readonly window: SlidingWindow;
    readonly wide: SlidingWindow;
  },
): void {
  const { batch, channels, image, before } = window;
  const rowTasks = batch * image[0] * image[1];
  const places = { x: to, y: x, filter: 0, packed: 0, zeros: 0, bias: 0 };
  companion.write(at, record({ ...wide, output: image, before }, channels, places, { rowTasks }));
  const elements = rowTasks * image[2] * channels;
  companion.run(job.widen, at, Math.ceil(rowTasks / WIDEN_ROWS), 0, 0, elements / 2000);
}

/** @returns `activation(convolution + bias)`, in the shape `outShape`; the caller releases it. */
export function convolve(
  backend: BackendWasm,
  companion: Companion,
  x: TensorInfo,
  filter: TensorInfo,
  outShape: number[],
  window: SlidingWindow,
  { bias, activation = 0 }: { readonly bias?: TensorInfo | undefined; readonly activation?: number } = {},
): TensorInfo {
  const outChannels = outShape.at(-1)!;
  const out = allocate(backend, outShape);
  const byRows = window.channels < ROW_CHANNELS && window.taps[2] > 1 && window.dilation[2] === 1;
  const {
    window: seen,
    inner,
    bytes,
  } = byRows ? rowsOfTaps(window) : { window, inner: window.channels, bytes: 0 };
  const taps = tapsOf(seen);
  const scratchBytes = align(rowScratch(taps, inner));
  const panels = Math.ceil(outChannels / 8);
  withMemory(
    companion,
    [RECORD_BYTES, (inner + BEYOND) * 4, panels * taps * inner * 32, bytes, scratchBytes * companion.threads],
    (at, zeros, packed, wide, scratch) => {
      const rowTasks = Math.ceil(outputsOf(window) / ROWS_OF_TASK);
      const image = backend.getMemoryOffset(x.dataId);
      if (bytes > 0) widen(companion, { window, wide: seen, x: image, at: at!, to: wide! });
      const places = {
        x: bytes > 0 ? wide! : image,
        filter: backend.getMemoryOffset(filter.dataId),
        y: backend.getMemoryOffset(out.dataId),
        packed: packed!,
        zeros: zeros!,
        bias: bias === undefined ? 0 : backend.getMemoryOffset(bias.dataId),
      };
      companion.write(zeros!, new Uint32Array(inner + BEYOND));
      companion.write(at!, record(seen, outChannels, places, { activation, rowTasks, inner }));
      const elements = taps * inner * outChannels;
      companion.run(job.packFilter, at!, panels, scratch!, scratchBytes, elements / 1000);
      const columnTasks = Math.ceil(outChannels / COLUMNS_OF_TASK);
      const work = workOf(window, outChannels);
      companion.run(job.convolve, at!, rowTasks * columnTasks, scratch!, scratchBytes, work);
    },
  );
  return out;
}

/** Tasks that there should be at least, of any number of threads: the bits may not depend on it. */
const FEWEST_TASKS = 16;

/** @returns The gradient of the filter, `[taps, channels, outChannels]` in the shape `filterShape`. */
export function filterGradient(
  backend: BackendWasm,
  companion: Companion,
  x: TensorInfo,
  dy: TensorInfo,
  filterShape: number[],
  window: SlidingWindow,
): TensorInfo {
  if (sizeOf(dy.shape) === 0 || sizeOf(x.shape) === 0) return allocateZeros(backend, filterShape);
  const out = allocate(backend, filterShape);
  if (sizeOf(filterShape) === 0) return out;
  if (window.channels < 4 && window.dilation[2] === 1)
    gradientByRows(backend, companion, { x, dy, out, window });
  else gradientByTaps(backend, companion, { x, dy, out, window });
  return out;
}

interface FilterGradient {
  readonly x: TensorInfo;
  readonly dy: TensorInfo;
  readonly out: TensorInfo;
  readonly window: SlidingWindow;
}

/** Where there are few channels: products of what stands under a row of taps, as it stands there. */
function gradientByRows(
  backend: BackendWasm,
  companion: Companion,
  { x, dy, out, window }: FilterGradient,
): void {
  const outChannels = out.shape.at(-1)!;
  const { window: seen, inner, bytes } = rowsOfTaps(window);
  const taps = tapsOf(seen);
  const parts = Math.min(FEWEST_TASKS, seen.batch * seen.output[0] * seen.output[1]);
  const partBytes = (outChannels + 5) * taps * eights(inner) * 4;
  const sizes = [RECORD_BYTES, bytes, partBytes * parts, TILE_BYTES * companion.threads];
  withMemory(companion, sizes, (at, wide, partAt, scratch) => {
    const image = backend.getMemoryOffset(x.dataId);
    if (bytes > 0) widen(companion, { window, wide: seen, x: image, at: at!, to: wide! });
    const places = {
      x: bytes > 0 ? wide! : image,
      filter: backend.getMemoryOffset(out.dataId),
      y: backend.getMemoryOffset(dy.dataId),
      packed: 0,
      zeros: 0,
      bias: 0,
    };
    companion.write(at!, record(seen, outChannels, places, { inner, parts, partAt: partAt! }));
    const work = workOf(window, outChannels);
    companion.run(job.filterRows, at!, parts, scratch!, TILE_BYTES, work);
    companion.run(job.addRowParts, at!, taps, 0, 0, (sizeOf(out.shape) * parts) / 1000);
  });
}

function gradientByTaps(
  backend: BackendWasm,
  companion: Companion,
  { x, dy, out, window }: FilterGradient,
): void {
  const outChannels = out.shape.at(-1)!;
  const { channels } = window;
  const taps = tapsOf(window);
  const pointed = channels >= POINTED_CHANNELS;
  // Few channels: several taps make a product of a useful width, best of all taps of a row, which are neighbours.
  const rowOfTaps = window.taps[2];
  const tapsOfTask = pointed ? 1 : Math.min(taps, Math.ceil(24 / channels / rowOfTaps) * rowOfTaps);
  const rows = tapsOfTask * channels;
  const pixelsOfBlock = Math.max(32, Math.min(K_BLOCK, Math.floor((pointed ? 2 ** 17 : 2 ** 15) / rows)));
  const columnTasks = Math.ceil(outChannels / GRADIENT_COLUMNS);
  const tasks = Math.ceil(taps / tapsOfTask) * columnTasks;
  const blocks = Math.ceil(outputsOf(window) / pixelsOfBlock);
  const parts = Math.min(blocks, Math.ceil(FEWEST_TASKS / tasks));
  const elements = sizeOf(out.shape);
  const ofPixel = rows + 5 + (pointed ? 1 : rows);
  const scratchBytes = align(TILE_BYTES + pixelsOfBlock * ofPixel * 4);
  withMemory(
    companion,
    [
      RECORD_BYTES,
      (channels + BEYOND) * 4,
      outputsOf(window) * eights(outChannels) * 4,
      parts > 1 ? elements * parts * 4 : 0,
      scratchBytes * companion.threads,
    ],
    (at, zeros, packed, partAt, scratch) => {
      const places = {
        x: backend.getMemoryOffset(x.dataId),
        filter: backend.getMemoryOffset(out.dataId),
        y: backend.getMemoryOffset(dy.dataId),
        packed: packed!,
        zeros: zeros!,
        bias: 0,
      };
      const cuts = { tapsOfTask, pixelsOfBlock, columnTasks, parts, partAt: partAt! };
      companion.write(zeros!, new Uint32Array(channels + BEYOND));
      companion.write(at!, record(window, outChannels, places, cuts));
      companion.run(job.packGradient, at!, blocks, 0, 0, sizeOf(dy.shape) / 1000);
      const work = workOf(window, outChannels);
      companion.run(job.filterGradient, at!, tasks * parts, scratch!, scratchBytes, work);
      if (parts === 1) return;
      companion.run(job.addParts, at!, Math.ceil(elements / ADDED_OF_TASK), 0, 0, (elements * parts) / 4000);
    },
  );
}

interface Phase {
  /** First pixel, and how many pixels, on each axis. */
  readonly begin: readonly number[];
  readonly count: readonly number[];
  readonly taps: readonly number[];
}

/** All pixels with the same remainder by the stride on each axis, and the taps that reach them. */
function phasesOf({ image, taps, stride, dilation, before }: SlidingWindow): Phase[] {
  const axes = ([0, 1, 2] as const).map((axis) =>
    Array.from({ length: Math.min(stride[axis], image[axis]) }, (_, begin) => ({
      begin,
      count: Math.ceil((image[axis] - begin) / stride[axis]),
      taps: Array.from({ length: taps[axis] }, (_, tap) => tap).filter(
        (tap) => (begin + before[axis] - tap * dilation[axis]) % stride[axis] === 0,
      ),
    })),
  );
  const [slices, rows, columns] = axes as [(typeof axes)[0], (typeof axes)[0], (typeof axes)[0]];
  return slices.flatMap((z) =>
    rows.flatMap((y) =>
      columns.map((x) => ({
        begin: [z.begin, y.begin, x.begin],
        count: [z.count, y.count, x.count],
        taps: z.taps.flatMap((kd) =>
          y.taps.flatMap((ky) => x.taps.map((kx) => (kd * taps[1] + ky) * taps[2] + kx)),
        ),
      })),
    ),
  );
}

/**
 * Nanoseconds: to multiply and add, to find what stands under a tap of a pixel, to add up a number of a patch. Of the
 * shape of one image alone, so that its bits do not depend on how many there are.
 */
const cost = { product: 1 / 22, point: 4, add: 0.5 };

const eights = (columns: number) => Math.ceil(columns / 8) * 8;

/** Whether to compute patches and to add them up, rather than to gather from `dy` for each pixel. */
function isCheaperSpread(
  { channels, image, output, taps, stride }: SlidingWindow,
  outChannels: number,
): boolean {
  const size = (axes: readonly number[]) => axes.reduce((product, n) => product * n, 1);
  // A pixel is under one of so many taps only.
  const pairs = (size(image) * size(taps)) / size(stride);
  const gathered = pairs * (eights(channels) * outChannels * cost.product + cost.point);
  const columns = size(taps) * channels;
  const patches = size(output) * (eights(columns) * outChannels * cost.product + columns * cost.add);
  return patches < gathered;
}

/** As in `assembly/spread.ts`. */
const SPREAD_OUTPUTS = 24;

/** The input gradient as patches that are added up, into `out`. */
function spread(
  backend: BackendWasm,
  companion: Companion,
  dy: TensorInfo,
  filter: TensorInfo,
  out: TensorInfo,
  window: SlidingWindow,
): void {
  const outChannels = filter.shape.at(-1)!;
  const columns = tapsOf(window) * window.channels;
  const panels = Math.ceil(columns / 8);
  const scratchBytes = align(256 + (SPREAD_OUTPUTS + 4) * panels * 32);
  const bytes = [RECORD_BYTES, panels * outChannels * 32, scratchBytes * companion.threads];
  withMemory(companion, bytes, (at, packed, scratch) => {
    const [x, y] = [backend.getMemoryOffset(out.dataId), backend.getMemoryOffset(dy.dataId)];
    const places = {
      x,
      y,
      filter: backend.getMemoryOffset(filter.dataId),
      packed: packed!,
      zeros: 0,
      bias: 0,
    };
    const images = Math.max(1, Math.floor(SPREAD_OUTPUTS / (outputsOf(window) / window.batch)));
    companion.write(at!, record(window, outChannels, places, { rowsOfTask: images }));
    companion.run(job.packSpread, at!, panels, scratch!, scratchBytes, (columns * outChannels) / 1000);
    companion.run(
      job.spread,
      at!,
      Math.ceil(window.batch / images),
      scratch!,
      scratchBytes,
      workOf(window, outChannels),
    );
  });
}

/** On each axis, the output that sees the first pixel of a phase through a tap; the stride divides its place. */
function firstOutput(
  { taps, stride, dilation, before }: SlidingWindow,
  { begin }: Phase,
  tap: number,
): number[] {
  const row = Math.floor(tap / taps[2]);
  const places = [Math.floor(row / taps[1]), row % taps[1], tap % taps[2]];
  return places.map((k, axis) => (begin[axis]! + before[axis]! - k * dilation[axis]!) / stride[axis]!);
}

const PHASE_WORDS = 11;

/** @returns The gradient of the image, in the shape `inShape`. */
export function inputGradient(
  backend: BackendWasm,
  companion: Companion,
  dy: TensorInfo,
  filter: TensorInfo,
  inShape: number[],
  window: SlidingWindow,
): TensorInfo {
  if (sizeOf(dy.shape) === 0 || sizeOf(filter.shape) === 0) return allocateZeros(backend, inShape);
  const outChannels = filter.shape.at(-1)!;
  const { channels } = window;
  const out = allocate(backend, inShape);
  if (sizeOf(inShape) === 0) return out;
  if (isCheaperSpread(window, outChannels)) {
    spread(backend, companion, dy, filter, out, window);
    return out;
  }
  const phases = phasesOf(window);
  const panels = Math.ceil(channels / 8);
  const mostTaps = Math.max(1, ...phases.map(({ taps }) => taps.length));
  const entries = Math.ceil(ROWS_OF_TASK / 4);
  const group = Math.min(mostTaps, Math.max(1, Math.floor(K_BLOCK / outChannels)));
  const scratchBytes = align(TILE_BYTES + ROWS_OF_TASK * 4 + entries * 24 * group);
  const listed = phases.reduce((sum, { taps }) => sum + taps.length, 0);
  withMemory(
    companion,
    [
      RECORD_BYTES,
      outChannels * 4,
      phases.length * PHASE_WORDS * 4,
      listed * 16,
      listed * panels * outChannels * 32,
      scratchBytes * companion.threads,
    ],
    (at, zeros, phaseAt, lists, packed, scratch) => {
      const places = {
        x: backend.getMemoryOffset(out.dataId),
        filter: backend.getMemoryOffset(filter.dataId),
        y: backend.getMemoryOffset(dy.dataId),
        packed: packed!,
        zeros: zeros!,
        bias: 0,
      };
      const columnTasks = Math.ceil(channels / COLUMNS_OF_TASK);
      let [before, tasks] = [0, 0];
      const words = phases.flatMap(({ begin, count, taps }) => {
        const rowTasks = Math.ceil((window.batch * count[0]! * count[1]! * count[2]!) / ROWS_OF_TASK);
        const list = lists! + before * 16;
        const panelsAt = packed! + before * panels * outChannels * 32;
        const words = [...begin, ...count, taps.length, list, panelsAt, tasks, rowTasks];
        before += taps.length;
        tasks += rowTasks * columnTasks;
        return words;
      });
      companion.write(zeros!, new Uint32Array(outChannels));
      companion.write(phaseAt!, words);
      companion.write(
        lists!,
        phases.flatMap((phase) => phase.taps.flatMap((tap) => [tap, ...firstOutput(window, phase, tap)])),
      );
      const cuts = { phases: phaseAt!, phaseCount: phases.length };
      companion.write(at!, record(window, outChannels, places, cuts));
      companion.run(
        job.packTurned,
        at!,
        phases.length * panels,
        scratch!,
        scratchBytes,
        (listed * panels * outChannels * 8) / 1000,
      );
      companion.run(job.inputGradient, at!, tasks, scratch!, scratchBytes, workOf(window, outChannels));
    },
  );
  return out;
}
