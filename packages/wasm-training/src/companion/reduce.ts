/** Sums, largest and smallest numbers over neighbouring axes by the companion module. */
import { type BackendWasm, sizeOf, type TensorInfo } from "../heap.js";
import { type Companion, job } from "./companion.js";
import { ELEMENTS_OF_TASK } from "./rows.js";
import { withMemory } from "./with-memory.js";

/** The numbers of `assembly/reduce.ts`. */
const functions: Readonly<Record<string, number>> = { Sum: 0, Mean: 0, Max: 1, Min: 2 };

/** Numbers of one piece of the reduced axis: its length and the columns beside it alone decide how it is cut. */
const PIECE = 8192;
const MOST_PIECES = 64;

const RECORD_BYTES = 64;
const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);

export const canReduce = (kernelName: string): boolean => kernelName in functions;

/** Reduces the middle axis of float32 `[outer, reduced, inner]`, all sizes from 1, into `out`. */
export function reduceByCompanion(
  backend: BackendWasm,
  companion: Companion,
  kernelName: string,
  x: TensorInfo,
  out: TensorInfo,
  [outer, reduced, inner]: readonly [number, number, number],
): void {
  const f = functions[kernelName]!;
  const fewest = Math.ceil(reduced / MOST_PIECES);
  const piece = Math.max(fewest, Math.min(reduced, Math.ceil(PIECE / inner)));
  const pieces = Math.ceil(reduced / piece);
  const each = Math.max(1, Math.floor(ELEMENTS_OF_TASK / (piece * inner)));
  double[0] = f === 2 ? -1 : kernelName === "Mean" ? 1 / reduced : 1;
  const factor = [...words];
  const tasks = Math.ceil((outer * pieces) / each);
  withMemory(companion, [RECORD_BYTES, outer * pieces * inner * 8], (at, parts) => {
    const places = [x, out].map(({ dataId }) => backend.getMemoryOffset(dataId));
    // The factor stands at a multiple of eight bytes.
    companion.write(at!, [outer, reduced, inner, f, piece, pieces, each, ...places, 0, ...factor, parts!]);
    companion.run(job.reduce, at!, tasks, 0, 0);
    const finished = Math.max(1, Math.floor(4096 / inner));
    companion.run(job.reduceFinish, at!, Math.ceil(sizeOf([outer]) / finished), 0, 0);
  });
}
