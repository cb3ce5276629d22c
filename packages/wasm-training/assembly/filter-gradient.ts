/**
 * The gradient of a filter: for each tap, the pixels under it times `dy`, summed over all pixels.
 *
 * The sum is cut into parts, so that several threads find work where there are few taps and channels; the parts are
 * added in their order. How many there are follows from the shape, so that the bits do not depend on the threads.
 */
import {
  Convolution,
  copyPixels,
  goTo,
  nextOutput,
  nextTapRow,
  pointAlong,
  rowUnder,
} from "./convolution";
import { packColumns, packPanel, packPointed } from "./pack";
import { columnsTile, tileRows } from "./tiles";

/** Columns of the gradient that a task sums: while they do, the pixels under a tap are packed once. */
const COLUMNS = 128;

/** With fewer channels than this the pixels under several taps are copied side by side first. As in `src/companion/filter-gradient.ts`. */
const POINTED_CHANNELS = 16;

// @ts-expect-error: a decorator of AssemblyScript
@inline
function outputsOf(p: Convolution): i32 {
  return p.batch * p.outDepth * p.outHeight * p.outWidth;
}

/** A task packs `dy` for a block of pixels: panels of 8 channels, `[outChannels / 8][pixels][8]`, all taps read them. */
export function packGradientTask(at: usize, task: i32): void {
  const p = changetype<Convolution>(at);
  const out = task * p.pixelsOfBlock, pixels = min(p.pixelsOfBlock, outputsOf(p) - out);
  const step = <usize>p.outChannels << 2;
  const from = p.y + <usize>out * step;
  let to = p.packed + <usize>out * (<usize>((p.outChannels + 7) >> 3) << 5);
  for (let x = 0; x < p.outChannels; x += 8) {
    packPanel(from + (<usize>x << 2), step, 4, pixels, min(8, p.outChannels - x), to);
    to += <usize>pixels << 5;
  }
}

/** All rows, packed as `packColumns` leaves them, by all columns of a task. */
// @ts-expect-error: a decorator of AssemblyScript
@inline
function multiplyBlock(
  rows: i32, columns: i32, pixels: i32, packed: usize, dy: usize, c: usize, cStep: usize, add: bool, tile: usize,
): void {
  for (let y = 0; y < rows; ) {
    const size = tileRows(rows - y), within = min(size, rows - y);
    let panel = dy;
    for (let x = 0; x < columns; x += 8) {
      columnsTile(
        size, within, min(8, columns - x), pixels,
        packed, <usize>size << 2, panel, 32, c + (<usize>x << 2), cStep, add, tile,
      );
      panel += <usize>pixels << 5;
    }
    packed += <usize>(pixels * size) << 2;
    c += <usize>size * cStep;
    y += size;
  }
}

/** A task sums one part for some taps and some output channels, block after block of pixels. */
export function filterGradientTask(at: usize, task: i32, scratch: usize): void {
  const p = changetype<Convolution>(at);
  const tapTasks = (p.taps + p.tapsOfTask - 1) / p.tapsOfTask, ofPart = tapTasks * p.columnTasks;
  const part = task / ofPart;
  task %= ofPart;
  const tap0 = (task / p.columnTasks) * p.tapsOfTask, tap1 = min(p.taps, tap0 + p.tapsOfTask);
  const column0 = (task % p.columnTasks) * COLUMNS, columns = min(COLUMNS, p.outChannels - column0);
  const outputs = outputsOf(p), blocks = (outputs + p.pixelsOfBlock - 1) / p.pixelsOfBlock;
  const first = <i32>((<i64>blocks * part) / p.parts) * p.pixelsOfBlock;
  const end = min(outputs, <i32>((<i64>blocks * (part + 1)) / p.parts) * p.pixelsOfBlock);
  const cStep = <usize>p.outChannels << 2;
  const whole = p.parts == 1 ? p.filter : p.partAt + <usize>part * <usize>(p.taps * p.channels) * cStep;
  const c = whole + <usize>(tap0 * p.channels) * cStep + (<usize>column0 << 2);
  const panels = <usize>((p.outChannels + 7) >> 3);
  const pointed = p.channels >= POINTED_CHANNELS, rows = (pointed ? 1 : tap1 - tap0) * p.channels;
  // The rows of a block packed (tiles may stand over the edge by five), and before that the list or the pixels.
  const tile = scratch, packed = scratch + 192, block = packed + (<usize>(p.pixelsOfBlock * (rows + 5)) << 2);
  for (let out = first; out < end; out += p.pixelsOfBlock) {
    const pixels = min(p.pixelsOfBlock, outputs - out), add = out > first;
    const dy = p.packed + <usize>out * (panels << 5) + (<usize>column0 >> 3) * (<usize>pixels << 5);
    if (pointed) {
      for (let tap = tap0; tap < tap1; tap++) {
        pointAlong(p, out, pixels, tap, block);
        packPointed(block, rows, pixels, packed);
        const to = c + <usize>((tap - tap0) * rows) * cStep;
        multiplyBlock(rows, columns, pixels, packed, dy, to, cStep, add, tile);
      }
    } else {
      const step = <usize>rows << 2;
      goTo(p, out, tap0);
      for (let i = 0; i < pixels; i++) {
        copyPixels(p, tap0, tap1, block + <usize>i * step);
        nextOutput(p);
      }
      packColumns(block, step, rows, pixels, packed);
      multiplyBlock(rows, columns, pixels, packed, dy, c, cStep, add, tile);
    }
  }
}

