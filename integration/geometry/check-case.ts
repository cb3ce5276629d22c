/** Checks one case on the current backend against the definition of its op. */
import {
  addN,
  engine,
  grads,
  memory,
  scalar,
  type Tensor,
  tensor,
  add as tfAdd,
  mul as tfMul,
  sum as tfSum,
  tidy,
} from "@tensorflow/tfjs-core";
import { variable } from "./dual.js";
import type { Grid } from "./grid.js";
import { sizeOf } from "./grid.js";
import type { GeometryCase, GeometryOp, Input } from "./op.js";
import { quietly } from "./quietly.js";

/** What is compared: the op's value, its gradient, or the gradient of a sum over its gradient. */
export type Mode = "value" | "gradient" | "second";

export interface Failure {
  /** `throws`: an error; `wrong`: other numbers; `leaks`: tensors stay; `breaks`: the backend does not compute any more. */
  readonly kind: "throws" | "wrong" | "leaks" | "breaks";
  readonly detail: string;
}

/** Allowed error of a tensor in units of its largest value. */
const RELATIVE = 1e-5;

/**
 * Allowed error in units of the size of the terms that a number is summed from. One rounding is 2^-24 = 6e-8 of that; 32 of
 * them are allowed, for exponentials and divisions take several.
 */
const OF_TERMS = 32 * 2 ** -24;

const isFloat = ({ dtype }: Input) => (dtype ?? "float32") === "float32";

/** The inputs of a case that are differentiated. */
export function trainedInputs(op: GeometryOp, { inputs }: GeometryCase): number[] {
  return inputs.flatMap((input, i) => (isFloat(input) && (op.wrt?.includes(i) ?? true) ? [i] : []));
}

/** Directions: one array for each trained input. */
type Direction = readonly (readonly number[])[];

/** The definition on inputs that move along `d`, and along `e` for second derivatives. */
function defined(op: GeometryOp, { inputs, attrs }: GeometryCase, d?: Direction, e?: Direction): Grid[] {
  const trained = d ? trainedInputs(op, { inputs, attrs }) : [];
  const grids = inputs.map(({ shape, dtype = "float32", values }, i): Grid => {
    const t = trained.indexOf(i);
    return {
      shape,
      dtype,
      data: values.map((v, j) => variable(v, d?.[t]?.[j] ?? 0, e?.[t]?.[j] ?? 0)),
    };
  });
  return [op.definition(grids, attrs)].flat();
}

/** Numbers between -1 and 1 that are the same in every run. */
function noise(n: number, salt: number): number[] {
  return Array.from({ length: n }, (_, i) => {
    const x = Math.sin(i * 12.9898 + salt * 78.233 + 1) * 43758.5453;
    return Math.round(((x - Math.floor(x)) * 2 - 1) * 1024) / 1024;
  });
}

/** The weights of the outputs, whose weighted sum is differentiated. */
const weightsOf = (outputs: readonly Grid[]): number[][] =>
  outputs.map(({ data }, i) => noise(data.length, i));

const show = (x: number): string => (Number.isFinite(x) ? String(Number(x.toPrecision(9))) : String(x));
const list = (values: Iterable<number>): string => {
  const all = [...values];
  return `${all.slice(0, 64).map(show).join(" ")}${all.length > 64 ? " …" : ""}`;
};

const wrong = (detail: string): Failure => ({ kind: "wrong", detail });

/** The same number, for infinities and NaN; within `allowed` otherwise. */
const agrees = (got: number, want: number, allowed: number): boolean =>
  Number.isFinite(want) ? Math.abs(got - want) <= allowed : Object.is(got + 0, want + 0);

const largestOf = (values: Iterable<number>): number => {
  let largest = 0;
  for (const v of values) if (Number.isFinite(v)) largest = Math.max(largest, Math.abs(v));
  return largest;
};

