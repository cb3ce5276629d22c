/**
 * The input gradient of a convolution as patches that are added up: `dy` times the turned filter gives what each tap of
 * each output adds to the pixel under it. Few channels fill no vector otherwise, and borders cost nothing.
 */
import { Convolution } from "./convolution";
import { packPanel } from "./pack";
import { rowsTile, tileRows } from "./tiles";

/** Outputs that are taken together: they stay in the cache as rows of `taps x channels` numbers. */
const OUTPUTS = 24;
const K_BLOCK = 512;

/** A task packs eight of the columns `taps x channels`, `[outChannels][8]`. */
export function packSpreadTask(at: usize, task: i32): void {
  const p = changetype<Convolution>(at);
  const columns = p.taps * p.channels, o = <usize>p.outChannels << 2;
  packPanel(
    p.filter + (<usize>task << 3) * o, 4, o, p.outChannels, min(8, columns - (task << 3)),
    p.packed + (<usize>task << 3) * o,
  );
}

/** A task computes the gradient of one image, or of so many small ones that their outputs fill a block. */
export function spreadTask(at: usize, task: i32, scratch: usize): void {
  const p = changetype<Convolution>(at);
  const columns = p.taps * p.channels, step = <usize>((columns + 7) & ~7) << 2;
  const outputs = p.outDepth * p.outHeight * p.outWidth;
  const pixels = p.depth * p.height * p.width;
  const first = task * p.rowsOfTask, images = min(p.rowsOfTask, p.batch - first);
  const image = p.x + (<usize>(first * pixels * p.channels) << 2);
  const dy = p.y + (<usize>(first * outputs * p.outChannels) << 2);
  const end = images * outputs;
  memory.fill(image, 0, <usize>(images * pixels * p.channels) << 2);
  const tile = scratch, table = scratch + 192, block = scratch + 256;
  const o = p.outChannels, oBytes = <usize>o << 2;
  for (let out = 0; out < end; out += OUTPUTS) {
    const rows = min(OUTPUTS, end - out);
    for (let k0 = 0; k0 < o; k0 += K_BLOCK) {
      const k = min(K_BLOCK, o - k0);
      let to = block;
      for (let y = 0; y < rows; ) {
        const size = tileRows(rows - y);
        for (let r = 0; r < size; r++) {
          const row = out + min(y + r, rows - 1);
          store<u32>(table + (<usize>r << 2), <u32>(dy + <usize>row * oBytes + (<usize>k0 << 2)));
        }
        for (let x = 0; x < columns; x += 8) {
          const b = p.packed + <usize>x * oBytes + (<usize>k0 << 5);
          rowsTile(size, size, 8, 1, table, <usize>k << 2, b, 32, to + (<usize>x << 2), step, k0 > 0, tile);
        }
        to += <usize>size * step;
        y += size;
      }
    }
    for (let i = 0; i < rows; i++) addPatch(p, out + i, block + <usize>i * step, image);
  }
}

/** Adds what one output gives to the pixels under its taps. */
function addPatch(p: Convolution, out: i32, patch: usize, image: usize): void {
  const ox = out % p.outWidth;
  out /= p.outWidth;
  const oy = out % p.outHeight;
  out /= p.outHeight;
  const oz = out % p.outDepth;
  image += <usize>(out / p.outDepth * p.depth * p.height * p.width) * (<usize>p.channels << 2);
  const pixel = <usize>p.channels << 2, planes = p.taps / (p.tapRows * p.tapColumns);
  const x0 = ox * p.strideX - p.left;
  const dense = p.dilationX == 1 && x0 >= 0 && x0 + p.tapColumns <= p.width;
  for (let kz = 0; kz < planes; kz++) {
    const z = oz * p.strideZ + kz * p.dilationZ - p.front;
    if (<u32>z >= <u32>p.depth) continue;
    for (let ky = 0; ky < p.tapRows; ky++) {
      const y = oy * p.strideY + ky * p.dilationY - p.top;
      if (<u32>y >= <u32>p.height) continue;
      const row = image + <usize>((z * p.height + y) * p.width) * pixel;
      const from = patch + <usize>((kz * p.tapRows + ky) * p.tapColumns) * pixel;
      // Taps that are neighbours, above pixels that are neighbours.
      if (dense) {
        add(row + <usize>x0 * pixel, from, <usize>p.tapColumns * pixel);
        continue;
      }
      for (let kx = 0; kx < p.tapColumns; kx++) {
        const x = x0 + kx * p.dilationX;
        if (<u32>x < <u32>p.width) add(row + <usize>x * pixel, from + <usize>kx * pixel, pixel);
      }
    }
  }
}

// @ts-expect-error: a decorator of AssemblyScript
@inline
function add(to: usize, from: usize, bytes: usize): void {
  let i: usize = 0;
  for (; i + 16 <= bytes; i += 16) v128.store(to + i, f32x4.add(v128.load(to + i), v128.load(from + i)));
  for (; i < bytes; i += 4) store<f32>(to + i, load<f32>(to + i) + load<f32>(from + i));
}