/** Elements that a task of `addPartsTask` adds. */
const ADDED = 1024;

/** A task adds some elements of all parts. */
export function addPartsTask(at: usize, task: i32): void {
  const p = changetype<Convolution>(at);
  const elements = p.taps * p.channels * p.outChannels, first = task * ADDED;
  const bytes = <usize>elements << 2;
  const start = <usize>first << 2, end = <usize>min(elements, first + ADDED) << 2;
  memory.copy(p.filter + start, p.partAt + start, end - start);
  for (let part = 1; part < p.parts; part++) {
    const from = p.partAt + <usize>part * bytes;
    let i = start;
    for (; i + 16 <= end; i += 16) {
      const to = p.filter + i;
      v128.store(to, f32x4.add(v128.load(to), v128.load(from + i)));
    }
    for (; i < end; i += 4) store<f32>(p.filter + i, load<f32>(p.filter + i) + load<f32>(from + i));
  }
}

/** Bytes of a part of `filterRowsTask`: rows of output channels as tiles cut them, columns in eights. */
// @ts-expect-error: a decorator of AssemblyScript
@inline
function rowStep(p: Convolution): usize {
  return <usize>(p.taps * ((p.inner + 7) & ~7)) << 2;
}

/**
 * The gradient where there are few channels, turned: output channels by the neighbours under a row of taps, which need
 * not be packed, and neither does `dy`. The record is that of widened images. A task sums the rows of outputs of
 * one part, `[outChannels + 5][taps][inner, in eights]`.
 *
 * Whole tiles are read, up to 28 bytes beyond an image and 12 beyond `dy`: what comes of them stands in columns and rows
 * that nobody adds. A heap always has more than that behind its last piece.
 */
export function filterRowsTask(at: usize, part: i32, scratch: usize): void {
  const p = changetype<Convolution>(at);
  const rows = p.batch * p.outDepth * p.outHeight;
  const first = <i32>((<i64>rows * part) / p.parts), end = <i32>((<i64>rows * (part + 1)) / p.parts);
  const step = rowStep(p), eights = (p.inner + 7) & ~7;
  const c = p.partAt + <usize>part * (<usize>(p.outChannels + 5) * step);
  memory.fill(c, 0, <usize>(p.outChannels + 5) * step);
  const pixel = <usize>p.outChannels << 2, bStep = <usize>(p.strideX * p.channels) << 2;
  for (let row = first; row < end; row++) {
    goTo(p, row * p.outWidth, 0);
    const dy = p.y + <usize>(row * p.outWidth) * pixel;
    for (let tap = 0; tap < p.taps; tap++) {
      const under = rowUnder(p);
      nextTapRow(p);
      if (under == 0) continue;
      for (let x = 0; x < eights; x += 8) {
        const b = under + (<usize>x << 2), column = c + (<usize>(tap * eights + x) << 2);
        for (let y = 0; y < p.outChannels; ) {
          const size = tileRows(p.outChannels - y);
          columnsTile(
            size, size, 8, p.outWidth,
            dy + (<usize>y << 2), pixel, b, bStep, column + <usize>y * step, step, true, scratch,
          );
          y += size;
        }
      }
    }
  }
}

/** A task adds all parts of what `filterRowsTask` sums for one row of taps, and turns it back. */
export function addRowPartsTask(at: usize, tap: i32): void {
  const p = changetype<Convolution>(at);
  const step = rowStep(p), eights = (p.inner + 7) & ~7;
  const partBytes = <usize>(p.outChannels + 5) * step;
  const from = p.partAt + (<usize>(tap * eights) << 2);
  let to = p.filter + (<usize>(tap * p.inner * p.outChannels) << 2);
  for (let i = 0; i < p.inner; i++) {
    for (let o = 0; o < p.outChannels; o++) {
      let at = from + <usize>o * step + (<usize>i << 2), sum: f32 = 0;
      for (let part = 0; part < p.parts; part++) {
        sum += load<f32>(at);
        at += partBytes;
      }
      store<f32>(to, sum);
      to += 4;
    }
  }
}
