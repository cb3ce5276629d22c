/** Convolutions and their input gradients by the companion module, for any window of up to three axes. */
import { costs } from "../costs.js";
import { allocate, allocateZeros, type BackendWasm, sizeOf, type TensorInfo } from "../heap.js";
import type { SlidingWindow } from "../window.js";
import { type Companion, job } from "./companion.js";
import {
  BEYOND,
  COLUMNS_OF_TASK,
  eights,
  K_BLOCK,
  outputsOf,
  RECORD_BYTES,
  ROWS_OF_TASK,
  record,
  TILE_BYTES,
  tapsOf,
  workOf,
} from "./convolution-record.js";
import { rowsOfTaps, widen } from "./rows-of-taps.js";
import { align, withMemory } from "./with-memory.js";

/** Tables of pointers for the rows of a task. */
function rowScratch(taps: number, inner: number): number {
  const entries = Math.ceil(ROWS_OF_TASK / 4);
  return TILE_BYTES + entries * 24 * Math.min(taps, Math.max(1, Math.floor(K_BLOCK / inner)));
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
  const byRows =
    window.channels < costs.companion.channelsOfTap && window.taps[2] > 1 && window.dilation[2] === 1;
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
      companion.run(job.packFilter, at!, panels, scratch!, scratchBytes, elements * costs.companion.pack);
      const columnTasks = Math.ceil(outChannels / COLUMNS_OF_TASK);
      const work = workOf(window, outChannels);
      companion.run(job.convolve, at!, rowTasks * columnTasks, scratch!, scratchBytes, work);
    },
  );
  return out;
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
 * Whether to compute patches and to add them up, rather than to gather from `dy` for each pixel: by the shape of one
 * image alone, so that its bits do not depend on how many there are.
 */
function isCheaperSpread(
  { channels, image, output, taps, stride }: SlidingWindow,
  outChannels: number,
): boolean {
  const { product, point, touch } = costs.companion;
  const size = (axes: readonly number[]) => axes.reduce((all, n) => all * n, 1);
  // A pixel is under one of so many taps only.
  const pairs = (size(image) * size(taps)) / size(stride);
  const gathered = pairs * (eights(channels) * outChannels * product + point);
  const columns = size(taps) * channels;
  const patches = size(output) * (eights(columns) * outChannels * product + columns * touch);
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
    companion.run(
      job.packSpread,
      at!,
      panels,
      scratch!,
      scratchBytes,
      columns * outChannels * costs.companion.pack,
    );
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
        listed * panels * outChannels * 8 * costs.companion.pack,
      );
      companion.run(job.inputGradient, at!, tasks, scratch!, scratchBytes, workOf(window, outChannels));
    },
  );
  return out;
}
