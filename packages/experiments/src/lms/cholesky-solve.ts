import type { Matrix } from "@gradlab/lms";

/**
 * The least-squares weights by the normal equations `XᵀX w = Xᵀd` and a Cholesky factor `XᵀX = L Lᵀ`: a way that has
 * no step in common with orthogonalisation, to compare with.
 */
export function choleskySolve({ rows, columns: m, data }: Matrix, d: Float64Array): number[] {
  const column = (i: number, k: number) => data[k * m + i]!;
  const sum = (term: (k: number) => number) => {
    let total = 0;
    for (let k = 0; k < rows; k++) total += term(k);
    return total;
  };
  const L: number[][] = [];
  const z: number[] = [];
  for (let i = 0; i < m; i++) {
    const row: number[] = [];
    for (let j = 0; j <= i; j++) {
      let entry = sum((k) => column(i, k) * column(j, k));
      for (let l = 0; l < j; l++) entry -= row[l]! * (j === i ? row[l]! : L[j]![l]!);
      row.push(j === i ? Math.sqrt(entry) : entry / L[j]![j]!);
    }
    L.push(row);
    let right = sum((k) => column(i, k) * d[k]!);
    for (let l = 0; l < i; l++) right -= row[l]! * z[l]!;
    z.push(right / row[i]!);
  }
  const w = new Array<number>(m).fill(0);
  for (let i = m - 1; i >= 0; i--) {
    let right = z[i]!;
    for (let l = i + 1; l < m; l++) right -= L[l]![i]! * w[l]!;
    w[i] = right / L[i]![i]!;
  }
  return w;
}
