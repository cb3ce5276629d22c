/** Checks one case on the current backend against the definition of its op. */
import { engine, memory, scalar, type Tensor, tensor, add as tfAdd, tidy } from "@tensorflow/tfjs-core";
import { defined, fixedDirection, secondSlopeAlong, slopeAlong, trainedInputs, weightsOf } from "./along.js";
import { type Allowance, allowanceOf, compareGradients, compareValues, compareWeights } from "./compare.js";
import { firstGradients, secondGradients } from "./derivatives.js";
import type { Failure } from "./failure.js";
import type { GeometryCase, GeometryOp } from "./op.js";
import { quietly } from "./quietly.js";

/** What is compared: the op's value, its gradient, or the gradient of a sum over its gradient. */
export type Mode = "value" | "gradient" | "second";

interface Run {
  readonly op: GeometryOp;
  readonly opCase: GeometryCase;
  readonly inputs: Tensor[];
  readonly allowance: Allowance;
}

/** Runs something with the tensors that a function makes, and lets them go. */
async function owning<T>(make: () => Tensor[], use: (tensors: Tensor[]) => Promise<T>): Promise<T> {
  const tensors = tidy(make);
  try {
    return await use(tensors);
  } finally {
    for (const x of tensors) x.dispose();
  }
}

const checkValue = ({ op, opCase, inputs, allowance }: Run): Promise<Failure | null> =>
  owning(
    () => [op.tfjs(inputs, structuredClone(opCase.attrs))].flat(),
    (outputs) => compareValues(outputs, defined(op, opCase), allowance),
  );

function checkGradient({ op, opCase, inputs, allowance }: Run): Promise<Failure | null> {
  const outputs = defined(op, opCase);
  const weights = weightsOf(outputs);
  return owning(
    () => {
      const ws = weights.map((values, i) => tensor(values, [...outputs[i]!.shape], "float32"));
      return firstGradients(op, opCase, inputs, ws);
    },
    (gradients) =>
      compareGradients(
        op,
        opCase,
        gradients,
        (direction) => slopeAlong(op, opCase, weights, direction),
        allowance,
      ),
  );
}

function checkSecond({ op, opCase, inputs, allowance }: Run): Promise<Failure | null> {
  const u = fixedDirection(op, opCase);
  const alongU = defined(
    op,
    opCase,
    u.map((d) => d.map(() => 0)),
    u,
  );
  const weights = weightsOf(alongU);
  const count = trainedInputs(op, opCase).length;
  return owning(
    () => {
      const ws = weights.map((values, i) => tensor(values, [...alongU[i]!.shape], "float32"));
      return secondGradients(op, opCase, inputs, ws);
    },
    async (gradients) =>
      (await compareWeights(gradients.slice(count), weights, alongU, allowance)) ??
      (await compareGradients(
        // Cases with kinks are not among those of this mode.
        { ...op, kinks: false },
        opCase,
        gradients.slice(0, count),
        (direction) => secondSlopeAlong(op, opCase, weights, direction),
        allowance,
      )),
  );
}

const checks: Readonly<Record<Mode, (run: Run) => Promise<Failure | null>>> = {
  value: checkValue,
  gradient: checkGradient,
  second: checkSecond,
};

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
export async function checkCase(
  op: GeometryOp,
  opCase: GeometryCase,
  mode: Mode,
  relative?: number,
): Promise<Failure | null> {
  const before = [memory().numTensors, engine().backend.numDataIds()];
  let failure: Failure | null;
  let inputs: Tensor[] = [];
  try {
    inputs = opCase.inputs.map(({ shape, dtype, values }) =>
      tensor([...values], [...shape], dtype ?? "float32"),
    );
    const { result, printed } = await quietly(() =>
      checks[mode]({ op, opCase, inputs, allowance: allowanceOf(relative) }),
    );
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