async function compareValues(outputs: readonly Tensor[], wanted: readonly Grid[]): Promise<Failure | null> {
  if (outputs.length !== wanted.length)
    return wrong(`expected ${wanted.length} outputs, got ${outputs.length}`);
  for (const [i, want] of wanted.entries()) {
    const got = outputs[i]!;
    if (got.shape.join() !== want.shape.join())
      return wrong(`output ${i}: expected shape [${want.shape}], got [${got.shape}]`);
    if (got.dtype !== want.dtype) return wrong(`output ${i}: expected ${want.dtype}, got ${got.dtype}`);
    const values = await got.data();
    if (values.length !== want.data.length)
      return wrong(`output ${i}: expected ${want.data.length} elements, got ${values.length}`);
    const exact = want.dtype !== "float32";
    const allowed = exact
      ? 0
      : Math.max(
          RELATIVE * largestOf(want.data.map(({ v }) => v)),
          OF_TERMS * largestOf(want.data.map(({ m }) => m)),
        );
    if (want.data.some(({ v }, j) => !agrees(values[j]!, v, allowed)))
      return wrong(`output ${i}: expected ${list(want.data.map(({ v }) => v))}; got ${list(values)}`);
  }
  return null;
}

/** A sum over outputs: its slope on both sides of a kink, and how large its terms are. */
interface Slope {
  readonly low: number;
  readonly high: number;
  readonly terms: number;
}

/** The slope of `Σ weights · outputs` along a direction; of both sides where the op has kinks. */
function slopeAlong(
  op: GeometryOp,
  opCase: GeometryCase,
  weights: readonly (readonly number[])[],
  direction: Direction,
): Slope {
  const ahead = defined(op, opCase, direction);
  const behind = op.kinks
    ? defined(
        op,
        opCase,
        direction.map((d) => d.map((v) => -v)),
      )
    : null;
  let [low, high, terms] = [0, 0, 0];
  for (const [i, { data }] of ahead.entries()) {
    for (const [j, { d, n }] of data.entries()) {
      const weight = weights[i]![j]!;
      const one = weight * d;
      const other = behind ? -weight * behind[i]!.data[j]!.d : one;
      low += Math.min(one, other);
      high += Math.max(one, other);
      terms += Math.abs(weight) * n;
    }
  }
  return { low, high, terms };
}

/** A call of the op whose result is one number: outputs weighted and summed. */
const objectiveOf =
  (
    op: GeometryOp,
    opCase: GeometryCase,
    inputs: readonly Tensor[],
    trained: readonly number[],
    weights: Tensor[],
  ) =>
  (...xs: Tensor[]): Tensor => {
    const all = inputs.map((x, i) => (trained.includes(i) ? xs[trained.indexOf(i)]! : x));
    const outputs = [op.tfjs(all, structuredClone(opCase.attrs))].flat();
    return addN(outputs.map((y, i) => tfSum(tfMul(y, weights[i]!)) as Tensor));
  };

async function compareGradients(
  op: GeometryOp,
  opCase: GeometryCase,
  gradients: readonly Tensor[],
  slopes: (direction: Direction) => Slope,
): Promise<Failure | null> {
  const trained = trainedInputs(op, opCase);
  const shapes = trained.map((i) => opCase.inputs[i]!.shape);
  const values: (readonly number[])[] = [];
  for (const [t, i] of trained.entries()) {
    const got = gradients[t]!;
    if (got.shape.join() !== shapes[t]!.join())
      return wrong(`gradient of input ${i}: expected shape [${shapes[t]}], got [${got.shape}]`);
    if (got.dtype !== "float32") return wrong(`gradient of input ${i}: expected float32, got ${got.dtype}`);
    values.push([...(await got.data())]);
  }
  const sizes = shapes.map(sizeOf);
  const along = (t: number, j: number): Direction =>
    sizes.map((n, s) => Array.from({ length: n }, (_, i) => (s === t && i === j ? 1 : 0)));

  const small = sizes.reduce((a, b) => a + b, 0) <= 40;
  if (small) {
    for (const [t, got] of values.entries()) {
      const wanted = got.map((_, j) => slopes(along(t, j)));
      const allowed = Math.max(
        RELATIVE * largestOf(wanted.flatMap(({ low, high }) => [low, high])),
        OF_TERMS * largestOf(wanted.map(({ terms }) => terms)),
      );
      if (wanted.some(({ low, high }, j) => !(got[j]! >= low - allowed && got[j]! <= high + allowed)))
        return wrong(
          `gradient of input ${trained[t]}: expected ${wanted.map(({ low, high }) => (low === high ? show(low) : `${show(low)}..${show(high)}`)).join(" ")}; got ${list(got)}`,
        );
    }
  }
  if (small && !op.kinks) return null;
  // Along all inputs at once, then along noise: a sum over them hides no single element.
  for (let r = 0; r < 5; r++) {
    const direction = sizes.map((n, t) =>
      r === 0 && small ? Array<number>(n).fill(1) : noise(n, 17 * r + t + 3),
    );
    const { low, high, terms } = slopes(direction);
    let along = 0;
    let allowed = OF_TERMS * terms;
    for (const [t, got] of values.entries()) {
      for (const [j, g] of got.entries()) along += g * direction[t]![j]!;
      allowed += RELATIVE * largestOf(got) * Math.sqrt(got.length);
    }
    if (!(along >= low - allowed && along <= high + allowed))
      return wrong(
        `gradients ${values.map((got) => `[${list(got)}]`).join(" and ")}: their sum along ${direction.map((d) => `[${list(d)}]`).join(" and ")} is expected ${low === high ? show(low) : `${show(low)}..${show(high)}`}, got ${show(along)}`,
      );
  }
  return null;
}

