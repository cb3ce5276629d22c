import { type Companion, floatWord, job } from "../../companion/companion.js";
import { withMemory } from "../../companion/with-memory.js";
import { allocate, type BackendWasm, sizeOf, type TensorInfo } from "../../heap.js";
import { blocksOfRows } from "./blocks-of-rows.js";
import { companionKernel } from "./companion-kernel.js";

interface Pass {
  readonly x: TensorInfo;
  readonly attrs: { readonly epsilon: number; readonly centers: number };
  readonly tensors: Readonly<Partial<Record<(typeof names)[number], TensorInfo>>>;
  readonly jobs: readonly [rows: number, finish?: number];
}

/** The order of `LayerNorm` in `assembly/layer-norm.ts`. */
const names = ["x", "dy", "scale", "offset", "out", "dScale", "dOffset"] as const;

function runPass(backend: BackendWasm, companion: Companion, { x, attrs, tensors, jobs }: Pass): void {
  const [n, width] = x.shape as [number, number];
  const { rowsOfTask, tasks } = blocksOfRows(n, width);
  const [rows, finish] = jobs;
  withMemory(companion, [56, finish === undefined ? 0 : tasks * width * 16], (at, sums) => {
    const places = names.map((name) => {
      const tensor = name === "x" ? x : tensors[name];
      return tensor === undefined ? 0 : backend.getMemoryOffset(tensor.dataId);
    });
    const numbers = [n, width, rowsOfTask, tasks, attrs.centers, ...places, sums!, floatWord(attrs.epsilon)];
    companion.write(at!, numbers);
    companion.run(rows, at!, tasks, 0, 0);
    if (finish !== undefined) companion.run(finish, at!, 1, 0, 0);
  });
}

/** Layer norm of rows `[n, width]`, or root mean square norm, and the gradient. */
export const layerNormKernels = () => [
  companionKernel("GradlabLayerNorm", ({ inputs, backend, attrs, companion }) => {
    const { x, scale, offset } = inputs;
    const out = allocate(backend, x!.shape);
    if (sizeOf(x!.shape) === 0) return out;
    const tensors = { scale: scale!, offset: offset!, out };
    runPass(backend, companion, { x: x!, attrs, tensors, jobs: [job.layerNorm] });
    return out;
  }),
  companionKernel("GradlabLayerNormGrad", ({ inputs, backend, attrs, companion }) => {
    const { x, dy, scale } = inputs;
    const width = x!.shape[1]!;
    const [out, dScale, dOffset] = [x!.shape, [width], [width]].map((shape) => allocate(backend, shape)) as [
      TensorInfo,
      TensorInfo,
      TensorInfo,
    ];
    if (sizeOf(x!.shape) === 0) return [out, dScale, dOffset];
    const tensors = { dy: dy!, scale: scale!, out, dScale, dOffset };
    const jobs = [job.layerNormGradient, job.layerNormFinish] as const;
    runPass(backend, companion, { x: x!, attrs, tensors, jobs });
    return [out, dScale, dOffset];
  }),
];
