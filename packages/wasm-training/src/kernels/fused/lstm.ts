import { type Companion, job } from "../../companion/companion.js";
import { multiplyAt } from "../../companion/multiply.js";
import { withMemory } from "../../companion/with-memory.js";
import { allocate, type BackendWasm, floats, sizeOf, type TensorInfo } from "../../heap.js";
import { companionKernel } from "./companion-kernel.js";
import { runForward } from "./recurrent-forward.js";
import { packingOf, type Sizes, scratchOf, sizesOf, unitsOfTask, workOf } from "./recurrent-sizes.js";

const GATES = 4;
const SCRATCH_BYTES = scratchOf(GATES);
const RECORD_BYTES = 80;

/** The record `LstmStep` of `assembly/lstm.ts`, in its order. */
interface StepPlaces {
  readonly recurrent: number;
  readonly packed: number;
  readonly products: number;
  readonly gates: number;
  readonly hBefore: number;
  readonly cBefore: number;
  readonly h: number;
  readonly c: number;
  readonly activations: number;
  readonly dOutputs: number;
  readonly dCells: number;
  readonly dGatesAfter: number;
  readonly dC: number;
  readonly dCBefore: number;
  readonly dH: number;
}

const nowhere: StepPlaces = {
  ...{ recurrent: 0, packed: 0, products: 0, gates: 0, hBefore: 0, cBefore: 0, h: 0, c: 0, activations: 0 },
  ...{ dOutputs: 0, dCells: 0, dGatesAfter: 0, dC: 0, dCBefore: 0, dH: 0 },
};

const recordOf = ({ batch, units }: Sizes, each: number, places: Partial<StepPlaces>): number[] => [
  ...[batch, units, each],
  ...Object.values({ ...nowhere, ...places }),
];

/** `[t, b, h]` states from `[t, b, 4h]` of what the inputs give to the gates i, f, g, o. */
function forward(
  backend: BackendWasm,
  companion: Companion,
  inputs: Record<string, TensorInfo>,
): TensorInfo[] {
  const sizes = sizesOf(inputs.gates!, GATES);
  const { steps, batch, units } = sizes;
  const outputs = allocate(backend, [steps, batch, units]);
  const cells = allocate(backend, [steps, batch, units]);
  const activations = allocate(backend, [steps, batch, 4 * units]);
  const results = [outputs, cells, activations];
  if (sizeOf(activations.shape) === 0) return results;
  const at = (tensor: TensorInfo) => backend.getMemoryOffset(tensor.dataId);
  const [state, wide] = [batch * units * 4, batch * units * 16];
  const forwardSteps = {
    ...{ sizes, gates: GATES, pack: job.lstmPack, step: job.lstmStep, recordBytes: RECORD_BYTES },
    ...{ recurrent: at(inputs.recurrent!), h: at(inputs.h!), outputs: at(outputs) },
  };
  runForward(companion, forwardSteps, (t, each, from) =>
    recordOf(sizes, each, {
      ...from,
      gates: at(inputs.gates!) + t * wide,
      cBefore: t === 0 ? at(inputs.c!) : at(cells) + (t - 1) * state,
      ...{ h: at(outputs) + t * state, c: at(cells) + t * state, activations: at(activations) + t * wide },
    }),
  );
  return results;
}

/** The gradients of the gates' inputs, the recurrent weights and the first states. */
function backward(
  backend: BackendWasm,
  companion: Companion,
  inputs: Record<string, TensorInfo>,
): TensorInfo[] {
  const { recurrent, h, c, outputs, cells, activations, dOutputs, dCells } = inputs as {
    [name in
      | "recurrent"
      | "h"
      | "c"
      | "outputs"
      | "cells"
      | "activations"
      | "dOutputs"
      | "dCells"]: TensorInfo;
  };
  const sizes = sizesOf(activations, GATES);
  const { steps, batch, units } = sizes;
  const shapes = [activations.shape, [units, 4 * units], [batch, units], [batch, units]];
  const results = shapes.map((shape) => allocate(backend, shape));
  const [dGates, dRecurrent, dH, dC] = results as [TensorInfo, TensorInfo, TensorInfo, TensorInfo];
  if (sizeOf(activations.shape) === 0) {
    for (const result of results) floats(backend, result).fill(0);
    return results;
  }
  const at = (tensor: TensorInfo) => backend.getMemoryOffset(tensor.dataId);
  const panels = Math.ceil(units / 8);
  const [state, wide] = [batch * units * 4, batch * units * 16];
  const bytes = [
    ...[RECORD_BYTES, panels * units * 128, SCRATCH_BYTES * companion.threads],
    ...[state, state, steps * state],
  ];
  withMemory(companion, bytes, (record, packed, scratch, even, odd, before) => {
    const each = unitsOfTask(sizes, GATES);
    const weights = { recurrent: at(recurrent), packed: packed! };
    const tasks = Math.ceil(units / each);
    companion.write(even!, new Uint32Array(batch * units));
    companion.write(record!, recordOf(sizes, each, weights));
    companion.run(job.lstmPackTurned, record!, panels, scratch!, SCRATCH_BYTES, packingOf(sizes, GATES));
    let [read, write] = [even!, odd!];
    for (let t = steps - 1; t >= 0; t--) {
      const places = {
        ...weights,
        gates: at(dGates) + t * wide,
        cBefore: t === 0 ? at(c) : at(cells) + (t - 1) * state,
        ...{ c: at(cells) + t * state, activations: at(activations) + t * wide },
        ...{ dOutputs: at(dOutputs) + t * state, dCells: at(dCells) + t * state },
        dGatesAfter: t === steps - 1 ? 0 : at(dGates) + (t + 1) * wide,
        ...{ dC: read, dCBefore: t === 0 ? at(dC) : write },
      };
      companion.write(record!, recordOf(sizes, each, places));
      companion.run(job.lstmBack, record!, tasks, scratch!, SCRATCH_BYTES, workOf(sizes, GATES));
      [read, write] = [write, read];
    }
    const first = { ...weights, dGatesAfter: at(dGates), dH: at(dH) };
    companion.write(record!, recordOf(sizes, each, first));
    companion.run(job.lstmBack, record!, tasks, scratch!, SCRATCH_BYTES, workOf(sizes, GATES));
    // The states before each step, under each other: one product for all steps.
    companion.copy(before!, at(h), state);
    companion.copy(before! + state, at(outputs), (steps - 1) * state);
    const [m, n, k] = [units, 4 * units, steps * batch];
    multiplyAt(companion, { m, n, k, a: before!, b: at(dGates), out: at(dRecurrent), transposeA: true });
  });
  return results;
}

/** An LSTM over all steps of a sequence, and its gradient. */
export const lstmKernels = () => [
  companionKernel("GradlabLstm", ({ inputs, backend, companion }) =>
    forward(backend, companion, inputs as Record<string, TensorInfo>),
  ),
  companionKernel("GradlabLstmGrad", ({ inputs, backend, companion }) =>
    backward(backend, companion, inputs as Record<string, TensorInfo>),
  ),
];
