export type Rows = readonly (readonly number[])[];

/** The weights of a published exercise: three inputs, units and outputs. */
export const elmanWeights = {
  W: [
    [1.76405235, 0.40015721, 0.97873798],
    [2.2408932, 1.86755799, -0.97727788],
    [0.95008842, -0.15135721, -0.10321885],
  ],
  V: [
    [0.4105985, 0.14404357, 1.45427351],
    [0.76103773, 0.12167502, 0.44386323],
    [0.33367433, 1.49407907, -0.20515826],
  ],
  U: [
    [0.3130677, -0.85409574, -2.55298982],
    [0.6536186, 0.8644362, -0.74216502],
    [2.26975462, -1.45436567, 0.04575852],
  ],
  b: [-0.18718385, 1.53277921, 1.46935877],
  c: [0.94374808, 0.6818203, 0.3595079],
} as const;

/** x V + b, where x is 1 in every place. */
const input = elmanWeights.b.map((b, j) => elmanWeights.V.reduce((sum, row) => sum + row[j]!, 0) + b);

/** The states h₁ … of `h_t = tanh(h_(t−1) W + x V + b)`, all of whose rows are one. */
export function elmanStates(steps: number, start: readonly number[] = [0, 0, 0]): number[][] {
  const states: number[][] = [];
  for (let t = 0; t < steps; t++) {
    const h = states.at(-1) ?? start;
    states.push(times([h], elmanWeights.W)[0]!.map((sum, j) => Math.tanh(sum + input[j]!)));
  }
  return states;
}

/**
 * The first row of `y_t = U h_t + c` for three forms of the step: A, `tanh(h W + x V + b)`; B, `tanh(h W) + x V + b`;
 * C, `z_t = tanh(z_(t−1)) W + x V + b` with `h = tanh(z)`. U stands on the left, as in the exercise, and so mixes the
 * rows of h, which are all one.
 */
export function elmanForms(steps: number): {
  readonly A: number[][];
  readonly B: number[][];
  readonly C: number[][];
} {
  const { W, U, c } = elmanWeights;
  const gain = U[0].reduce<number>((sum, u) => sum + u, 0);
  const output = (h: readonly number[]) => h.map((value, j) => gain * value + c[j]!);
  const B: number[][] = [];
  const C: number[][] = [];
  let h: readonly number[] = [0, 0, 0];
  let z: readonly number[] | null = null;
  for (let t = 0; t < steps; t++) {
    h = times([h], W)[0]!.map((sum, j) => Math.tanh(sum) + input[j]!);
    B.push(output(h));
    // The state before the first is 0, and so is its tanh.
    z = times([z === null ? [0, 0, 0] : z.map(Math.tanh)], W)[0]!.map((sum, j) => sum + input[j]!);
    C.push(output(z.map(Math.tanh)));
  }
  return { A: elmanStates(steps).map(output), B, C };
}

/** The product of two matrices. */
export function times(a: Rows, b: Rows): number[][] {
  return a.map((row) => b[0]!.map((_, j) => row.reduce((sum, value, i) => sum + value * b[i]![j]!, 0)));
}
