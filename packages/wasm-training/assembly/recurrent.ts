/** What the steps of recurrent cells share: their recurrent weights packed, and products of eight units. */
import { packPanel } from "./pack";
import { rowsTile, tileRows } from "./tiles";

const K_BLOCK = 512;

/** Eight units of `[h, gates h]`, gate by gate: `[units / 8][gates][h][8]`. */
export function packGates(recurrent: usize, units: i32, gates: i32, task: i32, packed: usize): void {
  const unit = task << 3, columns = min(8, units - unit);
  for (let gate = 0; gate < gates; gate++) {
    packPanel(
      recurrent + (<usize>(gate * units + unit) << 2), <usize>(units * gates) << 2, 4, units, columns,
      packed + (<usize>(task * gates + gate) * units << 5),
    );
  }
}

/** The same for the way back: `[units / 8][gates h][8]`. */
export function packGatesTurned(recurrent: usize, units: i32, gates: i32, task: i32, packed: usize): void {
  const unit = task << 3, wide = units * gates;
  packPanel(
    recurrent + (<usize>unit * wide << 2), 4, <usize>wide << 2, wide, min(8, units - unit),
    packed + (<usize>task * wide << 5),
  );
}

/** Rows of a batch that are taken together. */
export const ROWS = 96;

/** `to[rows, 8] = a[rows, k] b[k, 8]`, rows filled up to whole tiles. */
export function product(a: usize, k: i32, rows: i32, b: usize, to: usize, table: usize, tile: usize): void {
  const step = <usize>k << 2;
  for (let k0 = 0; k0 < k; k0 += K_BLOCK) {
    const block = min(K_BLOCK, k - k0);
    let c = to;
    for (let y = 0; y < rows; ) {
      const size = tileRows(rows - y);
      for (let r = 0; r < size; r++) {
        store<u32>(table + (<usize>r << 2), <u32>(a + <usize>min(y + r, rows - 1) * step + (<usize>k0 << 2)));
      }
      rowsTile(size, size, 8, 1, table, <usize>block << 2, b + (<usize>k0 << 5), 32, c, 32, k0 > 0, tile);
      c += <usize>size << 5;
      y += size;
    }
  }
}

/** The scratch of a task: a tile, a table, and from here on the products of each gate. */
export const PRODUCTS: usize = 256;
export const GATE_BYTES: usize = (ROWS + 6) << 5;
