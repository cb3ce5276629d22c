/** Gradients of filters by the companion module, for any window of up to three axes. */
import { costs } from "../costs.js";
import { allocate, allocateZeros, type BackendWasm, sizeOf, type TensorInfo } from "../heap.js";
import type { SlidingWindow } from "../window.js";
import { type Companion, job } from "./companion.js";
import {
  BEYOND,
  eights,
  K_BLOCK,
  outputsOf,
  RECORD_BYTES,
  record,
  TILE_BYTES,
  tapsOf,
  workOf,
} from "./convolution-record.js";
import { rowsOfTaps, widen } from "./rows-of-taps.js";
import { align, withMemory } from "./with-memory.js";

/** As in `assembly/filter-gradient.ts`. */
const GRADIENT_COLUMNS = 128;
const POINTED_CHANNELS = 16;
const ADDED_OF_TASK = 1024;

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
    companion.run(job.addRowParts, at!, taps, 0, 0, sizeOf(out.shape) * parts * costs.companion.touch);
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
      companion.run(job.packGradient, at!, blocks, 0, 0, sizeOf(dy.shape) * costs.companion.pack);
      const work = workOf(window, outChannels);
      companion.run(job.filterGradient, at!, tasks * parts, scratch!, scratchBytes, work);
      if (parts === 1) return;
      companion.run(
        job.addParts,
        at!,
        Math.ceil(elements / ADDED_OF_TASK),
        0,
        0,
        elements * parts * costs.companion.touch,
      );
    },
  );
}
