import { gate, gateNames, truthTable } from "@gradlab/lms";

/** What a neuron of given weights computes. */
export interface NeuronRecord {
  /** Bias first. */
  readonly weights: readonly number[];
  readonly rows: readonly {
    readonly inputs: readonly number[];
    readonly sum: number;
    /** 1 from a sum of 0 on. */
    readonly output: number;
  }[];
  /** Of all `2^(2^inputs)`: bit k is the output of row k. */
  readonly number: number;
  readonly functions: number;
  /** Names of gates that it is. */
  readonly names: readonly string[];
  /** `x1 or (x2 and not x3)`. */
  readonly formula: string;
}

/** The sums and outputs of a neuron by row of the truth table, and which function of its inputs that is. */
export function neuron(weights: readonly number[]): NeuronRecord {
  const inputs = weights.length - 1;
  const X = truthTable(inputs);
  const rows = Array.from({ length: X.rows }, (_, k) => {
    const pattern = [...X.data.subarray(k * X.columns + 1, (k + 1) * X.columns)];
    const sum = pattern.reduce((total, x, i) => total + x * weights[i + 1]!, weights[0]!);
    return { inputs: pattern, sum, output: sum < 0 ? -1 : 1 };
  });
  const outputs = rows.map(({ output }) => output);
  return {
    weights: [...weights],
    rows,
    number: outputs.reduce((number, output, k) => number + (output === 1 ? 2 ** k : 0), 0),
    functions: 2 ** X.rows,
    names: gateNames.filter((name) => gate(name, inputs).every((target, k) => target === outputs[k])),
    formula: formulaOf(outputs, inputs),
  };
}

/**
 * A function of ±1 as a disjunction of its prime implicants: the terms that are true nowhere else, and are so no
 * longer with an input less. What one neuron computes rises or falls with every input; of such a function no prime
 * implicant can be spared, so that this is its shortest form.
 */
export function formulaOf(outputs: readonly number[], inputs: number): string {
  // A term demands −1, 1 or (0) nothing of every input.
  const terms = Array.from({ length: 3 ** inputs }, (_, code) =>
    Array.from({ length: inputs }, (__, i) => (Math.floor(code / 3 ** i) % 3) - 1),
  );
  const holds = (term: readonly number[], row: number) =>
    term.every((wanted, i) => wanted === 0 || wanted === (((row >> (inputs - 1 - i)) & 1) === 1 ? 1 : -1));
  const implies = (term: readonly number[]) =>
    outputs.every((output, row) => output === 1 || !holds(term, row));
  const primes = terms.filter(
    (term) => implies(term) && term.every((wanted, i) => wanted === 0 || !implies(term.with(i, 0))),
  );
  if (primes.length === 0) return "false";
  const texts = primes.map((term) =>
    term.flatMap((wanted, i) => (wanted === 0 ? [] : [`${wanted < 0 ? "not " : ""}x${i + 1}`])),
  );
  if (texts.some((literals) => literals.length === 0)) return "true";
  const sorted = texts.toSorted((a, b) => a.length - b.length || a.join().localeCompare(b.join(), "en"));
  return sorted
    .map((literals) =>
      literals.length > 1 && sorted.length > 1 ? `(${literals.join(" and ")})` : literals.join(" and "),
    )
    .join(" or ");
}
