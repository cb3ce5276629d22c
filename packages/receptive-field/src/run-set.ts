/**
 * A finite set of integers as sorted, disjoint, non-touching runs
 * `[lo0, hi0, lo1, hi1, …]`, both ends included. A run may reach from
 * −Infinity to Infinity ("everything, however large the input is").
 */
export type RunSet = readonly number[];

export const emptySet: RunSet = [];

/** Sorts and joins runs given in any order. `flat` holds lo, hi pairs. */
function normalize(flat: number[]): RunSet {
  if (flat.length <= 2) return flat;
  let sorted = true;
  for (let i = 2; i < flat.length; i += 2) {
    if (flat[i]! <= flat[i - 1]! + 1) {
      sorted = false;
      break;
    }
  }
  if (sorted) return flat;
  const order: number[] = [];
  for (let i = 0; i < flat.length; i += 2) order.push(i);
  order.sort((a, b) => flat[a]! - flat[b]!);
  const runs: number[] = [];
  for (const i of order) {
    const lo = flat[i]!;
    const hi = flat[i + 1]!;
    const last = runs.length - 1;
    if (last > 0 && lo <= runs[last]! + 1) {
      if (hi > runs[last]!) runs[last] = hi;
    } else {
      runs.push(lo, hi);
    }
  }
  return runs;
}

export function unionSets(sets: readonly RunSet[]): RunSet {
  if (sets.length === 1) return sets[0]!;
  return normalize(sets.flat());
}

export function shiftSet(set: RunSet, by: number): RunSet {
  return by === 0 ? set : set.map((end) => end + by);
}

/** `{element + step · k}` for every element and every `k` in `first … last`. */
export function spreadSet(set: RunSet, step: number, first: number, last: number): RunSet {
  if (set.length === 0 || last < first) return emptySet;
  if (step === 0 || first === last) return shiftSet(set, step === 0 ? 0 : step * first);
  if (set.length === 2 && set[1]! - set[0]! + 1 >= step) {
    return [set[0]! + step * first, set[1]! + step * last];
  }
  const flat: number[] = [];
  for (let k = first; k <= last; k++) for (const end of set) flat.push(end + step * k);
  return normalize(flat);
}

export function clipSet(set: RunSet, lo: number, hi: number): RunSet {
  if (set.length === 0 || (set[0]! >= lo && set[set.length - 1]! <= hi)) return set;
  const runs: number[] = [];
  for (let i = 0; i < set.length; i += 2) {
    const from = Math.max(set[i]!, lo);
    const to = Math.min(set[i + 1]!, hi);
    if (from <= to) runs.push(from, to);
  }
  return runs;
}

export function countSet(set: RunSet): number {
  let count = 0;
  for (let i = 0; i < set.length; i += 2) count += set[i + 1]! - set[i]! + 1;
  return count;
}

/** Lowest and highest element, or null when empty. */
export function hullOf(set: RunSet): [number, number] | null {
  return set.length === 0 ? null : [set[0]!, set[set.length - 1]!];
}

export function setsIntersect(a: RunSet, b: RunSet): boolean {
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    if (a[i + 1]! < b[j]!) i += 2;
    else if (b[j + 1]! < a[i]!) j += 2;
    else return true;
  }
  return false;
}

/** Whether every element of `a` is in `b`. */
export function isSubset(a: RunSet, b: RunSet): boolean {
  let j = 0;
  for (let i = 0; i < a.length; i += 2) {
    while (j < b.length && b[j + 1]! < a[i]!) j += 2;
    if (j >= b.length || b[j]! > a[i]! || b[j + 1]! < a[i + 1]!) return false;
  }
  return true;
}

export function setsEqual(a: RunSet, b: RunSet): boolean {
  return a.length === b.length && a.every((end, i) => end === b[i]);
}

/** A set from elements in any order. */
export function setOf(elements: Iterable<number>): RunSet {
  const flat: number[] = [];
  for (const element of elements) flat.push(element, element);
  return normalize(flat);
}
