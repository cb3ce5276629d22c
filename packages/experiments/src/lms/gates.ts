import { matrixGrid } from "@gradlab/figures";
import {
  gate,
  gateCensus,
  initMadaline,
  leastSquares,
  type Madaline,
  madalineRule2,
  respond,
  truthTable,
} from "@gradlab/lms";
import { check } from "@gradlab/studies";
import { defineExperiment } from "../experiment.js";

/** Two Adalines that each find one half of XOR, and one that joins them. */
const xor: Madaline = {
  sizes: [2, 2, 1],
  layers: [Float64Array.of(0.5, -1, 1, 0.5, 1, -1), Float64Array.of(1, -1, -1)],
};

/** Nets to train from random starts. */
const wantedNets = 8;

/** Logic gates with −1 for false and 1 for true. */
export const gates = defineExperiment({
  id: "lms/gates",
  title: "Gates that one neuron computes, and XOR with three",
  about:
    "Least squares on the truth table, −1 for false and 1 for true, bias first. One neuron computes 14 of 16 functions of " +
    "two inputs and 104 of 256 of three. Least squares has the right sign on all rows for all 14, but only for 40 of the " +
    "104: the other 64 tie at exactly 0. XOR needs a second layer.",
  async *run({ seed }) {
    const fit = (name: "nand" | "majority", n: number) => {
      const X = truthTable(n);
      const t = gate(name, n);
      const { weights, errors } = leastSquares(X, t);
      return { weights: [...weights], sums: [...t].map((target, k) => target - errors[k]!) };
    };
    const patterns = rowsOf(truthTable(2));
    const answers = patterns.map((pattern) => respond(xor, pattern));
    return {
      nand: fit("nand", 2),
      majority: fit("majority", 3),
      patterns,
      sums: answers.map(({ sums }) => ({ first: [...sums[0]!], second: sums[1]![0]! })),
      outputs: answers.map(({ outputs }) => ({ first: [...outputs[0]!], second: outputs[1]![0]! })),
      census: [census(2), census(3)] as const,
      nets: learnXor(seed),
    };
  },
  checks: ({ nand, majority, sums, outputs, census: [two, three], nets }) => [
    check("NAND: weights", [0.5, -0.5, -0.5], nand.weights, 1e-14),
    check("NAND: sums for −−, −+, +−, ++", [1.5, 0.5, 0.5, -0.5], nand.sums, 1e-14),
    check("majority of three: weights", [0, 0.5, 0.5, 0.5], majority.weights, 1e-14),
    check("majority of three: sums", [-1.5, -0.5, -0.5, 0.5, -0.5, 0.5, 0.5, 1.5], majority.sums, 1e-14),
    check(
      "XOR: sums of the first layer",
      [
        [0.5, 0.5],
        [2.5, -1.5],
        [-1.5, 2.5],
        [0.5, 0.5],
      ],
      sums.map(({ first }) => first),
    ),
    check(
      "XOR: outputs",
      [-1, 1, 1, -1],
      outputs.map(({ second }) => second),
    ),
    check(
      "XOR by Madaline Rule II: different nets from eight starts that solve it",
      wantedNets,
      new Set(nets.map((layers) => layers.join(";"))).size,
    ),
    check(
      "two inputs: separable, solved strictly, tied, wrong",
      [14, 14, 0, 0],
      [two.separable, two.strict, two.ties, two.wrong],
    ),
    check(
      "three inputs: separable, solved strictly, tied, wrong",
      [104, 40, 64, 0],
      [three.separable, three.strict, three.ties, three.wrong],
    ),
  ],
  figures: ({ patterns, sums, outputs, nets }, { document }) => [
    {
      svg: matrixGrid(
        [
          { label: "inputs", rows: patterns.map((pattern) => pattern.slice(1)) },
          { label: "sums, layer 1", rows: sums.map(({ first }) => first) },
          { label: "outputs, layer 1", rows: outputs.map(({ first }) => first) },
          { label: "XOR", rows: sums.map(({ second }) => [second]) },
        ],
        { document, cell: 50 },
      ),
      caption:
        "XOR by three Adalines. The first layer maps −− and ++ to the same point, which one plane cuts off.",
    },
    {
      svg: matrixGrid(
        nets.slice(0, 4).map((layers, i) => ({
          label: `start ${i + 1}`,
          rows: layers.flatMap((layer) => rowsOfThree(layer)),
        })),
        { document, cell: 48 },
      ),
      caption:
        "What four random starts learned by Madaline Rule II: different weights that all compute XOR. Rows: the two units of the first layer and the output, bias first, rounded.",
    },
  ],
});

function census(inputs: number) {
  const { separable, strict, ties, wrong } = gateCensus(inputs);
  return { separable, strict, ties, wrong };
}

/** The layers of nets that learn XOR by Madaline Rule II, each from a start of its own. */
function learnXor(seed: number): number[][][] {
  const X = truthTable(2);
  const T = [...gate("xor", 2)].map((target) => [target]);
  const nets: number[][][] = [];
  for (let index = 0; nets.length < wantedNets && index < 10 * wantedNets; index++) {
    const start = initMadaline([2, 2, 1], { seed, index });
    const { net, solved } = madalineRule2(start, X, T, { seed: index });
    if (solved) nets.push(net.layers.map((layer) => [...layer]));
  }
  return nets;
}

function rowsOf({ rows, columns, data }: ReturnType<typeof truthTable>): number[][] {
  return Array.from({ length: rows }, (_, k) => [...data.subarray(k * columns, (k + 1) * columns)]);
}

/** The weights of a layer of units with two inputs, a unit a row, rounded to be read. */
function rowsOfThree(layer: readonly number[]): number[][] {
  return Array.from({ length: layer.length / 3 }, (_, unit) =>
    layer.slice(3 * unit, 3 * unit + 3).map((weight) => Math.round(100 * weight) / 100),
  );
}
