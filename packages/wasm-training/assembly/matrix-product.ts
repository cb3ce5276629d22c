/**
 * `c = activation(a b + bias)` for a batch of matrices of any leading
 * dimensions, `a` and `b` transposed or not.
 *
 * A task computes a block of rows by a block of columns. The sum over k is cut
 * into blocks of 512, so that a panel stays in the first cache and rounding
 * errors stay small; the cuts are the same for every size and every path.
 */
import { activate } from "./activation";
import { loadLanes } from "./lanes";
import { packColumns, packPanel } from "./pack";
import { multiplyAdd } from "./micro-kernels";
import { columnsTile, rowsTile, tileRows } from "./tiles";

const K_BLOCK = 512;

// @ts-expect-error: a decorator of AssemblyScript
@unmanaged
export class MatrixProduct {
  m: i32;
  n: i32;
  k: i32;
  /** First matrices, and the bytes from one row, and from one k, to the next: one of the two is 4. */
  a: usize;
  aRow: usize;
  aColumn: usize;
  /** Second matrices: bytes from one k, and from one column, to the next. */
  b: usize;
  bRow: usize;
  bColumn: usize;
  c: usize;
  cRow: usize;
  /** Offsets in bytes of the matrices of each product: a, b, c, and of the packed form of b. */
  offsets: usize;
  /** One number for each column, or 0. */
  bias: usize;
  activation: i32;
  /** The second matrices in panels, or 0: then they are read where they are, or packed where they are used. */
  packed: usize;
  /** Products, rows and columns of a task, how many blocks of rows and of columns there are. */
  batch: i32;
  rowsOfTask: i32;
  columnsOfTask: i32;
  rowTasks: i32;
  columnTasks: i32;
  /** Matrices to pack, and where they begin, in bytes: in `b` and in `packed`. */
  packOffsets: usize;
}

/** A task packs one panel of one second matrix. */
export function packTask(at: usize, task: i32): void {
  const p = changetype<MatrixProduct>(at);
  const panels = (p.n + 7) >> 3;
  const matrix = task / panels,
    panel = task % panels;
  const from = load<u32>(p.packOffsets + ((<usize>matrix) << 3));
  const to = load<u32>(p.packOffsets + ((<usize>matrix) << 3), 4);
  packPanel(
    p.b + from + ((<usize>panel) << 3) * p.bColumn,
    p.bRow,
    p.bColumn,
    p.k,
    min(8, p.n - (panel << 3)),
    p.packed + to + ((<usize>panel) << 5) * p.k,
  );
}

/** A task computes one block of the result. `scratch` holds a tile, and a table of row pointers or packed rows. */
export function productTask(at: usize, task: i32, scratch: usize): void {
  const p = changetype<MatrixProduct>(at);
  const blocks = p.rowTasks * p.columnTasks;
  const offsets = p.offsets + ((<usize>(task / blocks)) << 4);
  const rest = task % blocks;
  const row0 = (rest % p.rowTasks) * p.rowsOfTask,
    column0 = (rest / p.rowTasks) * p.columnsOfTask;
  const rows = min(p.rowsOfTask, p.m - row0),
    columns = min(p.columnsOfTask, p.n - column0);
  const a = p.a + load<u32>(offsets) + <usize>row0 * p.aRow;
  const c = p.c + load<u32>(offsets, 8) + <usize>row0 * p.cRow + ((<usize>column0) << 2);
  const packed = p.packed != 0;
  const inPlace = packed || p.bColumn == 4;
  const bStep: usize = packed || !inPlace ? 32 : p.bRow;
  // From one panel of 8 columns to the next.
  const bPanel: usize = packed ? (<usize>p.k) << 5 : 32;
  const b = packed
    ? p.packed + load<u32>(offsets, 12) + (<usize>column0 >> 3) * bPanel
    : p.b + load<u32>(offsets, 4) + <usize>column0 * p.bColumn;
  const byRows = p.aColumn == 4;
  // Room for a panel of the second matrix, where it is not packed beforehand.
  const tile = scratch, panel = scratch + 192, table = inPlace ? panel : panel + (K_BLOCK << 5);
  for (let k0 = 0; k0 < p.k; k0 += K_BLOCK) {
    const k = min(K_BLOCK, p.k - k0);
    const aBlock = a + <usize>k0 * p.aColumn;
    if (byRows) {
      let entry = table;
      for (let y = 0; y < rows; ) {
        const size = tileRows(rows - y);
        for (let r = 0; r < size; r++)
          store<u32>(entry + (r << 2), <u32>(aBlock + <usize>min(y + r, rows - 1) * p.aRow));
        entry += 24;
        y += size;
      }
    } else {
      packColumns(aBlock, p.aColumn, rows, k, table);
    }
    for (let x = 0; x < columns; x += 8) {
      const inside = min(8, columns - x);
      let bAt: usize;
      if (inPlace) {
        bAt = b + (<usize>x >> 3) * bPanel + <usize>k0 * bStep;
      } else {
        // Few rows: a panel is packed where it is used, and only for once.
        bAt = panel;
        packPanel(b + <usize>x * p.bColumn + <usize>k0 * p.bRow, p.bRow, p.bColumn, k, inside, panel);
      }
      let entry = table;
      for (let y = 0; y < rows; ) {
        const size = tileRows(rows - y),
          within = min(size, rows - y);
        const cAt = c + <usize>y * p.cRow + ((<usize>x) << 2);
        if (byRows) {
          rowsTile(size, within, inside, 1, entry, (<usize>k) << 2, bAt, bStep, cAt, p.cRow, k0 > 0, tile);
          entry += 24;
        } else {
          columnsTile(size, within, inside, k, entry, <usize>size << 2, bAt, bStep, cAt, p.cRow, k0 > 0, tile);
          entry += <usize>(k * size) << 2;
        }
        y += size;
      }
    }
  }
  if (p.bias != 0 || p.activation != 0) {
    activate(c, rows, columns, p.cRow, p.bias == 0 ? 0 : p.bias + ((<usize>column0) << 2), p.activation);
  }
}

