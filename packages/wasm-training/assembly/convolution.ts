/**
 * Convolutions of images `[batch, h, w, channels]` and both of their gradients,
 * as products whose first matrix is never written down: a row of it is a list of
 * pointers into the image, one for each tap of the filter, to zeros where the tap is outside.
 */
import { activate } from "./activation";
import { packPanel } from "./pack";
import { rowsTile, takeTile, tileRows } from "./tiles";

// @ts-expect-error: a decorator of AssemblyScript
@unmanaged
export class Convolution {
  batch: i32;
  depth: i32;
  height: i32;
  width: i32;
  channels: i32;
  outDepth: i32;
  outHeight: i32;
  outWidth: i32;
  outChannels: i32;
  taps: i32;
  tapRows: i32;
  tapColumns: i32;
  strideZ: i32;
  strideY: i32;
  strideX: i32;
  dilationZ: i32;
  dilationY: i32;
  dilationX: i32;
  front: i32;
  top: i32;
  left: i32;
  /** `[batch, d, h, w, channels]`, `[taps, channels, outChannels]`, `[batch, od, oh, ow, outChannels]`. */
  x: usize;
  filter: usize;
  y: usize;
  /** The filter in panels, see the pack tasks. */
  packed: usize;
  /** As many zeros as a tap has numbers, and eight more. */
  zeros: usize;
  bias: usize;
  activation: i32;
  rowsOfTask: i32;
  columnsOfTask: i32;
  rowTasks: i32;
  /** For the filter gradient: taps that are taken together, pixels of a block, blocks of columns. */
  tapsOfTask: i32;
  pixelsOfBlock: i32;
  columnTasks: i32;
  /** For the input gradient: records of `Phase`. */
  phases: usize;
  phaseCount: i32;
  /** Neighbours in memory that a tap stands for: the channels, or those of all taps of a row. */
  inner: i32;
  /** For the filter gradient: parts that the sum over all pixels is cut into, and where they are, if not in `filter`. */
  parts: i32;
  partAt: usize;
}

/** About how many terms are summed before they are added to the result. */
export const K_BLOCK = 512;

/** Where an output stands, and its taps: set by `goTo` and moved on by `nextTap`, because divisions are slow. */
let outX: i32 = 0, outY: i32 = 0, outZ: i32 = 0, image: i32 = 0;
let tapX: i32 = 0, tapY: i32 = 0, tapZ: i32 = 0;

export function goTo(p: Convolution, out: i32, tap: i32): void {
  outX = out % p.outWidth;
  out /= p.outWidth;
  outY = out % p.outHeight;
  out /= p.outHeight;
  outZ = out % p.outDepth;
  image = out / p.outDepth;
  tapX = tap % p.tapColumns;
  tap /= p.tapColumns;
  tapY = tap % p.tapRows;
  tapZ = tap / p.tapRows;
}

// @ts-expect-error: a decorator of AssemblyScript
@inline
export function nextTapRow(p: Convolution): void {
  tapX = 0;
  if (++tapY == p.tapRows) {
    tapY = 0;
    tapZ++;
  }
}

/** The row of the image under a row of taps of the output, or 0 if it is outside. */
// @ts-expect-error: a decorator of AssemblyScript
@inline
export function rowUnder(p: Convolution): usize {
  const y = outY * p.strideY + tapY * p.dilationY - p.top;
  const z = outZ * p.strideZ + tapZ * p.dilationZ - p.front;
  if (<u32>y >= <u32>p.height || <u32>z >= <u32>p.depth) return 0;
  return p.x + (<usize>(((image * p.depth + z) * p.height + y) * p.width * p.channels) << 2);
}

/** Pointers of the pixels that the taps `[tap0, tap1)` of `outputs` outputs of one row see: 24 bytes from tap to tap. */
function pointRow(p: Convolution, out: i32, outputs: i32, tap0: i32, tap1: i32, to: usize): void {
  goTo(p, out, tap0);
  const bytes = p.channels << 2, width = p.width, zeros = <u32>p.zeros;
  const stride = p.strideX, dilation = p.dilationX;
  let tap = tap0;
  while (tap < tap1) {
    const row = rowUnder(p);
    const end = min(tap1, tap + p.tapColumns - tapX);
    let first = outX * stride + tapX * dilation - p.left;
    for (; tap < end; tap++) {
      let x = first;
      for (let r = 0; r < outputs; r++) {
        store<u32>(to + (<usize>r << 2), row != 0 && <u32>x < <u32>width ? <u32>row + x * bytes : zeros);
        x += stride;
      }
      first += dilation;
      to += 24;
    }
    nextTapRow(p);
  }
}

