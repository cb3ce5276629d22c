/** The steps of a recurrent cell forward, one after another: what an LSTM and a GRU share. */
import type { Companion } from "../../companion/companion.js";
import { multiplyAt } from "../../companion/multiply.js";
import { withMemory } from "../../companion/with-memory.js";
import { packingOf, packsRecurrent, type Sizes, scratchOf, unitsOfTask, workOf } from "./recurrent-sizes.js";

export interface ForwardSteps {
  readonly sizes: Sizes;
  readonly gates: number;
  /** Jobs: packs eight units; computes a task of a step. */
  readonly pack: number;
  readonly step: number;
  readonly recordBytes: number;
  /** Addresses: the recurrent weights, the state h before the first step, and those after all steps. */
  readonly recurrent: number;
  readonly h: number;
  readonly outputs: number;
}

/** Addresses of a step; of `packed` and `products` one is 0. */
export interface StepFrom {
  readonly recurrent: number;
  readonly packed: number;
  readonly products: number;
  readonly hBefore: number;
}

/** @param recordOf The record of step t, whose tasks have `each` units. */
export function runForward(
  companion: Companion,
  { sizes, gates, pack, step, recordBytes, recurrent, h, outputs }: ForwardSteps,
  recordOf: (t: number, each: number, from: StepFrom) => number[],
): void {
  const { steps, batch, units } = sizes;
  const state = batch * units * 4;
  const panels = Math.ceil(units / 8);
  const packs = packsRecurrent(sizes);
  const each = unitsOfTask(sizes, gates);
  const scratchBytes = scratchOf(gates);
  const spaceBytes = packs ? panels * gates * units * 32 : gates * state;
  withMemory(companion, [recordBytes, spaceBytes, scratchBytes * companion.threads], (...parts) => {
    const [record, space, scratch] = parts as [number, number, number];
    const from = { recurrent, packed: packs ? space : 0, products: packs ? 0 : space };
    for (let t = 0; t < steps; t++) {
      const hBefore = t === 0 ? h : outputs + (t - 1) * state;
      companion.write(record, recordOf(t, each, { ...from, hBefore }));
      if (!packs) {
        const [m, n, k] = [batch, gates * units, units];
        multiplyAt(companion, { m, n, k, a: hBefore, b: recurrent, out: space });
      } else if (t === 0) {
        companion.run(pack, record, panels, scratch, scratchBytes, packingOf(sizes, gates));
      }
      const work = workOf(sizes, gates, packs);
      companion.run(step, record, Math.ceil(units / each), scratch, scratchBytes, work);
    }
  });
}
