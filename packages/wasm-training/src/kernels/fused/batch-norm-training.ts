import { type Companion, floatWord, job } from "../../companion/companion.js";
import { withMemory } from "../../companion/with-memory.js";
import { allocate, type BackendWasm, sizeOf, type TensorInfo } from "../../heap.js";
import { blocksOfRows } from "./blocks-of-rows.js";
import { companionKernel } from "./companion-kernel.js";

interface Pass {
  readonly x: TensorInfo;
  readonly epsilon: number;
  readonly relu: boolean;
  readonly tensors: Readonly<Partial<Record<(typeof names)[number] | "y", TensorInfo>>>;
  readonly jobs: readonly [sums: number, finish: number, write: number];
}

/** The order of `BatchNorm` in `assembly/batch-norm.ts`. */
const names = [
  ...["x", "dy", "scale", "offset", "out", "mean", "variance"],
  ...["dMean", "dVariance", "dScale", "dOffset"],
] as const;

const RECORD_BYTES = 80;

function runPass(
  backend: BackendWasm,
  companion: Companion,
  { x, epsilon, relu, tensors, jobs }: Pass,
): void {
  const [n, channels] = x.shape as [number, number];
  if (sizeOf(x.shape) === 0) return;
  const { rowsOfTask, tasks } = blocksOfRows(n, channels);
  withMemory(companion, [RECORD_BYTES, tasks * channels * 16, channels * 20], (at, sums, numbers) => {
    const address = (tensor: TensorInfo | undefined) =>
      tensor === undefined ? 0 : backend.getMemoryOffset(tensor.dataId);
    const places = names.map((name) => address(name === "x" ? x : tensors[name]));
    const lowest = relu ? 0 : Number.NEGATIVE_INFINITY;
    companion.write(at!, [
      ...[n, channels, rowsOfTask, tasks, ...places, sums!, numbers!],
      ...[floatWord(epsilon), floatWord(lowest), address(tensors.y)],
    ]);
    companion.run(jobs[0], at!, tasks, 0, 0);
    companion.run(jobs[1], at!, 1, 0, 0);
    companion.run(jobs[2], at!, tasks, 0, 0);
  });
}

const allocateEach = (backend: BackendWasm, ...shapes: readonly (readonly number[])[]) =>
  shapes.map((shape) => allocate(backend, [...shape])) as [TensorInfo, TensorInfo, TensorInfo];

/** Batch normalization of rows `[n, channels]` by their own statistics, and its gradient through them. */
const kernels = (name: string, relu: boolean) => [
  companionKernel(name, ({ inputs, backend, attrs, companion }) => {
    const { x, scale, offset } = inputs;
    const { epsilon } = attrs;
    const [, channels] = x!.shape as [number, number];
    const [out, mean, variance] = allocateEach(backend, x!.shape, [channels], [channels]);
    const tensors = { scale: scale!, offset: offset!, out, mean, variance };
    const jobs = [job.batchNormSums, job.batchNormStatistics, job.batchNorm] as const;
    runPass(backend, companion, { x: x!, epsilon, relu, tensors, jobs });
    return [out, mean, variance];
  }),
  companionKernel(`${name}Grad`, ({ inputs, backend, attrs, companion }) => {
    const { x, ...others } = inputs;
    const { epsilon } = attrs;
    const [, channels] = x!.shape as [number, number];
    const [out, dScale, dOffset] = allocateEach(backend, x!.shape, [channels], [channels]);
    const tensors = { ...others, out, dScale, dOffset };
    const jobs = [job.batchNormGradientSums, job.batchNormCoefficients, job.batchNormGradient] as const;
    runPass(backend, companion, { x: x!, epsilon, relu, tensors, jobs });
    return [out, dScale, dOffset];
  }),
];

export const batchNormTrainingKernels = () => [
  ...kernels("GradlabBatchNorm", false),
  ...kernels("GradlabBatchNormRelu", true),
];