/** The same for any outputs, the last one repeated up to `size`. */
function pointAt(p: Convolution, out: i32, outputs: i32, size: i32, tap0: i32, tap1: i32, to: usize): void {
  let r = 0;
  while (r < outputs) {
    const part = min(outputs - r, p.outWidth - (out + r) % p.outWidth);
    pointRow(p, out + r, part, tap0, tap1, to + (<usize>r << 2));
    r += part;
  }
  for (; r < size; r++) pointRow(p, out + outputs - 1, 1, tap0, tap1, to + (<usize>r << 2));
}

/** Pointers of the pixels that one tap of `outputs` outputs sees, side by side. */
export function pointAlong(p: Convolution, out: i32, outputs: i32, tap: i32, to: usize): void {
  const bytes = p.channels << 2, width = p.width, zeros = <u32>p.zeros, stride = p.strideX;
  goTo(p, out, tap);
  const shift = tapX * p.dilationX - p.left;
  for (const end = to + (<usize>outputs << 2); to < end; ) {
    const row = rowUnder(p);
    const rowEnd = min(end, to + (<usize>(p.outWidth - outX) << 2));
    let x = outX * stride + shift;
    for (; to < rowEnd; to += 4) {
      store<u32>(to, row != 0 && <u32>x < <u32>width ? <u32>row + x * bytes : zeros);
      x += stride;
    }
    outX = p.outWidth - 1;
    nextOutput(p);
  }
}

/** Moves on to the next output. */
// @ts-expect-error: a decorator of AssemblyScript
@inline
export function nextOutput(p: Convolution): void {
  if (++outX < p.outWidth) return;
  outX = 0;
  if (++outY < p.outHeight) return;
  outY = 0;
  if (++outZ < p.outDepth) return;
  outZ = 0;
  image++;
}

/** The pixels under the taps of the output that `goTo` went to side by side, `[tap, channel]`. */
export function copyPixels(p: Convolution, tap0: i32, tap1: i32, to: usize): void {
  const firstX = tapX, firstY = tapY, firstZ = tapZ;
  const channels = <usize>p.channels << 2, width = p.width, dilation = p.dilationX;
  let tap = tap0;
  while (tap < tap1) {
    const row = rowUnder(p);
    const end = min(tap1, tap + p.tapColumns - tapX);
    let x = outX * p.strideX + tapX * dilation - p.left;
    if (row != 0 && dilation == 1 && x >= 0 && x + end - tap <= width) {
      const bytes = <usize>(end - tap) * channels;
      copyFloats(row + <usize>x * channels, bytes, to);
      to += bytes;
      tap = end;
    } else {
      for (; tap < end; tap++) {
        copyFloats(row != 0 && <u32>x < <u32>width ? row + <usize>x * channels : p.zeros, channels, to);
        to += channels;
        x += dilation;
      }
    }
    nextTapRow(p);
  }
  tapX = firstX;
  tapY = firstY;
  tapZ = firstZ;
}

/** Rows that a task of `widenTask` copies. As in `src/companion/rows-of-taps.ts`. */
const WIDEN_ROWS = 32;

/**
 * A task copies rows of images from `y`, `outWidth` pixels each, to `x`, `width` pixels each, with `left` zeros before
 * and zeros behind: then all taps of a row stand side by side under every output. There are `rowTasks` rows.
 */
export function widenTask(at: usize, task: i32): void {
  const p = changetype<Convolution>(at);
  const pixel = <usize>p.channels << 2, row = <usize>p.outWidth * pixel, wide = <usize>p.width * pixel;
  const before = <usize>p.left * pixel, end = min(p.rowTasks, (task + 1) * WIDEN_ROWS);
  for (let i = task * WIDEN_ROWS; i < end; i++) {
    const to = p.x + <usize>i * wide;
    memory.fill(to, 0, before);
    copyFloats(p.y + <usize>i * row, row, to + before);
    memory.fill(to + before + row, 0, wide - before - row);
  }
}

/** A task packs 8 output channels of the filter, `[taps channels][8]`. */
export function packFilterTask(at: usize, task: i32): void {
  const p = changetype<Convolution>(at);
  const k = p.taps * p.inner;
  packPanel(
    p.filter + (<usize>task << 5),
    <usize>p.outChannels << 2,
    4,
    k,
    min(8, p.outChannels - (task << 3)),
    p.packed + (<usize>task << 5) * k,
  );
}

