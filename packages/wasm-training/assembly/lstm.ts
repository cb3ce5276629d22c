/**
 * One step of an LSTM, forward and backward, product and cell together: gates in the order i, f, g, o.
 *
 * A task has some units of all rows of the batch. Forward, the four products of eight units stand in scratch until
 * the cell has been computed from them, unless an earlier job has computed all of them; backward, the gradient of `h` comes from the gates' gradients of the step
 * after, which an earlier job has completed. Every sum is taken in the order of `assembly/matrix-product.ts`.
 */
import { sigmoid4, tanh4 } from "./functions";
import { loadLanes, storeLanes } from "./lanes";
import { GATE_BYTES, packGates, packGatesTurned, product, PRODUCTS, ROWS } from "./recurrent";

// @ts-expect-error: a decorator of AssemblyScript
@unmanaged
class LstmStep {
  batch: i32;
  units: i32;
  unitsOfTask: i32;
  /** `[h, 4h]`, and packed: `[units / 8][4][h][8]` forward, `[units / 8][4h][8]` backward. */
  recurrent: usize;
  packed: usize;
  /** `hBefore recurrent` where it has been computed, `[b, 4h]`; 0 where a task computes its own from what is packed. */
  products: usize;
  /** `[b, 4h]`: what the inputs give to the gates, or the gradients of the gates. */
  gates: usize;
  /** States before the step and after it, `[b, h]`. */
  hBefore: usize;
  cBefore: usize;
  h: usize;
  c: usize;
  /** `[b, 4h]`, the gates after their functions. */
  activations: usize;
  /** Gradients: of `h` and `c` from outside, of the gates of the next step (0 after the last one). */
  dOutputs: usize;
  dCells: usize;
  dGatesAfter: usize;
  /** The gradient of `c` that comes from the step after and goes to the one before, `[b, h]` each. */
  dC: usize;
  dCBefore: usize;
  /** The gradient of `h`: only where it is all that is asked for, before the first step. */
  dH: usize;
}

/** A task packs eight units. */
export function lstmPackTask(at: usize, task: i32): void {
  const p = changetype<LstmStep>(at);
  packGates(p.recurrent, p.units, 4, task, p.packed);
}

export function lstmPackTurnedTask(at: usize, task: i32): void {
  const p = changetype<LstmStep>(at);
  packGatesTurned(p.recurrent, p.units, 4, task, p.packed);
}

export function lstmStepTask(at: usize, task: i32, scratch: usize): void {
  const p = changetype<LstmStep>(at);
  const units = p.units, wide = <usize>units << 4, row4 = <usize>units << 2;
  const end = min(units, (task + 1) * p.unitsOfTask);
  const products = scratch + PRODUCTS;
  for (let unit = task * p.unitsOfTask; unit < end; unit += 8) {
    for (let row0 = 0; row0 < p.batch; row0 += ROWS) {
      const rows = min(ROWS, p.batch - row0);
      for (let gate = 0; gate < 4 && p.products == 0; gate++) {
        product(
          p.hBefore + <usize>row0 * row4, units, rows, p.packed + (<usize>((unit >> 1) + gate) * units << 5),
          products + <usize>gate * GATE_BYTES, scratch + 192, scratch,
        );
      }
      for (let y = 0; y < rows; y++) {
        for (let u = 0; u < 8 && unit + u < end; u += 4) {
          const count = min(4, end - unit - u);
          const place = <usize>(unit + u) << 2;
          const state = <usize>(row0 + y) * row4 + place;
          const gates = p.gates + <usize>(row0 + y) * wide + place;
          const z = p.products == 0
            ? products + (<usize>y << 5) + (<usize>u << 2)
            : p.products + <usize>(row0 + y) * wide + place;
          const zStep = p.products == 0 ? GATE_BYTES : row4;
          const to = p.activations + <usize>(row0 + y) * wide + place;
          const i = sigmoid4(f32x4.add(loadLanes(gates, count), loadLanes(z, count)));
          const f = sigmoid4(f32x4.add(loadLanes(gates + row4, count), loadLanes(z + zStep, count)));
          const g = tanh4(f32x4.add(loadLanes(gates + 2 * row4, count), loadLanes(z + 2 * zStep, count)));
          const o = sigmoid4(f32x4.add(loadLanes(gates + 3 * row4, count), loadLanes(z + 3 * zStep, count)));
          const c = f32x4.add(f32x4.mul(f, loadLanes(p.cBefore + state, count)), f32x4.mul(i, g));
          storeLanes(to, i, count);
          storeLanes(to + row4, f, count);
          storeLanes(to + 2 * row4, g, count);
          storeLanes(to + 3 * row4, o, count);
          storeLanes(p.c + state, c, count);
          storeLanes(p.h + state, f32x4.mul(o, tanh4(c)), count);
        }
      }
    }
  }
}

