/** Functions of two numbers, and the choice between two, by the companion module. */
import { broadcast_util } from "@tensorflow/tfjs-core";
import { allocate, type BackendWasm, sizeOf, type TensorInfo } from "../heap.js";
import { type Companion, job } from "./companion.js";
import { ELEMENTS_OF_TASK } from "./rows.js";
import { withMemory } from "./with-memory.js";

/** The numbers of `assembly/pairs.ts`; those from 3 on give booleans. */
const functions: Readonly<Record<string, number>> = {
  Maximum: 0,
  Minimum: 1,
  Prelu: 2,
  Equal: 3,
  NotEqual: 4,
  Less: 5,
  LessEqual: 6,
  Greater: 7,
  GreaterEqual: 8,
};
const FIRST_COMPARISON = 3;

/** For each axis of the output, how far apart neighbours are in a tensor that is broadcast to it. */
export function broadcastStrides(shape: readonly number[], outShape: readonly number[]): number[] {
  const strides: number[] = new Array(outShape.length).fill(0);
  let step = 1;
  for (let i = shape.length - 1, j = outShape.length - 1; i >= 0; i--, j--) {
    strides[j] = shape[i] === 1 ? 0 : step;
    step *= shape[i]!;
  }
  return strides;
}

interface Axis {
  readonly size: number;
  readonly a: number;
  readonly b: number;
}

/** The axes of the output, the last one first, those that both operands walk as one put together. */
function axesOf(outShape: readonly number[], a: TensorInfo, b: TensorInfo): Axis[] {
  const [aStrides, bStrides] = [broadcastStrides(a.shape, outShape), broadcastStrides(b.shape, outShape)];
  const axes: Axis[] = [];
  for (let i = outShape.length - 1; i >= 0; i--) {
    const size = outShape[i]!;
    if (size === 1) continue;
    const [inner, next] = [axes.at(-1), { size, a: aStrides[i]!, b: bStrides[i]! }];
    if (inner && next.a === inner.a * inner.size && next.b === inner.b * inner.size) {
      axes[axes.length - 1] = { ...inner, size: inner.size * size };
    } else axes.push(next);
  }
  return axes;
}

const RECORD_BYTES = 48;

/** The function of every pair of float32 numbers, or undefined where the module does not know it. */
export function pairByCompanion(
  backend: BackendWasm,
  companion: Companion,
  kernelName: string,
  a: TensorInfo,
  b: TensorInfo,
): TensorInfo | undefined {
  const f = functions[kernelName];
  const outShape = broadcast_util.assertAndGetBroadcastShape(a.shape, b.shape);
  if (f === undefined || sizeOf(outShape) === 0) return undefined;
  const out = allocate(backend, outShape, f < FIRST_COMPARISON ? "float32" : "bool");
  const [row = { size: 1, a: 0, b: 0 }, ...axes] = axesOf(outShape, a, b);
  const rows = axes.reduce((product, { size }) => product * size, 1);
  const tasks =
    rows === 1
      ? Math.ceil(row.size / ELEMENTS_OF_TASK)
      : Math.ceil(rows / Math.max(1, Math.floor(ELEMENTS_OF_TASK / row.size)));
  withMemory(companion, [RECORD_BYTES, 12 * axes.length], (at, sizes) => {
    const places = [a, b, out].map(({ dataId }) => backend.getMemoryOffset(dataId));
    companion.write(
      sizes!,
      axes.flatMap(({ size, a, b }) => [size, a, b]),
    );
    const how = [rows, row.size, ELEMENTS_OF_TASK, f, row.a, row.b];
    companion.write(at!, [...how, ...places, 0, axes.length, sizes!]);
    companion.run(job.pairs, at!, tasks, 0, 0);
  });
  return out;
}

/** Elements of four bytes of `t` where the condition, of the same size, holds, of `e` elsewhere. */
export function selectByCompanion(
  backend: BackendWasm,
  companion: Companion,
  condition: TensorInfo,
  t: TensorInfo,
  e: TensorInfo,
  out: TensorInfo,
): void {
  const n = sizeOf(out.shape);
  withMemory(companion, [RECORD_BYTES], (at) => {
    const places = [t, e, out, condition].map(({ dataId }) => backend.getMemoryOffset(dataId));
    companion.write(at!, [1, n, ELEMENTS_OF_TASK, 0, 1, 1, ...places, 0, 0]);
    companion.run(job.select, at!, Math.ceil(n / ELEMENTS_OF_TASK), 0, 0);
  });
}