/** A task computes a block of outputs by a block of output channels. */
export function convolveTask(at: usize, task: i32, scratch: usize): void {
  const p = changetype<Convolution>(at);
  const outputs = p.batch * p.outDepth * p.outHeight * p.outWidth;
  const row0 = (task % p.rowTasks) * p.rowsOfTask, column0 = (task / p.rowTasks) * p.columnsOfTask;
  const rows = min(p.rowsOfTask, outputs - row0), columns = min(p.columnsOfTask, p.outChannels - column0);
  const cRow = <usize>p.outChannels << 2;
  const c = p.y + <usize>row0 * cRow + (<usize>column0 << 2);
  const bPanel = <usize>(p.taps * p.inner) << 5;
  const b = p.packed + (<usize>column0 >> 3) * bPanel;
  const tile = scratch, table = scratch + 192;
  const group = min(p.taps, max(1, K_BLOCK / p.inner));
  for (let tap0 = 0; tap0 < p.taps; tap0 += group) {
    const tap1 = min(p.taps, tap0 + group), taps = tap1 - tap0;
    const entryBytes = <usize>(taps * 24);
    let entry = table;
    for (let y = 0; y < rows; ) {
      const size = tileRows(rows - y);
      pointAt(p, row0 + y, min(size, rows - y), size, tap0, tap1, entry);
      entry += entryBytes;
      y += size;
    }
    for (let x = 0; x < columns; x += 8) {
      const bAt = b + (<usize>x >> 3) * bPanel + (<usize>(tap0 * p.inner) << 5);
      const inside = min(8, columns - x);
      entry = table;
      for (let y = 0; y < rows; ) {
        const size = tileRows(rows - y), within = min(size, rows - y);
        const cAt = c + <usize>y * cRow + (<usize>x << 2);
        rowsTile(size, within, inside, taps, entry, <usize>p.inner << 2, bAt, 32, cAt, cRow, tap0 > 0, tile);
        entry += entryBytes;
        y += size;
      }
    }
  }
  if (p.bias != 0 || p.activation != 0) {
    activate(c, rows, columns, cRow, p.bias == 0 ? 0 : p.bias + (<usize>column0 << 2), p.activation);
  }
}

// @ts-expect-error: a decorator of AssemblyScript
@inline
function copyFloats(from: usize, bytes: usize, to: usize): void {
  let i: usize = 0;
  for (; i + 16 <= bytes; i += 16) v128.store(to + i, v128.load(from + i));
  for (; i < bytes; i += 4) store<f32>(to + i, load<f32>(from + i));
}

/**
 * The input gradient is a convolution of `dy` for each phase, that is for all pixels with the same remainder of
 * their place by the stride: they are under the same taps. `Phase` lists those taps.
 */
// @ts-expect-error: a decorator of AssemblyScript
@unmanaged
export class Phase {
  /** The first pixel on each axis, and how many there are at the distance of the stride. */
  z: i32;
  y: i32;
  x: i32;
  slices: i32;
  rows: i32;
  columns: i32;
  taps: i32;
  /**
   * The taps in their order, four i32 each: the tap, and on each axis the output that sees the first pixel of the phase
   * through it (which may be outside; the next pixel is seen by the next output).
   */
  list: usize;
  /** Where the filter of these taps is packed: panels of 8 channels, `[taps outChannels][8]`. */
  packed: usize;
  /** The first task of the phase, and its blocks of rows. */
  task: i32;
  rowTasks: i32;
}

/** A task packs 8 input channels of the filter of one phase. */
export function packTurnedTask(at: usize, task: i32): void {
  const p = changetype<Convolution>(at);
  const panels = (p.channels + 7) >> 3;
  const phase = changetype<Phase>(p.phases + <usize>(task / panels) * offsetof<Phase>());
  const channel = (task % panels) << 3;
  const tapBytes = <usize>(p.channels * p.outChannels) << 2;
  let to = phase.packed + (<usize>channel << 2) * phase.taps * p.outChannels;
  for (let i = 0; i < phase.taps; i++) {
    const tap = load<i32>(phase.list + (<usize>i << 4));
    packPanel(
      p.filter + <usize>tap * tapBytes + (<usize>(channel * p.outChannels) << 2),
      4,
      <usize>p.outChannels << 2,
      p.outChannels,
      min(8, p.channels - channel),
      to,
    );
    to += <usize>p.outChannels << 5;
  }
}

/** Which pixel of a phase, counted on each axis: set by `goToPixel`. */
let batchIndex: i32 = 0, pixelZ: i32 = 0, pixelY: i32 = 0, pixelX: i32 = 0;

