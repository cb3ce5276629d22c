import { inputMoments, leastSquares, type Matrix, symmetricEigen } from "@gradlab/lms";

interface Path {
  readonly X: Matrix;
  readonly d: Float64Array;
  readonly mu: number;
  readonly steps: number;
}

/** Weights from zero on, a step per batch: `w += μ · mean of e x` over the next `size` rows, the first ones again after the last. */
export function batchPath({ X, d, mu, size, steps }: Path & { readonly size: number }): number[][] {
  const { rows, columns: m, data } = X;
  let w = new Array<number>(m).fill(0);
  const path = [w];
  for (let step = 0, k = 0; step < steps; step++) {
    const mean = new Array<number>(m).fill(0);
    for (let i = 0; i < size; i++, k = (k + 1) % rows) {
      const x = data.subarray(k * m, (k + 1) * m);
      const e = x.reduce((rest, value, j) => rest - w[j]! * value, d[k]!);
      for (const j of mean.keys()) mean[j]! += (e * x[j]!) / size;
    }
    w = w.map((value, j) => value + mu * mean[j]!);
    path.push(w);
  }
  return path;
}

/** Where steps along all rows end: `w* + V (1 − μλ)ⁿ Vᵀ (w₀ − w*)` from `w₀ = 0`, with the eigenvectors V of R. */
export function pathInClosedForm({ X, d, mu, steps }: Path): number[] {
  const best = leastSquares(X, d).weights;
  const { values, vectors } = symmetricEigen(inputMoments(X, d).R);
  const m = X.columns;
  const end = [...best];
  for (let k = 0; k < m; k++) {
    let start = 0;
    for (let i = 0; i < m; i++) start -= vectors.data[i * m + k]! * best[i]!;
    for (let i = 0; i < m; i++) end[i]! += vectors.data[i * m + k]! * start * (1 - mu * values[k]!) ** steps;
  }
  return end;
}

/** Closed curves of equal error in the plane of the last two of three weights, the first at its best. */
export function levelEllipses(X: Matrix, best: Float64Array): (readonly [number, number])[][] {
  const mean = (i: number, j: number) => {
    let sum = 0;
    for (let k = 0; k < X.rows; k++) sum += (X.data[3 * k + i]! * X.data[3 * k + j]!) / X.rows;
    return sum;
  };
  // The error is ½ uᵀ A u around the best weights: u = (√(2c) / √(directionᵀ A direction)) · direction.
  const [a, b, c] = [mean(1, 1), mean(1, 2), mean(2, 2)];
  return [0.05, 0.2, 0.45, 0.8].map((error) =>
    Array.from({ length: 91 }, (_, i) => {
      const angle = (i * Math.PI) / 45;
      const [x, y] = [Math.cos(angle), Math.sin(angle)];
      const radius = Math.sqrt((2 * error) / (a * x * x + 2 * b * x * y + c * y * y));
      return [best[1]! + radius * x, best[2]! + radius * y] as const;
    }),
  );
}