/** Columns and rows of a task of a thin product. */
const THIN_COLUMNS = 256;
const THIN_ROWS = 4;

/**
 * For first matrices of few rows: the second one is read once, row by row, into sums of up to four rows that stand in
 * scratch. Each sum is taken in the order of the tiles, so that its bits are theirs.
 */
export function thinTask(at: usize, task: i32, scratch: usize): void {
  const p = changetype<MatrixProduct>(at);
  const blocks = p.rowTasks * p.columnTasks;
  const offsets = p.offsets + ((<usize>(task / blocks)) << 4);
  const rest = task % blocks;
  const row0 = (rest % p.rowTasks) * THIN_ROWS, column0 = (rest / p.rowTasks) * THIN_COLUMNS;
  const rows = min(THIN_ROWS, p.m - row0), columns = min(THIN_COLUMNS, p.n - column0);
  const a = p.a + load<u32>(offsets) + <usize>row0 * p.aRow;
  const b = p.b + load<u32>(offsets, 4) + ((<usize>column0) << 2);
  const c = p.c + load<u32>(offsets, 8) + <usize>row0 * p.cRow + ((<usize>column0) << 2);
  // Whole vectors of sums, of columns that are not there too.
  const whole = <usize>(columns & ~3) << 2, sumsRow = <usize>THIN_COLUMNS << 2;
  for (let k0 = 0; k0 < p.k; k0 += K_BLOCK) {
    const k1 = min(p.k, k0 + K_BLOCK);
    for (let r = 0; r < rows; r++) memory.fill(scratch + <usize>r * sumsRow, 0, sumsRow);
    let k = k0;
    for (; k + 4 <= k1; k += 4) {
      const from = b + <usize>k * p.bRow;
      for (let r = 0; r < rows; r++) {
        const x = a + <usize>r * p.aRow + ((<usize>k) << 2);
        addFour(x, from, p.bRow, scratch + <usize>r * sumsRow, whole, columns & 3);
      }
    }
    for (; k < k1; k++) {
      const from = b + <usize>k * p.bRow;
      for (let r = 0; r < rows; r++) {
        const x = v128.load32_splat(a + <usize>r * p.aRow + ((<usize>k) << 2)), sums = scratch + <usize>r * sumsRow;
        for (let i: usize = 0; i < whole; i += 16) {
          v128.store(sums + i, multiplyAdd(x, v128.load(from + i), v128.load(sums + i)));
        }
        if ((columns & 3) != 0) {
          const end = loadLanes(from + whole, columns & 3);
          v128.store(sums + whole, multiplyAdd(x, end, v128.load(sums + whole)));
        }
      }
    }
    for (let r = 0; r < rows; r++) {
      const sums = scratch + <usize>r * sumsRow, to = c + <usize>r * p.cRow;
      for (let i: usize = 0; i < <usize>columns << 2; i += 4) {
        const sum = load<f32>(sums + i);
        store<f32>(to + i, k0 > 0 ? load<f32>(to + i) + sum : sum);
      }
    }
  }
  if (p.bias != 0 || p.activation != 0) {
    activate(c, rows, columns, p.cRow, p.bias == 0 ? 0 : p.bias + ((<usize>column0) << 2), p.activation);
  }
}

/** `sums += x[0] b[0, :] + .. + x[3] b[3, :]`, one after another. */
// @ts-expect-error: a decorator of AssemblyScript
@inline
function addFour(x: usize, b: usize, bRow: usize, sums: usize, whole: usize, rest: i32): void {
  const x0 = v128.load32_splat(x), x1 = v128.load32_splat(x, 4);
  const x2 = v128.load32_splat(x, 8), x3 = v128.load32_splat(x, 12);
  const b1 = b + bRow, b2 = b1 + bRow, b3 = b2 + bRow;
  for (let i: usize = 0; i < whole; i += 16) {
    let sum = multiplyAdd(x0, v128.load(b + i), v128.load(sums + i));
    sum = multiplyAdd(x1, v128.load(b1 + i), sum);
    sum = multiplyAdd(x2, v128.load(b2 + i), sum);
    v128.store(sums + i, multiplyAdd(x3, v128.load(b3 + i), sum));
  }
  if (rest != 0) {
    let sum = multiplyAdd(x0, loadLanes(b + whole, rest), v128.load(sums + whole));
    sum = multiplyAdd(x1, loadLanes(b1 + whole, rest), sum);
    sum = multiplyAdd(x2, loadLanes(b2 + whole, rest), sum);
    v128.store(sums + whole, multiplyAdd(x3, loadLanes(b3 + whole, rest), sum));
  }
}
