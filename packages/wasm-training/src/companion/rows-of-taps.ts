/** Convolutions of few channels: all taps of a row stand side by side in an image that is wide enough. */
import { costs } from "../costs.js";
import type { SlidingWindow } from "../window.js";
import { type Companion, job } from "./companion.js";
import { BEYOND, record } from "./convolution-record.js";

/** As in `assembly/convolution.ts`. */
const WIDEN_ROWS = 32;

/** A convolution whose taps are whole rows: what stands under one is in a piece, after the images were made wider. */
export interface RowsOfTaps {
  readonly window: SlidingWindow;
  /** Numbers under a row of taps. */
  readonly inner: number;
  /** Of the wider images; 0 where none need be wider. */
  readonly bytes: number;
}

export function rowsOfTaps(window: SlidingWindow): RowsOfTaps {
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
export function widen(
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
  companion.run(job.widen, at, Math.ceil(rowTasks / WIDEN_ROWS), 0, 0, elements * costs.companion.touch);
}
