import {
  type Activation,
  kroneckerGradient,
  type Matrix,
  numericalGradient,
  type TwoLayerGradient,
  type TwoLayerParams,
  twoLayerGradient,
} from "@gradlab/lms/backprop";
import { fillNormal, randomStream } from "@gradlab/random";
import { type Check, check } from "../../declaration/check.js";
import { backpropExample } from "./backprop-example.js";

const activations = ["relu", "sigmoid"] as const satisfies readonly Activation[];
const parts = ["W1", "b1", "W2", "b2"] as const;
const layouts = ["numerator", "denominator"] as const;

/** The gradient of the example, in numerator layout. */
export function exampleGradient(activation: Activation): TwoLayerGradient {
  const { params, X, T } = backpropExample;
  return twoLayerGradient(params, X, T, { activation, layout: "numerator" });
}

/** The known numbers of the example, beside those computed. */
export function exampleChecks(): Check[] {
  return activations.flatMap((activation) => {
    const known = backpropExample.known[activation];
    const got = exampleGradient(activation);
    return [
      check(`${activation}: loss`, known.loss, got.loss, known.tolerance.loss),
      ...parts.map((part) =>
        check(`${activation}: ∂L/∂${part}`, known[part], rowsOf(got[part]), known.tolerance.gradient),
      ),
    ];
  });
}

export interface GradientCheckOptions {
  readonly seed: number;
  /** How many random networks. */
  readonly cases: number;
  /** Of finite differences, relative to the largest derivative and the loss. */
  readonly tolerance: number;
}

/** The largest relative differences of three other ways from backpropagation, over random shapes and both layouts. */
export function gradientChecks({ seed, cases, tolerance }: GradientCheckOptions): Check[] {
  return activations.flatMap((activation) => {
    let [kronecker, dual, differences] = [0, 0, 0];
    for (let index = 0; index < cases; index++) {
      const { params, X, T } = randomProblem(seed, index);
      for (const layout of layouts) {
        const options = { activation, layout };
        const exact = twoLayerGradient(params, X, T, options);
        const scale = Math.max(1, exact.loss, ...numbers(exact).map(Math.abs));
        const off = (other: TwoLayerGradient) => farthest(exact, other) / scale;
        kronecker = Math.max(kronecker, off(kroneckerGradient(params, X, T, options)));
        dual = Math.max(dual, off(numericalGradient(params, X, T, { ...options, method: "dual" })));
        differences = Math.max(
          differences,
          off(numericalGradient(params, X, T, { ...options, method: "central-difference" })),
        );
      }
    }
    const over = `${activation}, ${cases} random networks:`;
    return [
      check(`${over} Kronecker form`, 0, kronecker, 1e-13),
      check(`${over} automatic differentiation (dual numbers)`, 0, dual, 1e-13),
      check(`${over} central differences`, 0, differences, tolerance),
    ];
  });
}

const numbers = (gradient: TwoLayerGradient) => parts.flatMap((part) => [...gradient[part].data]);

/** The largest difference of any derivative; infinite where shapes differ. */
function farthest(a: TwoLayerGradient, b: TwoLayerGradient): number {
  const alike = parts.every((part) => a[part].rows === b[part].rows && a[part].columns === b[part].columns);
  if (!alike) return Number.POSITIVE_INFINITY;
  const others = numbers(b);
  return Math.max(...numbers(a).map((value, i) => Math.abs(value - others[i]!)));
}

export function rowsOf({ rows, columns, data }: Matrix): number[][] {
  return Array.from({ length: rows }, (_, i) => [...data.subarray(i * columns, (i + 1) * columns)]);
}

function randomProblem(seed: number, index: number): { params: TwoLayerParams; X: Matrix; T: Matrix } {
  const stream = randomStream({ seed, purpose: "backprop-check", index });
  // Sizes 1 … 5 that run through all combinations of inputs, hidden units and outputs.
  const [inputs, hidden, outputs, samples] = [0, 1, 2, 3].map(
    (place) => 1 + ((Math.floor(index / 5 ** place) + place * index) % 5),
  ) as [number, number, number, number];
  const draw = (rows: number, columns: number): Matrix => ({
    rows,
    columns,
    data: fillNormal(stream, new Float64Array(rows * columns)),
  });
  return {
    params: {
      W1: draw(hidden, inputs),
      b1: draw(hidden, 1).data,
      W2: draw(outputs, hidden),
      b2: draw(outputs, 1).data,
    },
    X: draw(inputs, samples),
    T: draw(outputs, samples),
  };
}