/** The address of a pixel of a phase. */
function goToPixel(p: Convolution, phase: Phase, row: i32): usize {
  pixelX = row % phase.columns;
  row /= phase.columns;
  pixelY = row % phase.rows;
  row /= phase.rows;
  pixelZ = row % phase.slices;
  batchIndex = row / phase.slices;
  const z = phase.z + pixelZ * p.strideZ, y = phase.y + pixelY * p.strideY, x = phase.x + pixelX * p.strideX;
  return p.x + (<usize>((((batchIndex * p.depth + z) * p.height + y) * p.width + x) * p.channels) << 2);
}

/** Pointers of the outputs that see the pixel that `goToPixel` went to through the taps `[tap0, tap1)` of its phase. */
function pointBack(p: Convolution, phase: Phase, tap0: i32, tap1: i32, to: usize): void {
  const first = p.y + (<usize>(batchIndex * p.outDepth * p.outHeight * p.outWidth * p.outChannels) << 2);
  for (let i = tap0; i < tap1; i++) {
    const entry = phase.list + (<usize>i << 4);
    const oz = pixelZ + load<i32>(entry, 4), oy = pixelY + load<i32>(entry, 8), ox = pixelX + load<i32>(entry, 12);
    const inside = <u32>oz < <u32>p.outDepth && <u32>oy < <u32>p.outHeight && <u32>ox < <u32>p.outWidth;
    store<u32>(to, <u32>(inside ? first + (<usize>(((oz * p.outHeight + oy) * p.outWidth + ox) * p.outChannels) << 2) : p.zeros));
    to += 24;
  }
}

/** A task computes a block of pixels of one phase by a block of channels. */
export function inputGradientTask(at: usize, task: i32, scratch: usize): void {
  const p = changetype<Convolution>(at);
  let index = p.phaseCount - 1;
  while (task < changetype<Phase>(p.phases + <usize>index * offsetof<Phase>()).task) index--;
  const phase = changetype<Phase>(p.phases + <usize>index * offsetof<Phase>());
  task -= phase.task;
  const row0 = (task % phase.rowTasks) * p.rowsOfTask, column0 = (task / phase.rowTasks) * p.columnsOfTask;
  const rows = min(p.rowsOfTask, p.batch * phase.slices * phase.rows * phase.columns - row0);
  const columns = min(p.columnsOfTask, p.channels - column0);
  // Where the rows stand, then the pointers.
  const tile = scratch, places = scratch + 192, table = places + (<usize>p.rowsOfTask << 2);
  const bPanel = <usize>(phase.taps * p.outChannels) << 5;
  const b = phase.packed + (<usize>column0 >> 3) * bPanel;
  const cColumn = <usize>column0 << 2;
  if (phase.taps == 0) {
    for (let y = 0; y < rows; y++) memory.fill(goToPixel(p, phase, row0 + y) + cColumn, 0, <usize>columns << 2);
    return;
  }
  const group = min(phase.taps, max(1, K_BLOCK / p.outChannels));
  for (let tap0 = 0; tap0 < phase.taps; tap0 += group) {
    const tap1 = min(phase.taps, tap0 + group), taps = tap1 - tap0;
    let entry = table;
    for (let y = 0; y < rows; ) {
      const size = tileRows(rows - y);
      for (let r = 0; r < size; r++) {
        const row = min(y + r, rows - 1);
        store<u32>(places + (<usize>row << 2), <u32>goToPixel(p, phase, row0 + row));
        pointBack(p, phase, tap0, tap1, entry + (<usize>r << 2));
      }
      entry += <usize>taps * 24;
      y += size;
    }
    for (let x = 0; x < columns; x += 8) {
      const bAt = b + (<usize>x >> 3) * bPanel + (<usize>(tap0 * p.outChannels) << 5);
      const inside = min(8, columns - x);
      entry = table;
      for (let y = 0; y < rows; ) {
        const size = tileRows(rows - y), within = min(size, rows - y);
        rowsTile(size, 0, inside, taps, entry, <usize>p.outChannels << 2, bAt, 32, tile, 32, false, tile);
        for (let r = 0; r < within; r++) {
          const to = <usize>load<u32>(places + (<usize>(y + r) << 2)) + cColumn + (<usize>x << 2);
          takeTile(tile + (<usize>r << 5), 1, inside, to, 0, tap0 > 0);
        }
        entry += <usize>taps * 24;
        y += size;
      }
    }
  }
}