async function compare(
  op: GeometryOp,
  opCase: GeometryCase,
  mode: Mode,
  inputs: Tensor[],
): Promise<Failure | null> {
  if (mode === "value") {
    const outputs = tidy(() => [op.tfjs(inputs, structuredClone(opCase.attrs))].flat());
    try {
      return await compareValues(outputs, defined(op, opCase));
    } finally {
      for (const y of outputs) y.dispose();
    }
  }
  const outputs = defined(op, opCase);
  const weights = weightsOf(outputs);
  const trained = trainedInputs(op, opCase);
  if (mode === "gradient") {
    const gradients = tidy(() => {
      const w = weights.map((values, i) => tensor(values, [...outputs[i]!.shape], "float32"));
      const xs = trained.map((i) => inputs[i]!);
      return grads(objectiveOf(op, opCase, inputs, trained, w))(xs);
    });
    try {
      return await compareGradients(op, opCase, gradients, (direction) =>
        slopeAlong(op, opCase, weights, direction),
      );
    } finally {
      for (const g of gradients) g.dispose();
    }
  }
  throw new Error("check-case: second derivatives come later");
}

/** Something as simple as `1 + 1`: a kernel that writes past its buffer breaks what comes after. */
async function computes(): Promise<boolean> {
  const two = tidy(() => tfAdd(scalar(1), scalar(1)));
  try {
    return (await two.data())[0] === 2;
  } finally {
    two.dispose();
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Runs a case on the current backend; null if all is right. */
export async function checkCase(op: GeometryOp, opCase: GeometryCase, mode: Mode): Promise<Failure | null> {
  const before = [memory().numTensors, engine().backend.numDataIds()];
  let failure: Failure | null;
  let inputs: Tensor[] = [];
  try {
    inputs = opCase.inputs.map(({ shape, dtype, values }) =>
      tensor([...values], [...shape], dtype ?? "float32"),
    );
    const { result, printed } = await quietly(() => compare(op, opCase, mode, inputs));
    failure =
      result ?? (printed.length > 0 ? { kind: "throws", detail: `prints ${printed.join("; ")}` } : null);
  } catch (error) {
    failure = { kind: "throws", detail: messageOf(error) };
  }
  try {
    for (const x of inputs) x.dispose();
    if (!(await quietly(computes)).result)
      return { kind: "breaks", detail: failure?.detail ?? "1 + 1 is not 2 any more" };
  } catch (error) {
    return { kind: "breaks", detail: `${failure?.detail ?? ""}; then 1 + 1: ${messageOf(error)}` };
  }
  const after = [memory().numTensors, engine().backend.numDataIds()];
  if (failure === null && after.join() !== before.join())
    return { kind: "leaks", detail: `tensors and buffers: ${before} before, ${after} after` };
  return failure;
}
