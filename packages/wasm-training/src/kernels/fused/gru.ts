import { type Companion, job } from "../../companion/companion.js";
import { multiplyAt } from "../../companion/multiply.js";
import { withMemory } from "../../companion/with-memory.js";
import { allocate, allocateZeros, type BackendWasm, release, sizeOf, type TensorInfo } from "../../heap.js";
import { run } from "../../kernel.js";
import { companionKernel } from "./companion-kernel.js";
import { runForward } from "./recurrent-forward.js";
import { packingOf, type Sizes, scratchOf, sizesOf, unitsOfTask, workOf } from "./recurrent-sizes.js";

const GATES = 3;
const SCRATCH_BYTES = scratchOf(GATES);
const RECORD_BYTES = 80;

/** The record `GruStep` of `assembly/gru.ts`, in its order. */
interface StepPlaces {
  readonly recurrent: number;
  readonly packed: number;
  readonly recurrentBias: number;
  readonly products: number;
  readonly gates: number;
  readonly hBefore: number;
  readonly h: number;
  readonly activations: number;
  readonly dOutputs: number;
  readonly dState: number;
  readonly dStateAfter: number;
  readonly dThrough: number;
  readonly dThroughBefore: number;
  readonly dH: number;
}

const nowhere: StepPlaces = {
  ...{ recurrent: 0, packed: 0, recurrentBias: 0, products: 0, gates: 0, hBefore: 0, h: 0, activations: 0 },
  ...{ dOutputs: 0, dState: 0, dStateAfter: 0, dThrough: 0, dThroughBefore: 0, dH: 0 },
};

const recordOf = ({ batch, units }: Sizes, each: number, places: Partial<StepPlaces>): number[] => [
  ...[batch, units, each],
  ...Object.values({ ...nowhere, ...places }),
];

type Inputs = Readonly<Record<string, TensorInfo>>;

/** `[t, b, h]` states from `[t, b, 3h]` of what the inputs give to the gates r, z, n. */
function forward(backend: BackendWasm, companion: Companion, inputs: Inputs): TensorInfo[] {
  const sizes = sizesOf(inputs.gates!, GATES);
  const { steps, batch, units } = sizes;
  const outputs = allocate(backend, [steps, batch, units]);
  const activations = allocate(backend, [steps, batch, 4 * units]);
  if (sizeOf(outputs.shape) === 0) return [outputs, activations];
  const at = (tensor: TensorInfo) => backend.getMemoryOffset(tensor.dataId);
  const state = batch * units * 4;
  const forwardSteps = {
    ...{ sizes, gates: GATES, pack: job.gruPack, step: job.gruStep, recordBytes: RECORD_BYTES },
    ...{ recurrent: at(inputs.recurrent!), h: at(inputs.h!), outputs: at(outputs) },
  };
  runForward(companion, forwardSteps, (t, each, from) =>
    recordOf(sizes, each, {
      ...from,
      recurrentBias: at(inputs.recurrentBias!),
      gates: at(inputs.gates!) + t * GATES * state,
      ...{ h: at(outputs) + t * state, activations: at(activations) + 4 * t * state },
    }),
  );
  return [outputs, activations];
}

/** The gradients of what the inputs give to the gates, of the recurrent weights and their bias, and of the first state. */
function backward(backend: BackendWasm, companion: Companion, inputs: Inputs): TensorInfo[] {
  const { recurrent, h, outputs, activations, dOutputs } = inputs as {
    [name in "recurrent" | "h" | "outputs" | "activations" | "dOutputs"]: TensorInfo;
  };
  const [steps, batch, units] = outputs.shape as [number, number, number];
  const sizes = { steps, batch, units };
  const wide = GATES * units;
  const shapes = [
    [steps, batch, wide],
    [units, wide],
    [batch, units],
  ];
  if (sizeOf(outputs.shape) === 0) {
    return shapes.toSpliced(2, 0, [wide]).map((shape) => allocateZeros(backend, shape));
  }
  const [dGates, dRecurrent, dH] = shapes.map((shape) => allocate(backend, shape)) as [
    TensorInfo,
    TensorInfo,
    TensorInfo,
  ];
  const dState = allocate(backend, [steps * batch, wide]);
  const at = (tensor: TensorInfo) => backend.getMemoryOffset(tensor.dataId);
  const panels = Math.ceil(units / 8);
  const state = batch * units * 4;
  const bytes = [
    ...[RECORD_BYTES, panels * wide * 32, SCRATCH_BYTES * companion.threads],
    ...[state, state, steps * state],
  ];
  withMemory(companion, bytes, (record, packed, scratch, even, odd, before) => {
    const each = unitsOfTask(sizes, GATES);
    const tasks = Math.ceil(units / each);
    const weights = { recurrent: at(recurrent), packed: packed! };
    companion.write(even!, new Uint32Array(batch * units));
    companion.write(record!, recordOf(sizes, each, weights));
    companion.run(job.gruPackTurned, record!, panels, scratch!, SCRATCH_BYTES, packingOf(sizes, GATES));
    let [read, write] = [even!, odd!];
    for (let t = steps - 1; t >= 0; t--) {
      const places = {
        ...weights,
        gates: at(dGates) + GATES * t * state,
        hBefore: t === 0 ? at(h) : at(outputs) + (t - 1) * state,
        ...{ activations: at(activations) + 4 * t * state, dOutputs: at(dOutputs) + t * state },
        dState: at(dState) + GATES * t * state,
        dStateAfter: t === steps - 1 ? 0 : at(dState) + GATES * (t + 1) * state,
        ...{ dThrough: read, dThroughBefore: write },
      };
      companion.write(record!, recordOf(sizes, each, places));
      companion.run(job.gruBack, record!, tasks, scratch!, SCRATCH_BYTES, workOf(sizes, GATES));
      [read, write] = [write, read];
    }
    const first = { ...weights, dStateAfter: at(dState), dThrough: read, dH: at(dH) };
    companion.write(record!, recordOf(sizes, each, first));
    companion.run(job.gruBack, record!, tasks, scratch!, SCRATCH_BYTES, workOf(sizes, GATES));
    // The states before each step, under each other: one product for all steps.
    companion.copy(before!, at(h), state);
    companion.copy(before! + state, at(outputs), (steps - 1) * state);
    const [m, n, k] = [units, wide, steps * batch];
    multiplyAt(companion, { m, n, k, a: before!, b: at(dState), out: at(dRecurrent), transposeA: true });
  });
  const dRecurrentBias = run(backend, "Sum", { x: dState }, { axis: [0], keepDims: false });
  release(backend, dState);
  return [dGates, dRecurrent, dRecurrentBias, dH];
}

/** A GRU over all steps of a sequence, and its gradient. */
export const gruKernels = () => [
  companionKernel("GradlabGru", ({ inputs, backend, companion }) =>
    forward(backend, companion, inputs as Inputs),
  ),
  companionKernel("GradlabGruGrad", ({ inputs, backend, companion }) =>
    backward(backend, companion, inputs as Inputs),
  ),
];
