import {
  type GateName,
  gate,
  gateCensus,
  gateNames,
  leastSquares,
  linearSeparation,
  truthTable,
} from "@gradlab/lms";
import { defineStudy, type Table } from "../declaration/study.js";
import { StudyError } from "../declaration/study-error.js";
import { lines } from "../declaration/wording.js";
import { type NeuronRecord, neuron } from "./neuron.js";

/** All functions of more inputs than this are too many to go through. */
const mostCounted = 4;
const mostInputs = 6;

export interface GatesRecord {
  readonly inputs: number;
  /** None where weights are given. */
  readonly gates: readonly GateRecord[];
  /** There where weights are given. */
  readonly neuron?: NeuronRecord;
  /** All functions; there where they are few and no single gate was asked for. */
  readonly census?: ReturnType<typeof count>;
}

export type GateRecord = ReturnType<typeof fitGate>;

export const gates = defineStudy({
  name: "gates",
  help: "which logic gates one neuron computes, and which of them least squares finds",
  options: {
    inputs: {
      kind: "integer",
      least: 1,
      most: mostInputs,
      default: 2,
      help: `number of inputs, at most ${mostInputs}`,
    },
    gate: { kind: "choice", choices: gateNames, help: "one gate, row by row" },
    weights: {
      kind: "numbers",
      placeholder: "<w0,w1,…>",
      help: `what a neuron of these weights computes, bias first, of up to ${mostCounted} inputs`,
    },
  },
  examples: ["gates --inputs 3", "gates --gate xor", "gates --weights 0.5,-0.5,-0.5"],
  drawn: null,
  tensors: null,
  check({ gate: chosen, weights }) {
    if (weights === undefined) return;
    if (chosen !== undefined) {
      throw new StudyError("usage", "{weights}: expected either {gate} or {weights}, got both");
    }
    if (weights.length < 2 || weights.length > mostCounted + 1) {
      throw new StudyError(
        "usage",
        `{weights}: expected 2 to ${mostCounted + 1} numbers, bias first, got ${weights.length}`,
      );
    }
  },
  async *run({ inputs, gate: chosen, weights }): AsyncGenerator<never, GatesRecord> {
    if (weights !== undefined) return { inputs: weights.length - 1, gates: [], neuron: neuron(weights) };
    const names = chosen === undefined ? gateNames : [chosen];
    return {
      inputs,
      gates: names.map((name) => fitGate(name, inputs)),
      ...(chosen === undefined && inputs <= mostCounted && { census: count(inputs) }),
    };
  },
  tables({ gates: fitted, census, neuron: given }) {
    if (given !== undefined) return neuronTables(given);
    const [only, ...others] = fitted;
    if (others.length === 0) return gateTables(only!);
    if (census === undefined) return [gatesTable(fitted)];
    const { functions, separable, strict, ties, wrong } = census;
    const line = `of all ${functions} functions, ${separable} are separable; least squares solves ${strict} of these strictly, ties on ${ties}, is wrong on ${wrong}`;
    return [gatesTable(fitted), lines(undefined, line)];
  },
});

/** A gate with its least-squares neuron. */
function fitGate(name: GateName, inputs: number) {
  const X = truthTable(inputs);
  const targets = gate(name, inputs);
  const separation = linearSeparation(X, targets);
  // QR rounds; in ±1 coding the exact weights are multiples of 2^-n, and ties are exact.
  const weights = Array.from(
    leastSquares(X, targets).weights,
    (weight) => Math.round(weight * X.rows) / X.rows + 0,
  );
  const patterns = Array.from({ length: X.rows }, (_, k) => [
    ...X.data.subarray(k * X.columns + 1, (k + 1) * X.columns),
  ]);
  const sums = patterns.map((pattern) =>
    pattern.reduce((sum, x, i) => sum + x * weights[i + 1]!, weights[0]!),
  );
  const margin = Math.min(...sums.map((sum, k) => sum * targets[k]!));
  return {
    gate: name,
    separable: separation.separable,
    separatingWeights: separation.separable ? [...separation.weights] : null,
    leastSquares: { weights, margin, verdict: margin > 0 ? "strict" : margin === 0 ? "tie" : "wrong" },
    rows: patterns.map((pattern, k) => ({ inputs: pattern, target: targets[k]!, sum: sums[k]! })),
  };
}

function count(inputs: number) {
  const { functions, separable, strict, ties, wrong } = gateCensus(inputs);
  return { functions, separable, strict, ties, wrong };
}

function gatesTable(fitted: readonly GateRecord[]): Table {
  return {
    columns: [
      { title: "gate" },
      { title: "separable" },
      { title: "least squares" },
      { title: "margin", align: "right" },
      { title: "weights, bias first" },
    ],
    rows: fitted.map(({ gate: name, separable, leastSquares: { verdict, margin, weights } }) => [
      name,
      separable ? "yes" : "no",
      verdict,
      `${margin}`,
      weights.join(" "),
    ]),
    notes: [],
  };
}

function gateTables(fitted: GateRecord): Table[] {
  const { gate: name, separable, separatingWeights, rows } = fitted;
  const { weights, verdict } = fitted.leastSquares;
  const proof = separable
    ? `separable, for example by the weights ${separatingWeights!.join(" ")}`
    : "not separable: no single neuron computes it";
  return [
    {
      columns: [{ title: "inputs" }, { title: name }, { title: "sum", align: "right" }],
      rows: rows.map(({ inputs, target, sum }) => [signs(inputs), signs([target]), `${sum}`]),
      notes: [],
    },
    lines(undefined, `least squares: weights ${weights.join(" ")}, ${verdict}`, proof),
  ];
}

function neuronTables({ rows, number, functions, names, formula }: NeuronRecord): Table[] {
  const ties = rows.filter(({ sum }) => sum === 0).length;
  const named = names.length === 0 ? "" : `${names.join(", ")}: `;
  return [
    {
      columns: [{ title: "inputs" }, { title: "output" }, { title: "sum", align: "right" }],
      rows: rows.map(({ inputs, output, sum }) => [signs(inputs), signs([output]), shortSum(sum)]),
      notes: [],
    },
    lines(
      undefined,
      `function ${number} of 0 … ${functions - 1}: ${named}${formula}`,
      ...(ties === 0 ? [] : [`a sum of 0 counts as +: ${ties} of ${rows.length} rows hang by rounding`]),
    ),
  ];
}

const signs = (values: readonly number[]) => values.map((value) => (value < 0 ? "−" : "+")).join("");

const shortSum = (sum: number) => `${Number(sum.toPrecision(12))}`;
