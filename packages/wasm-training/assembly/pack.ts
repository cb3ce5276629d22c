/**
 * Operands in panels, because rows at the distance of a power of two share a place in the cache: second operands as
 * `[n / 8][k][8]`, the last panel filled with zeros, first ones as `[k][size]` for the rows of one tile.
 */

import { loadLanes } from "./lanes";
import { tileRows } from "./tiles";

/** 4 k by 4 columns, each column contiguous: transposed on the way. */
// @ts-expect-error: a decorator of AssemblyScript
@inline
function turn4(from: usize, step: usize, to: usize): void {
  const r0 = v128.load(from), r1 = v128.load(from + step);
  const r2 = v128.load(from + 2 * step), r3 = v128.load(from + 3 * step);
  const t0 = v128.shuffle<i32>(r0, r1, 0, 4, 1, 5), t1 = v128.shuffle<i32>(r2, r3, 0, 4, 1, 5);
  const t2 = v128.shuffle<i32>(r0, r1, 2, 6, 3, 7), t3 = v128.shuffle<i32>(r2, r3, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<i64>(t0, t1, 0, 2));
  v128.store(to, v128.shuffle<i64>(t0, t1, 1, 3), 32);
  v128.store(to, v128.shuffle<i64>(t2, t3, 0, 2), 64);
  v128.store(to, v128.shuffle<i64>(t2, t3, 1, 3), 96);
}

/**
 * Packs one panel: `k` rows, `rowStep` bytes apart, of `columns` (at most 8)
 * columns, `columnStep` bytes apart.
 */
export function packPanel(
  b: usize,
  rowStep: usize,
  columnStep: usize,
  k: i32,
  columns: i32,
  to: usize,
): void {
  if (columns == 8 && columnStep == 4) {
    for (; k > 0; k--) {
      v128.store(to, v128.load(b));
      v128.store(to, v128.load(b, 16), 16);
      b += rowStep;
      to += 32;
    }
    return;
  }
  if (columnStep == 4) {
    const left = min(4, columns), right = columns - 4;
    for (; k > 0; k--) {
      v128.store(to, loadLanes(b, left));
      v128.store(to, right > 0 ? loadLanes(b + 16, right) : f32x4.splat(0), 16);
      b += rowStep;
      to += 32;
    }
    return;
  }
  if (columns == 8 && rowStep == 4) {
    for (; k >= 4; k -= 4) {
      turn4(b, columnStep, to);
      turn4(b + 4 * columnStep, columnStep, to + 16);
      b += 16;
      to += 128;
    }
  }
  for (; k > 0; k--) {
    let from = b;
    for (let x = 0; x < 8; x++) {
      store<f32>(to, x < columns ? load<f32>(from) : 0);
      from += columnStep;
      to += 4;
    }
    b += rowStep;
  }
}

/** Rows of a first operand at one k, which are neighbours, to their places in all panels. */
// @ts-expect-error: a decorator of AssemblyScript
@inline
function packColumn(from: usize, rows: i32, k: i32, i: i32, panel: usize): void {
  let left = rows;
  const six = <usize>k * 24;
  let place = panel + <usize>i * 24;
  // As many tiles of six as `tileRows` cuts first.
  for (; left >= 9 || left == 6; left -= 6) {
    v128.store(place, v128.load(from));
    store<u64>(place, load<u64>(from, 16), 16);
    from += 24;
    place += six;
  }
  panel = place - <usize>i * 24;
  while (left > 0) {
    const size = tileRows(left);
    place = panel + <usize>(i * size << 2);
    if (left >= size) v128.store(place, v128.load(from));
    else for (let r = 0; r < size; r++) store<f32>(place + (<usize>r << 2), r < left ? load<f32>(from + (<usize>r << 2)) : 0);
    from += <usize>size << 2;
    panel += <usize>(k * size) << 2;
    left -= size;
  }
}

/**
 * Packs the rows of a first operand that are neighbours at each k, `step` bytes from k to k: `[k][size]` for one
 * tile after another, as `tileRows` cuts them. Each k is read once from end to end.
 */
export function packColumns(a: usize, step: usize, rows: i32, k: i32, to: usize): void {
  for (let i = 0; i < k; i++) {
    packColumn(a, rows, k, i, to);
    a += step;
  }
}

/** The same, each k where a list of pointers says. */
export function packPointed(list: usize, rows: i32, k: i32, to: usize): void {
  for (let i = 0; i < k; i++) packColumn(<usize>load<u32>(list + (<usize>i << 2)), rows, k, i, to);
}
