import { learningCurves, matrixGrid } from "@gradlab/figures";
import { eigenvalues, singularValues } from "@gradlab/lms";
import { check } from "@gradlab/studies";
import { defineExperiment } from "../experiment.js";
import { elmanForms, elmanStates, elmanWeights, type Rows, times } from "./elman.js";

const steps = 20;

/** An eigenvalue above 1 that makes nothing explode, and three forms of one network. */
export const elmanJacobian = defineExperiment({
  id: "claims/elman-jacobian",
  title: "An eigenvalue above 1 does not make gradients explode",
  about:
    "“The largest eigenvalue of W is above 1, so gradients explode.” The gradient over time is a product of W diag(1 − h²), " +
    "not of W alone. A network h_t = tanh(h_(t−1) W + x V + b) of three units, its input 1 at every step, has a W of spectral radius 2.824; " +
    "yet all units saturate, and the norm of ∂h_t/∂h₁, the largest singular value of the product of the Jacobians " +
    "from h₂ to h_t, is 0.0156 for h₂ and 7e-56 for h₂₀. The bound by norms, ‖W‖^(t−1), is no prediction. Also, " +
    "“the three forms of the network are the same”: moving tanh in front of the product (C) gives the same states, adding x V + b outside of tanh (B) does not.",
  async *run() {
    const { W } = elmanWeights;
    const states = elmanStates(steps);
    const norms: number[] = [];
    let product: Rows = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]; // biome-ignore format: a matrix
    for (const h of states.slice(1)) {
      product = times(
        product,
        W.map((row) => row.map((w, j) => w * (1 - h[j]! ** 2))),
      );
      norms.push(normOf(product));
    }
    const { re, im } = eigenvalues(W);
    return {
      radius: Math.max(...Array.from(re, (value, i) => Math.hypot(value, im[i]!))),
      normOfW: normOf(W),
      norms,
      second: normByDifferences(states[0]!, 1e-5),
      states: states.slice(0, 3),
      forms: elmanForms(3),
    };
  },
  checks: ({ radius, norms, second, forms }) => [
    check("spectral radius of W", 2.824, radius, 0.0005),
    check("‖∂h₂/∂h₁‖", 0.0156, norms[0]!, 0.00005),
    check("‖∂h₂/∂h₁‖, by central differences", second, norms[0]!, 1e-9),
    check("‖∂h₃/∂h₁‖", 1.3e-5, norms[1]!, 0.05e-5),
    check("‖∂h₂₀/∂h₁‖", 7e-56, norms[18]!, 0.5e-56),
    // The weights have eight digits; the outputs are known to as many.
    check(
      "form A: first row of y at steps 1, 2, 3",
      [[-1.73665315, -2.40366542, -2.72344361], [-2.15023381, -2.41205828, -2.71701457], [-2.15024751, -2.41207375, -2.720968]],
      forms.A,
      1e-7,
    ),
    check(
      "form B: the same",
      [[-3.13455948, -9.50547134, -9.42482], [-6.22857733, -12.5994636, -6.39824394], [-6.22857733, -12.59948899, -6.41337362]],
      forms.B,
      1e-7,
    ),
    check("form C: as A, to the last digit", forms.A, forms.C),
  ], // biome-ignore format: matrices
  figures: ({ radius, normOfW, norms, states }, { document }) => [
    {
      svg: learningCurves(
        [
          { name: "‖W‖ ^ distance", points: norms.map((_, i) => [i + 1, normOfW ** (i + 1)]) },
          { name: "radius ^ distance", points: norms.map((_, i) => [i + 1, radius ** (i + 1)]) },
          { name: "‖∂h_t/∂h₁‖", points: norms.map((norm, i) => [i + 1, norm]) },
        ],
        { document, timeLabel: "distance in steps, t − 1", errorLabel: "norm of the gradient" },
      ),
      caption: "What the eigenvalue predicts, what the norm allows, and what the gradient does.",
    },
    {
      svg: matrixGrid(
        [
          { label: "W", rows: elmanWeights.W.map((row) => row.map(digits)) },
          { label: "h₁, h₂, h₃", rows: states.map((row) => row.map(digits)) },
          { label: "1 − h²", rows: states.map((row) => row.map((h) => Number((1 - h * h).toPrecision(2)))) },
        ],
        { document, cell: 54 },
      ),
      caption: "Why: the units saturate at once, and the slope of tanh, 1 − h², is next to nothing.",
    },
  ],
});

const digits = (value: number) => Number(value.toFixed(4));

/** The largest singular value. */
function normOf(rows: Rows): number {
  // Products fall to 1e-56: their squares would leave the range of numbers.
  const scale = Math.max(...rows.flat().map(Math.abs));
  return scale * singularValues(rows.map((row) => row.map((value) => value / scale))).values[0]!;
}

/** ‖∂h₂/∂h₁‖ from steps of the network itself. */
function normByDifferences(h: readonly number[], by: number): number {
  return normOf(
    h.map((_, i) => {
      const [up, down] = [by, -by].map((move) => elmanStates(1, h.with(i, h[i]! + move))[0]!);
      return up!.map((value, j) => (value - down![j]!) / (2 * by));
    }),
  );
}
