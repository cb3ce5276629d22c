import { matrixGrid } from "@gradlab/figures";
import { exampleChecks, exampleGradient, gradientChecks, rowsOf } from "@gradlab/studies";
import { defineExperiment } from "../experiment.js";

/** The gradient of a two-layer network, by hand and three other ways. */
export const backprop = defineExperiment({
  id: "lms/backprop",
  title: "The gradient of a two-layer network by hand",
  about:
    "One sample through three inputs, two hidden units and two outputs, with ReLU and with sigmoid: the derivatives in " +
    "numerator layout. On random networks, backpropagation is compared with the chain rule in vec and Kronecker form, " +
    "with dual numbers and with central differences; values are the largest differences, relative to the gradient.",
  // biome-ignore lint/correctness/useYield: all at once
  async *run({ seed }) {
    return {
      checks: [...exampleChecks(), ...gradientChecks({ seed, cases: 50, tolerance: 1e-8 })],
      relu: roundedGradient("relu"),
      sigmoid: roundedGradient("sigmoid"),
    };
  },
  checks: ({ checks }) => checks,
  figures: ({ relu, sigmoid }, { document }) => [
    {
      svg: matrixGrid(relu, { document, cell: 56 }),
      caption: "ReLU: the second hidden unit works as well as the first here; both sums are 2.",
    },
    {
      svg: matrixGrid(sigmoid, { document, cell: 56 }),
      caption: "Sigmoid: the same network, where both hidden units are near saturation.",
    },
  ],
});

/** The derivatives of the example, to be read. */
function roundedGradient(activation: "relu" | "sigmoid") {
  const { W1, b1, W2, b2 } = exampleGradient(activation);
  return Object.entries({ W1, b1, W2, b2 }).map(([name, value]) => ({
    label: `∂L/∂${name}`,
    rows: rowsOf(value).map((row) => row.map((entry) => Number(entry.toFixed(4)) + 0)),
  }));
}
