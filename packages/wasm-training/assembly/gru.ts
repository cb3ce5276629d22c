/**
 * One step of a gated recurrent unit, forward and backward, product and cell together: gates in the order r, z, n. As in
 * `lstm.ts`, a task has some units of all rows of the batch.
 */
import { sigmoid4, tanh4 } from "./functions";
import { loadLanes, storeLanes } from "./lanes";
import { GATE_BYTES, packGates, packGatesTurned, product, PRODUCTS, ROWS } from "./recurrent";

// @ts-expect-error: a decorator of AssemblyScript
@unmanaged
class GruStep {
  batch: i32;
  units: i32;
  unitsOfTask: i32;
  /** `[h, 3h]`, and packed; what is added to its products, `[3h]`. */
  recurrent: usize;
  packed: usize;
  recurrentBias: usize;
  /** `hBefore recurrent` where it has been computed, `[b, 3h]`; 0 where a task computes its own from what is packed. */
  products: usize;
  /** `[b, 3h]`: what the inputs give to the gates, or the gradients of that. */
  gates: usize;
  /** States before the step and after it, `[b, h]`. */
  hBefore: usize;
  h: usize;
  /** `[b, 4h]`: r, z, n, and what the state gives to n. */
  activations: usize;
  /** Gradients: of `h` from outside; of what the state gives to the gates, `[b, 3h]`, of this step and of the next (0 after the last one). */
  dOutputs: usize;
  dState: usize;
  dStateAfter: usize;
  /** What comes straight from the step after and goes to the one before, `[b, h]` each. */
  dThrough: usize;
  dThroughBefore: usize;
  /** The gradient of `h`: only where it is all that is asked for, before the first step. */
  dH: usize;
}

/** A task packs eight units. */
export function gruPackTask(at: usize, task: i32): void {
  const p = changetype<GruStep>(at);
  packGates(p.recurrent, p.units, 3, task, p.packed);
}

export function gruPackTurnedTask(at: usize, task: i32): void {
  const p = changetype<GruStep>(at);
  packGatesTurned(p.recurrent, p.units, 3, task, p.packed);
}

export function gruStepTask(at: usize, task: i32, scratch: usize): void {
  const p = changetype<GruStep>(at);
  const units = p.units, row = <usize>units << 2, wide: usize = 3 * row;
  const end = min(units, (task + 1) * p.unitsOfTask);
  const products = scratch + PRODUCTS;
  for (let unit = task * p.unitsOfTask; unit < end; unit += 8) {
    for (let row0 = 0; row0 < p.batch; row0 += ROWS) {
      const rows = min(ROWS, p.batch - row0);
      for (let gate = 0; gate < 3 && p.products == 0; gate++) {
        product(
          p.hBefore + <usize>row0 * row, units, rows, p.packed + (<usize>(3 * (unit >> 3) + gate) * units << 5),
          products + <usize>gate * GATE_BYTES, scratch + 192, scratch,
        );
      }
      for (let y = 0; y < rows; y++) {
        for (let u = 0; u < 8 && unit + u < end; u += 4) {
          const count = min(4, end - unit - u);
          const place = <usize>(unit + u) << 2, bias = p.recurrentBias + place;
          const state = <usize>(row0 + y) * row + place;
          const gates = p.gates + <usize>(row0 + y) * wide + place;
          const to = p.activations + (<usize>(row0 + y) * row << 2) + place;
          const from = p.products == 0
            ? products + (<usize>y << 5) + (<usize>u << 2)
            : p.products + <usize>(row0 + y) * wide + place;
          const fromStep = p.products == 0 ? GATE_BYTES : row;
          const ofR = f32x4.add(loadLanes(from, count), loadLanes(bias, count));
          const ofZ = f32x4.add(loadLanes(from + fromStep, count), loadLanes(bias + row, count));
          const ofN = f32x4.add(loadLanes(from + 2 * fromStep, count), loadLanes(bias + 2 * row, count));
          const r = sigmoid4(f32x4.add(loadLanes(gates, count), ofR));
          const z = sigmoid4(f32x4.add(loadLanes(gates + row, count), ofZ));
          const n = tanh4(f32x4.add(loadLanes(gates + 2 * row, count), f32x4.mul(r, ofN)));
          const before = loadLanes(p.hBefore + state, count);
          storeLanes(to, r, count);
          storeLanes(to + row, z, count);
          storeLanes(to + 2 * row, n, count);
          storeLanes(to + 3 * row, ofN, count);
          storeLanes(p.h + state, f32x4.add(n, f32x4.mul(z, f32x4.sub(before, n))), count);
        }
      }
    }
  }
}

/** `dH = dOutputs + dThrough + dStateAfter recurrentᵀ`, then the gradients of the gates and what goes to the step before. */
export function gruBackTask(at: usize, task: i32, scratch: usize): void {
  const p = changetype<GruStep>(at);
  const units = p.units, row = <usize>units << 2, wide: usize = 3 * row;
  const end = min(units, (task + 1) * p.unitsOfTask);
  const products = scratch + PRODUCTS;
  const one = f32x4.splat(1);
  for (let unit = task * p.unitsOfTask; unit < end; unit += 8) {
    for (let row0 = 0; row0 < p.batch; row0 += ROWS) {
      const rows = min(ROWS, p.batch - row0);
      if (p.dStateAfter != 0) {
        product(
          p.dStateAfter + <usize>row0 * wide, 3 * units, rows, p.packed + (<usize>(unit >> 3) * wide << 3),
          products, scratch + 192, scratch,
        );
      }
      for (let y = 0; y < rows; y++) {
        for (let u = 0; u < 8 && unit + u < end; u += 4) {
          const count = min(4, end - unit - u);
          const place = <usize>(unit + u) << 2;
          const state = <usize>(row0 + y) * row + place;
          const gate = <usize>(row0 + y) * wide + place;
          const saved = p.activations + (<usize>(row0 + y) * row << 2) + place;
          let dh = loadLanes(p.dThrough + state, count);
          if (p.dStateAfter != 0) dh = f32x4.add(dh, v128.load(products + (<usize>y << 5) + (<usize>u << 2)));
          if (p.dH != 0) {
            storeLanes(p.dH + state, dh, count);
            continue;
          }
          dh = f32x4.add(dh, loadLanes(p.dOutputs + state, count));
          const r = loadLanes(saved, count), z = loadLanes(saved + row, count);
          const n = loadLanes(saved + 2 * row, count), ofN = loadLanes(saved + 3 * row, count);
          const before = loadLanes(p.hBefore + state, count);
          const dn = f32x4.mul(f32x4.mul(dh, f32x4.sub(one, z)), f32x4.sub(one, f32x4.mul(n, n)));
          const dz = f32x4.mul(f32x4.mul(dh, f32x4.sub(before, n)), f32x4.mul(z, f32x4.sub(one, z)));
          const dr = f32x4.mul(f32x4.mul(dn, ofN), f32x4.mul(r, f32x4.sub(one, r)));
          storeLanes(p.gates + gate, dr, count);
          storeLanes(p.gates + gate + row, dz, count);
          storeLanes(p.gates + gate + 2 * row, dn, count);
          storeLanes(p.dState + gate, dr, count);
          storeLanes(p.dState + gate + row, dz, count);
          storeLanes(p.dState + gate + 2 * row, f32x4.mul(dn, r), count);
          storeLanes(p.dThroughBefore + state, f32x4.mul(dh, z), count);
        }
      }
    }
  }
}
