/** Tiles of a product: which micro-kernel takes which rows, and what stands over the edge of the result. */
import { columns4, columns6, packed4, packed6, rows4, rows6 } from "./micro-kernels";

/** Bytes of a tile of 6 by 8 floats, where tiles that stand over the edge are computed. */
export const TILE_BYTES: usize = 192;

/** How many of `left` rows the next tile takes: 6 or 4, so that few are computed in vain (8 = 4 + 4, 7 = 4 + 3). */
// @ts-expect-error: a decorator of AssemblyScript
@inline
export function tileRows(left: i32): i32 {
  return left <= 4 || left == 7 || left == 8 ? 4 : 6;
}

/** Copies (or adds) the part of a tile that lies inside of the result. */
export function takeTile(tile: usize, rows: i32, columns: i32, c: usize, cStep: usize, accumulate: bool): void {
  for (let y = 0; y < rows; y++) {
    if (columns == 8) {
      let left = v128.load(tile), right = v128.load(tile, 16);
      if (accumulate) {
        left = f32x4.add(v128.load(c), left);
        right = f32x4.add(v128.load(c, 16), right);
      }
      v128.store(c, left);
      v128.store(c, right, 16);
    } else {
      let from = tile, to = c, left = columns;
      if (left >= 4) {
        let value = v128.load(from);
        if (accumulate) value = f32x4.add(v128.load(to), value);
        v128.store(to, value);
        from += 16;
        to += 16;
        left -= 4;
      }
      if (left >= 2) {
        let value = v128.load64_zero(from);
        if (accumulate) value = f32x4.add(v128.load64_zero(to), value);
        v128.store64_lane(to, value, 0);
        from += 8;
        to += 8;
        left -= 2;
      }
      if (left > 0) {
        const value = load<f32>(from);
        store<f32>(to, accumulate ? load<f32>(to) + value : value);
      }
    }
    tile += 32;
    c += cStep;
  }
}

/** A tile from a table of row pointers; `size` is what `tileRows` said, `rows` and `columns` what is inside. */
// @ts-expect-error: a decorator of AssemblyScript
@inline
export function rowsTile(
  size: i32,
  rows: i32,
  columns: i32,
  taps: i32,
  table: usize,
  inner: usize,
  b: usize,
  bStep: usize,
  c: usize,
  cStep: usize,
  accumulate: bool,
  tile: usize,
): void {
  const whole = rows == size && columns == 8;
  const to = whole ? c : tile;
  const toStep: usize = whole ? cStep : 32;
  if (size == 6) rows6(taps, table, inner, b, bStep, to, toStep, whole && accumulate);
  else rows4(taps, table, inner, b, bStep, to, toStep, whole && accumulate);
  if (!whole) takeTile(tile, rows, columns, c, cStep, accumulate);
}

/** A tile from neighbouring rows. */
// @ts-expect-error: a decorator of AssemblyScript
@inline
export function columnsTile(
  size: i32,
  rows: i32,
  columns: i32,
  k: i32,
  a: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  c: usize,
  cStep: usize,
  accumulate: bool,
  tile: usize,
): void {
  const whole = rows == size && columns == 8;
  const to = whole ? c : tile;
  const toStep: usize = whole ? cStep : 32;
  if (bStep == 32 && aStep == <usize>size << 2) {
    if (size == 6) packed6(k, a, b, to, toStep, whole && accumulate);
    else packed4(k, a, b, to, toStep, whole && accumulate);
  } else if (size == 6) columns6(k, a, aStep, b, bStep, to, toStep, whole && accumulate);
  else columns4(k, a, aStep, b, bStep, to, toStep, whole && accumulate);
  if (!whole) takeTile(tile, rows, columns, c, cStep, accumulate);
}
