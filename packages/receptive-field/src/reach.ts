import { type AxisTaps, everything } from "./axis-taps.js";
import { greatestCommonDivisor, leastCommonMultiple } from "./integers.js";
import {
  emptySet,
  expectFewRuns,
  hullOf,
  isSubset,
  type RunSet,
  setsEqual,
  shiftSet,
  spreadSet,
  unionSets,
} from "./run-set.js";
import { type AxisSets, addToUnion } from "./union-of-products.js";

/**
 * What the units of a layer see of the input along one axis, as a periodic
 * rule: unit `u` sees `phases[u mod period] + shift · floor(u / period)`.
 * Borders are not in it: positions outside the input are meant as they stand.
 *
 * Every layer keeps this form. A chain of convolutions has period 1 and
 * `shift` is its jump; a transposed convolution brings phases.
 */
export interface AxisReach {
  readonly period: number;
  readonly shift: number;
  readonly phases: readonly RunSet[];
}

/** The product of one rule per axis. */
export type ProductReach = readonly AxisReach[];

/**
 * What the units of a layer see: the union of products. One product until
 * branches of different shape or different jump meet.
 */
export type Reach = readonly ProductReach[];

/** Above this common period, rules are kept apart instead of being joined into one (the union stays exact). */
const largestJoinedPeriod = 4096;

/** Longer periods are not followed: a table of so many boxes helps nobody. */
const largestPeriod = 2 ** 16;

/** Each pixel of the input sees itself. */
export const pixelReach: AxisReach = { period: 1, shift: 1, phases: [[0, 0]] };

/** The set that unit `u` sees. */
export function reachOf(reach: AxisReach, u: number): RunSet {
  if (reach.period === 1) return shiftSet(reach.phases[0]!, reach.shift === 0 ? 0 : reach.shift * u);
  const turn = Math.floor(u / reach.period);
  return shiftSet(reach.phases[u - turn * reach.period]!, reach.shift * turn);
}

/** What units see that read `taps` of units with the given reach. */
export function composeReach(reach: AxisReach, taps: AxisTaps): AxisReach {
  const turns = reach.period / greatestCommonDivisor(reach.period, taps.shift);
  const period = taps.period * turns;
  if (period > largestPeriod) {
    throw new RangeError(`expected boxes that repeat after at most ${largestPeriod} units, got ${period}`);
  }
  const shift = reach.shift === 0 ? 0 : (reach.shift * taps.shift * turns) / reach.period;
  const phases: RunSet[] = [];
  for (let unit = 0; unit < period; unit++) {
    const turn = Math.floor(unit / taps.period);
    const read = taps.phases[unit - turn * taps.period]!;
    phases.push(seenThrough(reach, shiftSet(read, taps.shift * turn)));
  }
  return shortestPeriod({ period, shift, phases });
}

/** The union of what the given units see. */
function seenThrough(reach: AxisReach, units: RunSet): RunSet {
  if (units.length === 0) return emptySet;
  if (units[0] === Number.NEGATIVE_INFINITY) return everything;
  const { period, shift, phases } = reach;
  expectFewRuns((units.length * phases[0]!.length) / 4);
  const seen: RunSet[] = [];
  for (let i = 0; i < units.length; i += 2) {
    const first = units[i]!;
    const last = units[i + 1]!;
    if (last - first < period) {
      for (let unit = first; unit <= last; unit++) seen.push(reachOf(reach, unit));
      continue;
    }
    for (const [phase, set] of phases.entries()) {
      const firstTurn = Math.ceil((first - phase) / period);
      const lastTurn = Math.floor((last - phase) / period);
      seen.push(spreadSet(set, shift, firstTurn, lastTurn));
    }
  }
  return unionSets(seen);
}

/** Whether some pixel lies further out than integers are exact. */
export function isBeyondIntegers({ shift, phases }: AxisReach): boolean {
  const inexact = (end: number) => Number.isFinite(end) && !Number.isSafeInteger(end);
  return !Number.isSafeInteger(shift) || phases.some((set) => set.some(inexact));
}

/** The same rule with the smallest period that describes it. */
function shortestPeriod(reach: AxisReach): AxisReach {
  const { period, shift, phases } = reach;
  for (let divisor = 1; divisor < period; divisor++) {
    if (period % divisor !== 0 || (shift * divisor) % period !== 0) continue;
    const step = (shift * divisor) / period;
    const repeats = phases.every((set, unit) => {
      const turn = Math.floor(unit / divisor);
      return turn === 0 || setsEqual(set, shiftSet(phases[unit - turn * divisor]!, step * turn));
    });
    if (repeats) return { period: divisor, shift: step, phases: phases.slice(0, divisor) };
  }
  return reach;
}

/** Whether units advance equally fast in both, so that one periodic rule can describe their union. */
export function advanceTogether(a: AxisReach, b: AxisReach): boolean {
  return (
    a.shift * b.period === b.shift * a.period &&
    leastCommonMultiple(a.period, b.period) <= largestJoinedPeriod
  );
}

/** The union of two rules that advance together. */
export function joinReach(a: AxisReach, b: AxisReach): AxisReach {
  const period = leastCommonMultiple(a.period, b.period);
  const phases = Array.from({ length: period }, (_, u) => unionSets([reachOf(a, u), reachOf(b, u)]));
  return shortestPeriod({ period, shift: (a.shift * period) / a.period, phases });
}

/** Whether every unit sees in `a` no more than in `b`. */
function isReachWithin(a: AxisReach, b: AxisReach): boolean {
  if (a === b) return true;
  if (b.period === 1 && b.shift === 0 && b.phases[0]![0] === Number.NEGATIVE_INFINITY) return true;
  if (!advanceTogether(a, b)) return false;
  const period = leastCommonMultiple(a.period, b.period);
  for (let u = 0; u < period; u++) {
    if (!isSubset(reachOf(a, u), reachOf(b, u))) return false;
  }
  return true;
}

const rules: AxisSets<AxisReach> = {
  isWithin: isReachWithin,
  join: (a, b) => (advanceTogether(a, b) ? joinReach(a, b) : null),
};

/**
 * The union of products with what is redundant removed: a product inside
 * another one goes, and two that differ along one axis only become one.
 */
export function uniteReach(products: readonly ProductReach[]): Reach {
  const kept: ProductReach[] = [];
  for (const product of products) addToUnion(kept, product, rules);
  return kept;
}

/** The box of unit `u` along one axis: lowest and highest pixel seen through any product, or null. */
export function hullAt(reaches: readonly AxisReach[], u: number): [number, number] | null {
  let hull: [number, number] | null = null;
  for (const reach of reaches) {
    const own = hullOf(reachOf(reach, u));
    if (own === null) continue;
    hull = hull === null ? own : [Math.min(hull[0], own[0]), Math.max(hull[1], own[1])];
  }
  return hull;
}