/** `dH = dOutputs + dGatesAfter recurrentᵀ`, then the gradients of the gates and of the cell before. */
export function lstmBackTask(at: usize, task: i32, scratch: usize): void {
  const p = changetype<LstmStep>(at);
  const units = p.units, wide = <usize>units << 4, row4 = <usize>units << 2;
  const end = min(units, (task + 1) * p.unitsOfTask);
  const products = scratch + PRODUCTS;
  const one = f32x4.splat(1);
  for (let unit = task * p.unitsOfTask; unit < end; unit += 8) {
    for (let row0 = 0; row0 < p.batch; row0 += ROWS) {
      const rows = min(ROWS, p.batch - row0);
      if (p.dGatesAfter != 0) {
        product(
          p.dGatesAfter + <usize>row0 * wide, units << 2, rows, p.packed + (<usize>(unit >> 3) * wide << 3),
          products, scratch + 192, scratch,
        );
      }
      for (let y = 0; y < rows; y++) {
        for (let u = 0; u < 8 && unit + u < end; u += 4) {
          const count = min(4, end - unit - u);
          const place = <usize>(unit + u) << 2;
          const state = <usize>(row0 + y) * row4 + place;
          const gate = <usize>(row0 + y) * wide + place;
          let dh = f32x4.splat(0);
          if (p.dGatesAfter != 0) dh = v128.load(products + (<usize>y << 5) + (<usize>u << 2));
          if (p.dH != 0) {
            storeLanes(p.dH + state, dh, count);
            continue;
          }
          dh = f32x4.add(dh, loadLanes(p.dOutputs + state, count));
          const i = loadLanes(p.activations + gate, count);
          const f = loadLanes(p.activations + gate + row4, count);
          const g = loadLanes(p.activations + gate + 2 * row4, count);
          const o = loadLanes(p.activations + gate + 3 * row4, count);
          const squashed = tanh4(loadLanes(p.c + state, count));
          let dc = f32x4.mul(f32x4.mul(dh, o), f32x4.sub(one, f32x4.mul(squashed, squashed)));
          dc = f32x4.add(dc, f32x4.add(loadLanes(p.dCells + state, count), loadLanes(p.dC + state, count)));
          storeLanes(p.dCBefore + state, f32x4.mul(dc, f), count);
          const cBefore = loadLanes(p.cBefore + state, count);
          const di = f32x4.mul(f32x4.mul(dc, g), f32x4.mul(i, f32x4.sub(one, i)));
          const df = f32x4.mul(f32x4.mul(dc, cBefore), f32x4.mul(f, f32x4.sub(one, f)));
          const dg = f32x4.mul(f32x4.mul(dc, i), f32x4.sub(one, f32x4.mul(g, g)));
          const dOut = f32x4.mul(f32x4.mul(dh, squashed), f32x4.mul(o, f32x4.sub(one, o)));
          storeLanes(p.gates + gate, di, count);
          storeLanes(p.gates + gate + row4, df, count);
          storeLanes(p.gates + gate + 2 * row4, dg, count);
          storeLanes(p.gates + gate + 3 * row4, dOut, count);
        }
      }
    }
  }
}
