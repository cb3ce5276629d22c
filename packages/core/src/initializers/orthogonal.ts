import { fillNormal } from "@gradlab/random";
import type { Tensor } from "@tensorflow/tfjs-core";
import { expectPositive } from "../expect-values.js";
import { fansOf } from "./fans.js";
import { expectSizes, type InitKey, make } from "./random-tensor.js";

export interface OrthogonalOptions extends InitKey {
  /** The length of the orthogonal vectors, greater than 0; 1 unless given. */
  readonly gain?: number;
}

/**
 * Orthogonal initialization. The weight as a matrix `[.. · in, out]` has orthogonal columns when it is at least as
 * high as wide, and orthogonal rows when it is wider, all of length `gain`; it is drawn from the uniform (Haar)
 * distribution of such matrices.
 *
 * The factor Q of a matrix of normal numbers, with the diagonal of R positive, by the modified Gram-Schmidt process in
 * double precision: it takes `max · min²` multiplications and additions for the sides of the matrix.
 *
 * @param shape `[in, out]` or `[..window, in, out]`.
 * @returns float32; the caller disposes it.
 * @throws {ShapeError} when `shape` has fewer than two axes, or an axis of size 0.
 * @throws {TypeError | RangeError} when a size or an option is out of range.
 * @see Saxe, McClelland, Ganguli 2014, https://arxiv.org/abs/1312.6120; Mezzadri 2007, §4,
 *   https://arxiv.org/abs/math-ph/0609050 (why the diagonal must be positive)
 */
export function orthogonal(shape: readonly number[], options: OrthogonalOptions): Tensor {
  expectSizes("orthogonal", shape);
  const { gain = 1 } = options;
  expectPositive("orthogonal: gain", gain);
  fansOf("orthogonal", shape, {});
  const columns = shape.at(-1)!;
  const rows = shape.slice(0, -1).reduce((a, b) => a * b, 1);
  const count = Math.min(rows, columns);
  const length = Math.max(rows, columns);
  return make(shape, options, (stream, values) => {
    const vectors = Array.from({ length: count }, () => fillNormal(stream, new Float64Array(length)));
    orthonormalize(vectors);
    for (const [i, vector] of vectors.entries()) {
      for (const [j, value] of vector.entries()) {
        values[rows < columns ? i * columns + j : j * columns + i] = gain * value;
      }
    }
    return values;
  });
}

/** The modified Gram-Schmidt process, in place. */
function orthonormalize(vectors: readonly Float64Array[]): void {
  for (const [i, vector] of vectors.entries()) {
    const scale = 1 / Math.sqrt(dot(vector, vector));
    for (let k = 0; k < vector.length; k++) vector[k]! *= scale;
    for (const other of vectors.slice(i + 1)) {
      const along = dot(vector, other);
      for (let k = 0; k < vector.length; k++) other[k]! -= along * vector[k]!;
    }
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
