import { rangeMismatch } from "./expect-argument.js";
import { expectInteger } from "./expect-values.js";

/** Vectors of tokens that have been read: `[tokens, size]`, row by row. */
export interface EmbeddingTable {
  readonly table: ArrayLike<number>;
  readonly size: number;
}

export interface VectorDistance {
  readonly euclidean: number;
  /** `1 - cos`, in [0, 2]; NaN where a vector is 0. */
  readonly cosine: number;
}

export interface Neighbour extends VectorDistance {
  readonly id: number;
}

/**
 * How far the vectors of two tokens are apart, in double precision.
 *
 * @throws {TypeError | RangeError} when an id is out of range.
 */
export function embeddingDistance(embedding: EmbeddingTable, a: number, b: number): VectorDistance {
  const [x, y] = [rowOf("embeddingDistance: a", embedding, a), rowOf("embeddingDistance: b", embedding, b)];
  return distanceOf(x, y);
}

/**
 * The tokens whose vectors are nearest to that of a token, nearest first, without itself.
 *
 * @param count How many, at least 1; fewer where there are no more.
 * @param by `"cosine"` unless given.
 * @throws {TypeError | RangeError} when an argument is not as stated.
 */
export function nearestNeighbours(
  embedding: EmbeddingTable,
  id: number,
  { count = 5, by = "cosine" }: { readonly count?: number; readonly by?: "cosine" | "euclidean" } = {},
): Neighbour[] {
  expectInteger("nearestNeighbours: count", count, 1);
  const own = rowOf("nearestNeighbours: id", embedding, id);
  const tokens = embedding.table.length / embedding.size;
  const others = Array.from({ length: tokens }, (_, other) => ({
    id: other,
    ...distanceOf(own, rowOf("nearestNeighbours: table", embedding, other)),
  })).filter((other) => other.id !== id);
  return others.sort((a, b) => a[by] - b[by] || a.id - b.id).slice(0, count);
}

function rowOf(where: string, { table, size }: EmbeddingTable, id: number): Float64Array {
  const tokens = table.length / size;
  if (!Number.isSafeInteger(id) || id < 0 || id >= tokens)
    throw rangeMismatch(where, `an id in [0, ${tokens})`, id);
  return Float64Array.from({ length: size }, (_, i) => table[id * size + i]!);
}

function distanceOf(x: Float64Array, y: Float64Array): VectorDistance {
  let [square, product, ofX, ofY] = [0, 0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    square += (x[i]! - y[i]!) ** 2;
    product += x[i]! * y[i]!;
    ofX += x[i]! ** 2;
    ofY += y[i]! ** 2;
  }
  return { euclidean: Math.sqrt(square), cosine: 1 - product / Math.sqrt(ofX * ofY) };
}
