import { extname } from "node:path";
import {
  type GateName,
  gate,
  gateCensus,
  gateNames,
  leastSquares,
  linearSeparation,
  truthTable,
} from "@gradlab/lms";
import { type Command, InvalidArgumentError, Option } from "commander";
import { type CommonOptions, countFrom, defineCommand, envelope } from "../command.js";
import { Failure } from "../failure.js";
import { writeOutput } from "../files.js";
import { type Paint, painter, type Terminal, textTable } from "../terminal.js";

interface Flags extends CommonOptions {
  readonly inputs: number;
  readonly gate?: GateName;
}

/** All functions of more inputs than this are too many to go through. */
const mostCounted = 4;
const mostInputs = 6;

export function gatesCommand(terminal: Terminal): Command {
  return defineCommand(
    "gates",
    "which logic gates one neuron computes, and which of them least squares finds",
    {
      flag: "--out <file>",
      help: "write the result: .json",
    },
  )
    .option("--inputs <n>", `number of inputs, at most ${mostInputs}`, inputCount, 2)
    .addOption(new Option("--gate <name>", "one gate, row by row").choices(gateNames))
    .addHelpText("after", "\nExamples:\n  gradlab gates --inputs 3\n  gradlab gates --gate xor")
    .action((flags: Flags) => run(flags, terminal));
}

function inputCount(text: string): number {
  const count = countFrom(1)(text);
  if (count > mostInputs) throw new InvalidArgumentError(`Expected an integer of at most ${mostInputs}.`);
  return count;
}

async function run(flags: Flags, terminal: Terminal): Promise<void> {
  const { inputs, out } = flags;
  if (out !== undefined && extname(out) !== ".json") {
    throw new Failure("usage", `--out: expected a name that ends in .json, got ${JSON.stringify(out)}`);
  }
  const gates = (flags.gate === undefined ? gateNames : [flags.gate]).map((name) => study(name, inputs));
  const census = flags.gate === undefined && inputs <= mostCounted ? count(inputs) : null;
  const result = { ...envelope("gates", flags, []), inputs, gates, ...(census && { census }) };
  if (out !== undefined) {
    await writeOutput(out, `${JSON.stringify(result, null, 2)}\n`);
    if (!flags.quiet) terminal.log(`wrote ${out}\n`);
  }
  const paint = painter(terminal.colors.stdout && flags.color);
  terminal.write(
    flags.json
      ? `${JSON.stringify(result, null, 2)}\n`
      : flags.gate === undefined
        ? describeGates(gates, census, paint)
        : describeGate(gates[0]!, paint),
  );
}

type Study = ReturnType<typeof study>;

/** A gate with its least-squares neuron. */
function study(name: GateName, inputs: number) {
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

const right = "right" as const;

function describeGates(
  gates: readonly Study[],
  census: ReturnType<typeof count> | null,
  paint: Paint,
): string {
  const table = textTable(
    [
      { title: "gate" },
      { title: "separable" },
      { title: "least squares" },
      { title: "margin", align: right },
      { title: "weights, bias first" },
    ],
    gates.map(({ gate: name, separable, leastSquares: { verdict, margin, weights } }) => [
      name,
      separable ? "yes" : "no",
      verdict,
      `${margin}`,
      weights.join(" "),
    ]),
    paint,
  );
  if (census === null) return `${table}\n`;
  const { functions, separable, strict, ties, wrong } = census;
  return `${table}\n\nof all ${functions} functions, ${separable} are separable; least squares solves ${strict} of these strictly, ties on ${ties}, is wrong on ${wrong}\n`;
}

function describeGate(
  { gate: name, separable, separatingWeights, leastSquares: { weights, verdict }, rows }: Study,
  paint: Paint,
): string {
  const signs = (values: readonly number[]) => values.map((value) => (value < 0 ? "−" : "+")).join("");
  const table = textTable(
    [{ title: "inputs" }, { title: name }, { title: "sum", align: right }],
    rows.map(({ inputs, target, sum }) => [signs(inputs), signs([target]), `${sum}`]),
    paint,
  );
  const proof = separable
    ? `separable, for example by the weights ${separatingWeights!.join(" ")}`
    : "not separable: no single neuron computes it";
  return `${table}\n\nleast squares: weights ${weights.join(" ")}, ${verdict}\n${proof}\n`;
}
