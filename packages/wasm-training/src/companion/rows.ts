/** Jobs over rows: softmax and what is made of it. */
import type { BackendWasm, TensorInfo } from "../heap.js";
import { type Companion, floatWord, type job } from "./companion.js";
import { withMemory } from "./with-memory.js";

/** Numbers of a task: worth a thread's while, few enough for the cache. */
export const ELEMENTS_OF_TASK = 16_384;

/** How many rows of `columns` numbers make a task. */
export const rowsOfTask = (columns: number): number =>
  Math.max(1, Math.floor(ELEMENTS_OF_TASK / Math.max(1, columns)));

export interface RowsJob {
  readonly job: (typeof job)["softmax" | "softmaxGradient" | "crossEntropy" | "crossEntropyGradient"];
  readonly rows: number;
  readonly columns: number;
  readonly x: TensorInfo;
  readonly out: TensorInfo;
  readonly labels?: TensorInfo;
  readonly smoothing?: number;
  readonly dy?: TensorInfo;
}

/** Runs a job with the record `Rows` of `assembly/softmax.ts`. */
export function runRows(
  backend: BackendWasm,
  companion: Companion,
  { job, rows, columns, x, out, labels, smoothing = 0, dy }: RowsJob,
): void {
  if (rows === 0 || columns === 0) return;
  const address = (tensor: TensorInfo | undefined) =>
    tensor === undefined ? 0 : backend.getMemoryOffset(tensor.dataId);
  const each = rowsOfTask(columns);
  withMemory(companion, [40], (at) => {
    const places = [address(x), address(out), address(labels)];
    companion.write(at!, [rows, columns, each, ...places, floatWord(smoothing), address(dy)]);
    companion.run(job, at!, Math.ceil(rows / each), 0, 0);
  });
}
