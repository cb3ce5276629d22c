import { type Companion, floatWord, job } from "../../companion/companion.js";
import { withMemory } from "../../companion/with-memory.js";
import { allocate, type BackendWasm, sizeOf, type TensorInfo } from "../../heap.js";
import { blocksOfRows } from "./blocks-of-rows.js";
import { companionKernel } from "./companion-kernel.js";

interface Pass {
  readonly x: TensorInfo;
  readonly epsilon: number;
  readonly tensors: Readonly<Partial<Record<(typeof names)[number], TensorInfo>>>;
  readonly jobs: readonly [sums: number, finish: number, write: number];
}

/** The order of `BatchNorm` in `assembly/batch-norm.ts`. */
const names = [
  ...["x", "dy", "scale", "offset", "out", "mean", "variance"],
  ...["dMean", "dVariance", "dScale", "dOffset"],
] as const;

function runPass(backend: BackendWasm, companion: Companion, { x, epsilon, tensors, jobs }: Pass): void {
  const [n, channels] = x.shape as [number, number];
  if (sizeOf(x.shape) === 0) return;
  const { rowsOfTask, tasks } = blocksOfRows(n, channels);
  withMemory(companion, [80, tasks * channels * 16, channels * 20], (at, sums, numbers) => {
    const places = names.map((name) => {
      const tensor = name === "x" ? x : tensors[name];
      return tensor === undefined ? 0 : backend.getMemoryOffset(tensor.dataId);
    });
    companion.write(at!, [n, channels, rowsOfTask, tasks, ...places, sums!, numbers!, floatWord(epsilon)]);
    companion.run(jobs[0], at!, tasks, 0, 0);
    companion.run(jobs[1], at!, 1, 0, 0);
    companion.run(jobs[2], at!, tasks, 0, 0);
  });
}

/** Batch normalization of rows `[n, channels]` by their own statistics, and its gradient through them. */
export const batchNormTrainingKernels = () => [
  companionKernel("GradlabBatchNorm", ({ inputs, backend, attrs, companion }) => {
    const { x, scale, offset } = inputs;
    const [, channels] = x!.shape as [number, number];
    const [out, mean, variance] = [x!.shape, [channels], [channels]].map((shape) =>
      allocate(backend, shape),
    ) as [TensorInfo, TensorInfo, TensorInfo];
    const tensors = { scale: scale!, offset: offset!, out, mean, variance };
    const jobs = [job.batchNormSums, job.batchNormStatistics, job.batchNorm] as const;
    runPass(backend, companion, { x: x!, epsilon: attrs.epsilon, tensors, jobs });
    return [out, mean, variance];
  }),
  companionKernel("GradlabBatchNormGrad", ({ inputs, backend, attrs, companion }) => {
    const { x, ...others } = inputs;
    const [, channels] = x!.shape as [number, number];
    const [out, dScale, dOffset] = [x!.shape, [channels], [channels]].map((shape) =>
      allocate(backend, shape),
    ) as [TensorInfo, TensorInfo, TensorInfo];
    const tensors = { ...others, out, dScale, dOffset };
    const jobs = [job.batchNormGradientSums, job.batchNormCoefficients, job.batchNormGradient] as const;
    runPass(backend, companion, { x: x!, epsilon: attrs.epsilon, tensors, jobs });
    return [out, dScale, dOffset];
  }),
];
