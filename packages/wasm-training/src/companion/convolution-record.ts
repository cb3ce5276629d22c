/** What a convolution is to the companion module, and how much there is of it. */
import { costs } from "../costs.js";
import type { SlidingWindow } from "../window.js";

/** As in `assembly/convolution.ts`. */
export const K_BLOCK = 512;
export const ROWS_OF_TASK = 96;
export const COLUMNS_OF_TASK = 128;
export const TILE_BYTES = 192;
/** Floats behind what a tap stands for, which whole tiles read. */
export const BEYOND = 8;

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

export const tapsOf = ({ taps }: SlidingWindow) => taps[0] * taps[1] * taps[2];
export const outputsOf = ({ batch, output }: SlidingWindow) => batch * output[0] * output[1] * output[2];

/** Nanoseconds of one thread. */
export const workOf = (window: SlidingWindow, outChannels: number): number =>
  outputsOf(window) * tapsOf(window) * window.channels * outChannels * costs.companion.product;

/** Columns of a product, which are computed in eights. */
export const eights = (columns: number): number => Math.ceil(columns / 8) * 8;
