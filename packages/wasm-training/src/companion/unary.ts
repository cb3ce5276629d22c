/** Functions of one number by the companion module. */
import { backend_util } from "@tensorflow/tfjs-core";
import { allocate, type BackendWasm, release, sizeOf, type TensorInfo } from "../heap.js";
import { type Companion, floatWord, job } from "./companion.js";
import { ELEMENTS_OF_TASK } from "./rows.js";
import { withMemory } from "./with-memory.js";

interface Unary {
  /** The number in `assembly/unary.ts`, and its two parameters. */
  readonly f: number;
  readonly p?: number;
  readonly q?: number;
}

// biome-ignore lint/suspicious/noExplicitAny: each function knows its own attributes
type Attributes = any;

const { SELU_SCALE, SELU_SCALEALPHA } = backend_util;

/** By the names of tfjs's kernels; its own sigmoid and elu are as fast. */
const functions: Readonly<Record<string, Unary | ((attrs: Attributes) => Unary)>> = {
  Exp: { f: 0 },
  Expm1: { f: 1 },
  Log: { f: 2 },
  Log1p: { f: 3 },
  Tanh: { f: 5 },
  Softplus: { f: 6 },
  LeakyRelu: ({ alpha }) => ({ f: 7, p: alpha }),
  Selu: { f: 8, p: SELU_SCALE, q: SELU_SCALEALPHA },
  Relu6: { f: 9, p: 0, q: 6 },
  ClipByValue: ({ clipValueMin, clipValueMax }) => ({ f: 9, p: clipValueMin, q: clipValueMax }),
  Sign: { f: 10 },
  Step: ({ alpha }) => ({ f: 11, p: alpha }),
  Sin: { f: 12 },
  Cos: { f: 13 },
  Relu: { f: 14 },
};

const RECORD_BYTES = 32;
const SCRATCH_BYTES = 16;

/**
 * The function of every number of a float32 tensor, or undefined where the module does not know it, or a number is too
 * large for its sine; the caller releases the result.
 */
export function mapByCompanion(
  backend: BackendWasm,
  companion: Companion,
  kernelName: string,
  x: TensorInfo,
  attrs: Attributes,
): TensorInfo | undefined {
  const entry = functions[kernelName];
  const n = sizeOf(x.shape);
  if (entry === undefined || n === 0) return undefined;
  const { f, p = 0, q = 0 } = typeof entry === "function" ? entry(attrs) : entry;
  const out = allocate(backend, x.shape);
  let refused = false;
  withMemory(companion, [RECORD_BYTES, SCRATCH_BYTES * companion.threads], (at, scratch) => {
    const [from, to] = [x, out].map(({ dataId }) => backend.getMemoryOffset(dataId));
    companion.write(at!, [n, ELEMENTS_OF_TASK, f, from!, to!, floatWord(p), floatWord(q), 0]);
    companion.run(job.unary, at!, Math.ceil(n / ELEMENTS_OF_TASK), scratch!, SCRATCH_BYTES);
    refused = companion.read(at! + 28) !== 0;
  });
  if (!refused) return out;
  release(backend, out);
  return undefined;
}
