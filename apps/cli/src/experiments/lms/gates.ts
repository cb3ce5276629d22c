import { matrixGrid } from "@gradlab/figures";
import { gate, gateCensus, leastSquares, type Madaline, respond, truthTable } from "@gradlab/lms";
import { check, type Experiment } from "../experiment.js";

/** Two Adalines that each find one half of XOR, and one that joins them. */
const xor: Madaline = {
  sizes: [2, 2, 1],
  layers: [Float64Array.of(0.5, -1, 1, 0.5, 1, -1), Float64Array.of(1, -1, -1)],
};

/** Logic gates with −1 for false and 1 for true. */
export const gates: Experiment = {
  id: "lms/gates",
  title: "Gates that one neuron computes, and XOR with three",
  about:
    "Least squares on the truth table, −1 for false and 1 for true, bias first. One neuron computes 14 of 16 functions of " +
    "two inputs and 104 of 256 of three. Least squares has the right sign on all rows for all 14, but only for 40 of the " +
    "104: the other 64 tie at exactly 0. XOR needs a second layer.",
  async run({ document }) {
    const fit = (name: "nand" | "majority", n: number) => {
      const X = truthTable(n);
      const t = gate(name, n);
      const { weights, errors } = leastSquares(X, t);
      return { weights: [...weights], sums: [...t].map((target, k) => target - errors[k]!) };
    };
    const [nand, majority] = [fit("nand", 2), fit("majority", 3)];
    const patterns = rowsOf(truthTable(2));
    const answers = patterns.map((pattern) => respond(xor, pattern));
    const first = answers.map(({ sums }) => [...sums[0]!]);
    const second = answers.map(({ sums }) => sums[1]![0]!);
    const [two, three] = [gateCensus(2), gateCensus(3)];
    return {
      checks: [
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
          first,
        ),
        check(
          "XOR: outputs",
          [-1, 1, 1, -1],
          answers.map(({ outputs }) => outputs[1]![0]!),
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
      figures: [
        {
          svg: matrixGrid(
            [
              { label: "inputs", rows: patterns.map((pattern) => pattern.slice(1)) },
              { label: "sums, layer 1", rows: first },
              { label: "outputs, layer 1", rows: answers.map(({ outputs }) => [...outputs[0]!]) },
              { label: "XOR", rows: second.map((sum) => [sum]) },
            ],
            { document, cell: 50 },
          ),
          caption:
            "XOR by three Adalines. The first layer maps −− and ++ to the same point, which one plane cuts off.",
        },
      ],
    };
  },
};

function rowsOf({ rows, columns, data }: ReturnType<typeof truthTable>): number[][] {
  return Array.from({ length: rows }, (_, k) => [...data.subarray(k * columns, (k + 1) * columns)]);
}
