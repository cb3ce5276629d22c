import { costs } from "../../costs.js";
import type { TensorInfo } from "../../heap.js";

/** As in `assembly/recurrent.ts`: a tile, a table and the products of each gate for 96 rows and a tile. */
export const scratchOf = (gates: number): number => 256 + gates * (96 + 6) * 32;

/** Multiplications of a task that are worth a thread's while. */
const WORK = 500_000;

export interface Sizes {
  readonly steps: number;
  readonly batch: number;
  readonly units: number;
}

/** Of a tensor `[t, b, gates h]`. */
export const sizesOf = ({ shape }: TensorInfo, gates: number): Sizes => {
  const [steps, batch, wide] = shape as [number, number, number];
  return { steps, batch, units: wide / gates };
};

/** Whole eights of units, in as few tasks as have enough to do. */
export function unitsOfTask({ batch, units }: Sizes, gates: number): number {
  const eights = Math.ceil(WORK / Math.max(1, batch * units * 8 * gates));
  return 8 * Math.min(Math.max(1, eights), Math.ceil(units / 8));
}

/** Nanoseconds of one thread for a step; without its product where that is a job of its own. */
export const workOf = ({ batch, units }: Sizes, gates: number, multiplies = true): number =>
  batch * units * gates * ((multiplies ? units : 0) + 20) * costs.companion.product;

/** Nanoseconds of one thread to pack the recurrent weights. */
export const packingOf = ({ units }: Sizes, gates: number): number =>
  gates * units * units * costs.companion.pack;

/**
 * Whether the recurrent weights are packed before the first step: that reads and writes all of them, and pays for many
 * rows, or where several steps read them for several rows. Otherwise each step multiplies with the weights where they
 * stand, to the same sums. (Measured with 64, 256 and 1024 units, 1 to 30 steps, 1 to 6 rows, on one thread and two.)
 */
export const packsRecurrent = ({ steps, batch }: Sizes): boolean =>
  batch > 1 && (steps > 4 || batch > costs.companion.thinUpTo);
