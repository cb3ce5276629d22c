/**
 * Compares ops and their gradients on the current backend of tfjs with float64
 * results. The cases are data (`cases.json`), so are the results (`golden/`);
 * a backend is tested by selecting it and checking every case.
 */
import { add, grads, mul, sum, type Tensor, tensor, tidy, zeros } from "@tensorflow/tfjs-core";
import { ops } from "./ops.js";

export interface OpCase {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly { readonly shape: readonly number[]; readonly dtype?: "int32" }[];
  readonly attrs?: Readonly<Record<string, unknown>>;
  /** Only the result is compared: tfjs has no gradient for the op. */
  readonly forward?: true;
  /** Indices of the inputs to differentiate, if not all that are float32. */
  readonly wrt?: readonly number[];
  /** The mistake that the case would show. */
  readonly catches: string;
}

export type BackendName = "cpu" | "wasm" | "webgl" | "webgpu" | "tensorflow";
export type Part = "value" | "gradient";
export const parts: readonly Part[] = ["value", "gradient"];

/** Where backends are known to do otherwise than agree within 1e-5 (`known.json`). The tests hold that they still do. */
export interface Known {
  readonly cases: readonly string[];
  readonly on: readonly BackendName[];
  readonly parts: readonly Part[];
  /** `wrong`: other numbers, without an error; `missing`: an error. Absent where the numbers are right, but less exact. */
  readonly is?: "wrong" | "missing";
  /** Allowed error of right numbers, in units of the largest value of a tensor. */
  readonly tolerance?: number;
  readonly because: string;
}

/** What a case should give, in float64. */
export interface Golden {
  readonly inputs: number[][];
  readonly weights: number[][];
  readonly outputs: { shape: number[]; values: number[] }[];
  readonly gradients?: Record<string, number[]>;
}

/** How far the values, or the gradients, of a case are off. */
interface Outcome {
  /** The largest error in units of its tensor's largest value; infinite for NaN, a wrong shape or a thrown error. */
  readonly error: number;
  /** The tensor with that error, or the message of what was thrown. */
  readonly where: string;
  readonly thrown: boolean;
}

export interface CaseOutcome {
  readonly value: Outcome;
  /** Absent where tfjs has no gradient for the op. */
  readonly gradient?: Outcome;
}

async function deviation(got: Tensor, shape: readonly number[], want: readonly number[]): Promise<number> {
  const values = await got.data();
  if (got.shape.join() !== shape.join()) return Number.POSITIVE_INFINITY;
  const scale = Math.max(1e-30, ...want.map(Math.abs));
  let error = 0;
  for (const [i, value] of want.entries()) {
    // Written so that a NaN is an infinite error.
    const off = Math.abs(values[i]! - value);
    error = Math.max(error, off <= Number.MAX_VALUE ? off / scale : Number.POSITIVE_INFINITY);
  }
  return error;
}

interface Wanted {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** Computes tensors and compares them with what they should be. */
async function outcome(compute: () => Tensor[], wanted: readonly Wanted[]): Promise<Outcome> {
  let got: Tensor[] = [];
  try {
    got = tidy(compute);
    let worst = { error: 0, where: wanted[0]!.name, thrown: false };
    for (const [i, { name, shape, values }] of wanted.entries()) {
      const error = await deviation(got[i]!, shape, values);
      if (error > worst.error) worst = { error, where: `${name}, shape [${got[i]!.shape}]`, thrown: false };
    }
    return worst;
  } catch (error) {
    return { error: Number.POSITIVE_INFINITY, where: (error as Error).message, thrown: true };
  } finally {
    for (const x of got) x.dispose();
  }
}

/** Runs a case on the current backend: how far its values and its gradients are off. */
export async function runOpCase(opCase: OpCase, golden: Golden | undefined): Promise<CaseOutcome> {
  if (golden === undefined) throw new Error(`op-parity: no golden result for ${JSON.stringify(opCase.name)}`);
  const op = ops[opCase.op];
  if (op === undefined) throw new Error(`op-parity: no op ${JSON.stringify(opCase.op)}`);
  const inputs = opCase.inputs.map(({ shape, dtype }, i) =>
    tensor(golden.inputs[i]!, [...shape], dtype ?? "float32"),
  );
  const apply = (xs: Tensor[]) => [op(xs, opCase.attrs ?? {})].flat();
  const value = await outcome(
    () => apply(inputs),
    golden.outputs.map((output, i) => ({ name: `output ${i}`, ...output })),
  );
  const trained = Object.keys(golden.gradients ?? {}).map(Number);
  const objective = (...xs: Tensor[]) => {
    const all = inputs.map((x, i) => (trained.includes(i) ? xs[trained.indexOf(i)]! : x));
    return apply(all)
      .map((y, i) => sum(mul(y, tensor(golden.weights[i]!, y.shape))) as Tensor)
      .reduce((a, b) => add(a, b), zeros([]));
  };
  const gradient =
    trained.length > 0 &&
    (await outcome(
      () => grads(objective)(trained.map((i) => inputs[i]!)),
      trained.map((i) => ({
        name: `gradient of input ${i}`,
        shape: inputs[i]!.shape,
        values: golden.gradients![i]!,
      })),
    ));
  for (const x of inputs) x.dispose();
  return { value, ...(gradient && { gradient }) };
}

/** What to expect of a backend: agreement within 1e-5, unless something else is known. */
export function expected(
  known: readonly Known[],
  { name }: OpCase,
  backend: BackendName,
  part: Part,
): { readonly is: Verdict; readonly tolerance: number } {
  const { is = "right", tolerance = 1e-5 } =
    known.find(
      ({ cases, on, parts }) => cases.includes(name) && on.includes(backend) && parts.includes(part),
    ) ?? {};
  return { is, tolerance };
}

export type Verdict = "right" | "wrong" | "missing";

const verdict = ({ thrown, error }: Outcome, tolerance: number): Verdict =>
  thrown ? "missing" : error <= tolerance ? "right" : "wrong";

/** What differs from what is expected of a backend: nothing, if all is as it should be. */
export function surprises(
  known: readonly Known[],
  opCase: OpCase,
  backend: BackendName,
  outcomes: CaseOutcome,
): string[] {
  return parts.flatMap((part) => {
    const outcome = outcomes[part];
    if (outcome === undefined) return [];
    const { is, tolerance } = expected(known, opCase, backend, part);
    const got = verdict(outcome, tolerance);
    if (got === is) return [];
    return [
      `${part}: expected ${is} within ${tolerance}, got ${got} (${outcome.where}, error ${outcome.error}); would catch: ${opCase.catches}`,
    ];
  });
}

/** The parts of each case that are not right, as lines of JSON. */
export function failuresJson(
  known: readonly Known[],
  backend: BackendName,
  outcomes: readonly (readonly [OpCase, CaseOutcome])[],
): string {
  const lines = outcomes.flatMap(([opCase, outcome]) => {
    const failed = parts.flatMap((part) => {
      if (outcome[part] === undefined) return [];
      const is = verdict(outcome[part], expected(known, opCase, backend, part).tolerance);
      return is === "right" ? [] : [`"${part}": "${is}"`];
    });
    return failed.length === 0 ? [] : [`  ${JSON.stringify(opCase.name)}: { ${failed.join(", ")} }`];
  });
  return `{\n${lines.join(",\n")}\n}\n`;
}
