import {
  type DataType,
  findBackend,
  getKernel,
  type KernelConfig,
  type TensorInfo,
} from "@tensorflow/tfjs-core";
import { type KernelArguments, kernel, kernelOver } from "../kernel.js";

/** What the kernels of the cpu backend need of it. */
interface CpuBackend {
  write(values: unknown, shape: number[], dtype: DataType): object;
  readSync(dataId: object): unknown;
  disposeData(dataId: object, force?: boolean): boolean;
}

/** Runs the kernel of the cpu backend on copies; that backend must be imported. */
function runOnCpu(
  kernelName: string,
  { inputs, backend, attrs }: KernelArguments,
  what: string,
): TensorInfo | TensorInfo[] {
  const cpuKernel = getKernel(kernelName, "cpu");
  const cpu = cpuKernel && (findBackend("cpu") as unknown as CpuBackend | null);
  if (!cpu) {
    throw new Error(
      `${kernelName}: ${what} is computed by the cpu backend: import "@tensorflow/tfjs-backend-cpu" beside the wasm backend`,
    );
  }
  const copies: TensorInfo[] = [];
  const copyOf = (x: TensorInfo): TensorInfo => {
    const values = backend.readSync(x.dataId);
    const own = x.dtype === "string" ? values : (values as Float32Array).slice();
    copies.push({ dataId: cpu.write(own, x.shape, x.dtype), shape: x.shape, dtype: x.dtype });
    return copies.at(-1)!;
  };
  // Ragged tensors are lists of splits.
  const given: Record<string, TensorInfo | TensorInfo[]> = {};
  for (const [name, x] of Object.entries(inputs as Record<string, TensorInfo | TensorInfo[] | undefined>)) {
    if (x) given[name] = Array.isArray(x) ? x.map(copyOf) : copyOf(x);
  }
  const results = cpuKernel.kernelFunc({ inputs: given as never, attrs, backend: cpu });
  const back = (x: TensorInfo): TensorInfo => {
    const values = cpu.readSync(x.dataId);
    cpu.disposeData(x.dataId, true);
    return backend.makeOutput(x.shape, x.dtype, undefined, values as never);
  };
  const out = Array.isArray(results) ? results.map(back) : back(results);
  for (const { dataId } of copies) cpu.disposeData(dataId, true);
  return out;
}

/** Kernels of the wasm backend that read strings as if they were numbers. */
const numeric = ["Fill", "GatherNd", "ScatterNd", "SparseToDense", "TensorScatterUpdate", "Unique"];

/** Kernels that it lacks, and that nothing here needs to be fast. */
const missing = ["RaggedGather", "RaggedRange", "RaggedTensorToTensor", "StaticRegexReplace"];

const holdsStrings = ({ inputs, attrs }: KernelArguments) =>
  attrs?.dtype === "string" ||
  typeof attrs?.value === "string" ||
  Object.values(inputs).some((x) => x?.dtype === "string");

/** Kernels of strings and of ragged tensors, which the cpu backend computes on copies. */
export const cpuKernels = (): KernelConfig[] => [
  ...numeric.map((name) =>
    kernelOver(name, (args, stock) =>
      holdsStrings(args) ? runOnCpu(name, args, "a tensor of strings") : (stock(args) as TensorInfo),
    ),
  ),
  ...missing.map((name) => kernel(name, (args) => runOnCpu(name, args, "this kernel"))),
];

/** `Tile` of strings. */
export const tileStrings = (args: KernelArguments): TensorInfo =>
  runOnCpu("Tile", args, "a tensor of strings") as TensorInfo;
