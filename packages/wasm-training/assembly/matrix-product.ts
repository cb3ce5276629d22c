/**
 * `c = activation(a b + bias)` for a batch of matrices of any leading
 * dimensions, `a` and `b` transposed or not.
 *
 * A task computes a block of rows by a block of columns. The sum over k is cut
 * into blocks of 512, so that a panel stays in the first cache and rounding
 * errors stay small; the cuts are the same for every size and every path.
 */
import { activate } from "./activation";
import { packPanel, packRows } from "./pack";
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
  /** The second matrices in panels, or 0: then the columns of `b` are neighbours and are read where they are. */
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
  const bStep: usize = packed ? 32 : p.bRow;
  // From one panel of 8 columns to the next.
  const bPanel: usize = packed ? (<usize>p.k) << 5 : 32;
  const b = packed
    ? p.packed + load<u32>(offsets, 12) + (<usize>column0 >> 3) * bPanel
    : p.b + load<u32>(offsets, 4) + ((<usize>column0) << 2);
  const byRows = p.aColumn == 4;
  const tile = scratch,
    table = scratch + 192;
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
      let panel = table;
      for (let y = 0; y < rows; ) {
        const size = tileRows(rows - y);
        packRows(aBlock + (<usize>y << 2), p.aColumn, size, k, panel);
        panel += <usize>(k * size) << 2;
        y += size;
      }
    }
    for (let x = 0; x < columns; x += 8) {
      const bAt = b + (<usize>x >> 3) * bPanel + <usize>k0 * bStep;
      const inside = min(8, columns - x);
      let entry = table;
      for (let y = 0; y < rows; ) {
        const size = tileRows(rows - y),
          within = min(size, rows - y);
        const cAt = c + <usize>y * p.cRow + ((<usize>x) << 2);
        if (byRows) {
          rowsTile(size, within, inside, 1, entry, (<usize>k) << 2, bAt, bStep, cAt, p.cRow, k0 > 0, tile);
          entry += 24;
        } else {
          columnsTile(
            size,
            within,
            inside,
            k,
            aBlock + ((<usize>y) << 2),
            p.aColumn,
            bAt,
            bStep,
            cAt,
            p.cRow,
            k0 > 0,
            tile,
          );
        }
        y += size;
      }
    }
  }
  if (p.bias != 0 || p.activation != 0) {
    activate(c, rows, columns, p.cRow, p.bias == 0 ? 0 : p.bias + ((<usize>column0) << 2), p.activation);
  }
}
