import type { Border } from "./axis-step.js";
import { clipSet, type RunSet, setOf, unionSets } from "./run-set.js";

/** Positions outside the layer: dropped, or replaced by the units that stand for them. */
export function intoBorders(set: RunSet, border: Border, n: number | null): RunSet {
  const inside = clipSet(set, 0, n === null ? Number.POSITIVE_INFINITY : n - 1);
  if (inside === set || border === "constant") return inside;
  const stands = new Set<number>();
  const below = clipSet(set, Number.NEGATIVE_INFINITY, -1);
  const above = n === null ? [] : clipSet(set, n, Number.POSITIVE_INFINITY);
  for (const side of [below, above]) {
    for (let i = 0; i < side.length; i += 2) {
      for (let position = side[i]!; position <= side[i + 1]!; position++) {
        stands.add(standsFor(position, border, n));
      }
    }
  }
  return unionSets([inside, setOf(stands)]);
}

/** The unit inside whose value is found at a position outside. */
function standsFor(position: number, border: Border, n: number | null): number {
  if (border === "edge") return position < 0 ? 0 : n! - 1;
  const offset = border === "reflect" ? 0 : 1;
  if (n === null) return -position - offset;
  if (n === 1) return 0;
  const turn = border === "reflect" ? 2 * (n - 1) : 2 * n;
  const folded = ((position % turn) + turn) % turn;
  return folded < n ? folded : turn - folded - offset;
}

/** A set together with the positions outside at which its values are found again (as far as one mirroring reaches). */
export function withMirrorImages(set: RunSet, border: Border, n: number | null): RunSet {
  if (border === "constant" || set.length === 0) return set;
  const images: RunSet[] = [set];
  if (border === "edge") {
    if (set[0] === 0) images.push([Number.NEGATIVE_INFINITY, -1]);
    if (n !== null && set[set.length - 1] === n - 1) images.push([n, Number.POSITIVE_INFINITY]);
    return unionSets(images);
  }
  const offset = border === "reflect" ? 0 : 1;
  for (let i = 0; i < set.length; i += 2) {
    images.push([-set[i + 1]! - offset, -set[i]! - offset]);
    if (n !== null) {
      const about = 2 * (n - 1) + offset;
      images.push([about - set[i + 1]!, about - set[i]!]);
    }
  }
  return unionSets(images);
}
