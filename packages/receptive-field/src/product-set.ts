import { clipSet, countSet, isSubset, type RunSet, unionSets } from "./run-set.js";
import { type AxisSets, addToUnion } from "./union-of-products.js";

/** All positions whose coordinate along each axis lies in that axis's set. */
export type ProductSet = readonly RunSet[];

const sets: AxisSets<RunSet> = { isWithin: isSubset, join: (a, b) => unionSets([a, b]) };

/** Adds a product to a union, leaving out what is redundant. Empty products add nothing. */
export function addProductSet(union: ProductSet[], product: ProductSet): void {
  if (product.every((set) => set.length > 0)) addToUnion(union, product, sets);
}

/** How many positions the union of products holds. */
export function countUnion(products: readonly ProductSet[], axis = 0): number {
  const [first] = products;
  if (first === undefined) return 0;
  if (products.length === 1) return first.slice(axis).reduce((count, set) => count * countSet(set), 1);
  if (axis === first.length - 1) return countSet(unionSets(products.map((product) => product[axis]!)));
  // Between neighbouring ends of runs the same products are present.
  const ends = new Set<number>();
  for (const product of products) {
    const set = product[axis]!;
    for (let i = 0; i < set.length; i += 2) ends.add(set[i]!).add(set[i + 1]! + 1);
  }
  const cuts = [...ends].sort((a, b) => a - b);
  let count = 0;
  for (let i = 0; i + 1 < cuts.length; i++) {
    const present = products.filter((product) => clipSet(product[axis]!, cuts[i]!, cuts[i]!).length > 0);
    if (present.length > 0) count += (cuts[i + 1]! - cuts[i]!) * countUnion(present, axis + 1);
  }
  return count;
}

/** Lowest and highest coordinate along one axis, or null when the union is empty. */
export function hullOfUnion(products: readonly ProductSet[], axis: number): [number, number] | null {
  if (products.length === 0) return null;
  const sets = products.map((product) => product[axis]!);
  return [Math.min(...sets.map((set) => set[0]!)), Math.max(...sets.map((set) => set[set.length - 1]!))];
}
