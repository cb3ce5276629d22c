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
  /** Backends that compute the case at all; the others are known to be wrong or to refuse. */
  readonly backends?: readonly string[];
  /** Allowed error in units of the largest value; 1e-5 unless stated, with the reason in `because`. */
  readonly tolerance?: number;
  readonly because?: string;
  /** The mistake that the case would show. */
  readonly catches: string;
}

/** What a case should give, in float64. */
export interface Golden {
  readonly inputs: number[][];
  readonly weights: number[][];
  readonly outputs: { shape: number[]; values: number[] }[];
  readonly gradients?: Record<string, number[]>;
}



/** The largest error of a tensor in units of its largest value (of 1e-30 if all are zero). */
export interface Deviation {
  readonly what: string;
  readonly error: number;
}

async function deviation(
  what: string,
  got: Tensor,
  shape: readonly number[],
  want: number[],
): Promise<Deviation> {
  if (got.shape.join() !== shape.join()) {
    throw new Error(`${what}: expected shape [${shape}], got [${got.shape}]`);
  }
  const values = await got.data();
  const scale = Math.max(1e-30, ...want.map(Math.abs));
  let error = 0;
  for (const [i, value] of want.entries()) {
    // Written so that a NaN is an infinite error.
    const off = Math.abs(values[i]! - value);
    error = Math.max(error, off <= Number.MAX_VALUE ? off / scale : Number.POSITIVE_INFINITY);
  }
  return { what, error };
}

/** Runs a case on the current backend: the deviation of every output and every gradient. */
export async function runOpCase(opCase: OpCase, golden: Golden | undefined): Promise<Deviation[]> {
  if (golden === undefined) throw new Error(`op-parity: no golden result for ${JSON.stringify(opCase.name)}`);
  const op = ops[opCase.op];
  if (op === undefined) throw new Error(`op-parity: no op ${JSON.stringify(opCase.op)}`);
  const inputs = opCase.inputs.map(({ shape, dtype }, i) =>
    tensor(golden.inputs[i]!, [...shape], dtype ?? "float32"),
  );
  const trained = Object.keys(golden.gradients ?? {}).map(Number);
  const apply = (xs: Tensor[]) => [op(xs, opCase.attrs ?? {})].flat();
  const outputs = tidy(() => apply(inputs));
  const gradients = tidy(() => {
    if (trained.length === 0) return [];
    const objective = (...xs: Tensor[]) => {
      const all = inputs.map((x, i) => (trained.includes(i) ? xs[trained.indexOf(i)]! : x));
      return apply(all)
        .map((y, i) => sum(mul(y, tensor(golden.weights[i]!, y.shape))) as Tensor)
        .reduce((a, b) => add(a, b), zeros([]));
    };
    return grads(objective)(trained.map((i) => inputs[i]!));
  });
  const deviations: Deviation[] = [];
  for (const [i, y] of outputs.entries()) {
    const want = golden.outputs[i]!;
    deviations.push(await deviation(`output ${i}`, y, want.shape, want.values));
  }
  for (const [i, gradient] of gradients.entries()) {
    const index = trained[i]!;
    const want = golden.gradients![index]!;
    deviations.push(await deviation(`gradient of input ${index}`, gradient, inputs[index]!.shape, want));
  }
  for (const x of [...inputs, ...outputs, ...gradients]) x.dispose();
  return deviations;
}
