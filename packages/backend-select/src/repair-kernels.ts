import {
  broadcast_util,
  broadcastTo,
  einsum,
  getKernel,
  type KernelFunc,
  matMul,
  mirrorPad,
  pad,
  registerKernel,
  reshape,
  reverse,
  sum,
  type Tensor,
  tidy,
  unregisterKernel,
  util,
} from "@tensorflow/tfjs-core";
import { explicitPads } from "./explicit-pads.js";
import type { Repair, RepairedBackend } from "./repair.js";

/** True where flat indices modulo the number of matrices pair each matrix of `own` with its partner in `all`. */
const isSuffix = (own: readonly number[], all: readonly number[]): boolean => {
  const first = own.findIndex((n) => n !== 1);
  if (first === -1) return true;
  const tail = own.slice(first);
  return util.arraysEqual(tail, all.slice(all.length - tail.length));
};

/** Matrices are paired by the modulo of their flat index: right where the smaller batch is a suffix of the larger one. */
const interleavedMatMul: Repair = {
  kernelName: "BatchMatMul",
  backends: ["cpu", "webgl", "webgpu"],
  compute: ({ a, b }, { transposeA, transposeB }) => {
    const [batchA, batchB] = [a!.shape.slice(0, -2), b!.shape.slice(0, -2)];
    const batch = broadcast_util.assertAndGetBroadcastShape(batchA, batchB);
    if (isSuffix(batchA, batch) && isSuffix(batchB, batch)) return null;
    const spread = (x: Tensor) => broadcastTo(x, [...batch, ...x.shape.slice(-2)]);
    return matMul(spread(a!), spread(b!), transposeA, transposeB);
  },
};

/** An axis that one operand alone has, and the result lacks, is not summed. */
const lonelyAxes: Repair = {
  kernelName: "Einsum",
  backends: ["cpu", "webgl", "webgpu"],
  compute: (inputs, { equation }: { equation: string }) => {
    const [left = "", output = ""] = equation.replaceAll(/\s/g, "").split("->");
    const terms = left.split(",");
    const lonely = terms.map((term, i) =>
      [...term].filter(
        (axis) => !output.includes(axis) && !terms.some((other, j) => j !== i && other.includes(axis)),
      ),
    );
    if (terms.length === 1 || lonely.every((axes) => axes.length === 0)) return null;
    const rest = terms.map((term, i) => [...term].filter((axis) => !lonely[i]!.includes(axis)).join(""));
    const xs = Object.values(inputs).map((x, i) =>
      sum(
        x,
        lonely[i]!.map((axis) => terms[i]!.indexOf(axis)),
      ),
    );
    return einsum(`${rest.join(",")}->${output}`, ...xs);
  },
};

type Paddings = [number, number][];

/** Pads the first three axes, then the others: the shaders know four axes, and padding one does not touch another. */
function padInTwo(
  x: Tensor,
  paddings: Paddings,
  padded: (x: Tensor, paddings: Paddings) => Tensor,
): Tensor | null {
  if (x.shape.length <= 4) return null;
  const [first, last] = [paddings.slice(0, 3), paddings.slice(3)];
  const rest = x.shape.slice(3);
  const begun = padded(reshape(x, [...x.shape.slice(0, 3), util.sizeFromShape(rest)]), [...first, [0, 0]]);
  const outer = begun.shape.slice(0, 3);
  const ended = padded(reshape(begun, [util.sizeFromShape(outer), ...rest]), [[0, 0], ...last]);
  return reshape(ended, [...outer, ...ended.shape.slice(1)]);
}

const padded: readonly Repair[] = [
  {
    kernelName: "PadV2",
    backends: ["webgl", "webgpu"],
    compute: ({ x }, { paddings, constantValue }) =>
      padInTwo(x!, paddings, (part, of) => pad(part, of, constantValue)),
  },
  {
    kernelName: "MirrorPad",
    backends: ["webgl", "webgpu"],
    compute: ({ x }, { paddings, mode }) => padInTwo(x!, paddings, (part, of) => mirrorPad(part, of, mode)),
  },
];

/** Reverses one axis after the other in three axes: the shaders know four. */
const reversed: Repair = {
  kernelName: "Reverse",
  backends: ["webgl", "webgpu"],
  compute: ({ x }, { dims }) => {
    if (x!.shape.length <= 4) return null;
    const { shape } = x!;
    return util.parseAxisParam(dims, shape).reduce((y, axis) => {
      const [outer, inner] = [shape.slice(0, axis), shape.slice(axis + 1)].map(util.sizeFromShape);
      return reshape(reverse(reshape(y, [outer!, shape[axis]!, inner!]), 1), shape);
    }, x!);
  },
};

const repairs: readonly Repair[] = [interleavedMatMul, lonelyAxes, ...padded, reversed, ...explicitPads];
const repairable: readonly RepairedBackend[] = ["cpu", "webgl", "webgpu", "tensorflow"];
const repaired = new WeakSet<KernelFunc>();

/**
 * Replaces kernels of a backend of tfjs 4.22 that give wrong numbers, or none, for some arguments:
 * `matMul` of interleaved batches such as `[2, 1, …]` and `[3, …]`, `einsum` with an axis that is summed and stands in one of several
 * operands alone, and on webgl and webgpu `pad`, `mirrorPad` and `reverse` of more than four axes (the gradient of `slice` is such
 * a `pad`); on tensorflow, tfjs-node's backend, convolutions and poolings that are padded by numbers. For other arguments
 * the original kernels run.
 *
 * Call it after the backend has been imported, any number of times. The kernels of wasm are repaired by
 * `enableWasmTraining` of `@gradlab/wasm-training`.
 *
 * @throws {RangeError} when the backend is another one, or is not imported yet.
 */
export function repairKernels(backendName: RepairedBackend): void {
  if (!repairable.includes(backendName)) {
    throw new RangeError(
      `repairKernels: backendName: expected cpu, webgl, webgpu or tensorflow, got ${JSON.stringify(backendName)}`,
    );
  }
  const chosen = repairs.filter(({ backends }) => backends.includes(backendName));
  const missing = chosen.find(({ kernelName }) => getKernel(kernelName, backendName) === undefined);
  if (missing !== undefined) {
    throw new RangeError(
      `repairKernels: backendName: expected a backend that is imported, got ${backendName} without ${missing.kernelName}`,
    );
  }
  for (const { kernelName, compute } of chosen) {
    const original = getKernel(kernelName, backendName);
    if (repaired.has(original.kernelFunc)) continue;
    const kernelFunc: KernelFunc = (args) => {
      const result = tidy(() => compute(args.inputs as Record<string, Tensor>, args.attrs) ?? []);
      return Array.isArray(result) ? original.kernelFunc(args) : result;
    };
    repaired.add(kernelFunc);
    unregisterKernel(kernelName, backendName);
    registerKernel({ ...original, kernelFunc });
  }
}
