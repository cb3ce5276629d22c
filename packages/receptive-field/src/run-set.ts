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

/** Sets of more runs are not made: they would be all holes, and nothing that anybody reads. */
const mostRuns = 2 ** 20;

/** Throws where a set of about `runs` runs is about to be made. */
export function expectFewRuns(runs: number): void {
  if (runs <= mostRuns) return;
  throw new RangeError(`expected fields of at most ${mostRuns} runs of pixels, got about ${runs}`);
}

/** `{element + step · k}` for every element and every `k` in `first … last`. */
export function spreadSet(set: RunSet, step: number, first: number, last: number): RunSet {
  if (set.length === 0 || last < first) return emptySet;
  if (step === 0) return set;
  if (first === last) return shiftSet(set, step * first);
  const lo = set[0]!;
  const hi = set[set.length - 1]!;
  if (set.length === 2 && hi - lo + 1 >= step) return [lo + step * first, hi + step * last];
  // As many copies as reach across the set: further in, every copy adds the same pattern.
  const across = Math.ceil((hi - lo + 1) / step);
  if (last - first > 4 * across && coversResidues(set, step)) {
    const head = copies(set, step, first, first + across);
    const tail = copies(set, step, last - across, last);
    const middle = [lo + step * (first + across), hi + step * (last - across)];
    return unionSets([head, middle, tail]);
  }
  return copies(set, step, first, last);
}

function copies(set: RunSet, step: number, first: number, last: number): RunSet {
  expectFewRuns((last - first + 1) * (set.length / 2));
  const flat: number[] = [];
  for (let k = first; k <= last; k++) for (const end of set) flat.push(end + step * k);
  return normalize(flat);
}

/** Whether the elements leave every remainder modulo `step`. */
function coversResidues(set: RunSet, step: number): boolean {
  const flat: number[] = [];
  for (let i = 0; i < set.length; i += 2) {
    const length = set[i + 1]! - set[i]! + 1;
    if (length >= step) return true;
    const from = ((set[i]! % step) + step) % step;
    flat.push(from, Math.min(from + length - 1, step - 1));
    if (from + length > step) flat.push(0, from + length - 1 - step);
  }
  const covered = normalize(flat);
  return covered.length === 2 && covered[0] === 0 && covered[1] === step - 1;
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
