import {
  addN,
  all,
  any,
  argMax,
  argMin,
  backend_util,
  cumprod,
  cumsum,
  gather,
  max,
  min,
  prod,
  reshape,
  reverse,
  sum,
  type Tensor,
  tensor1d,
  transpose,
  util,
} from "@tensorflow/tfjs-core";
import type { Repair, RepairedBackend } from "./repair.js";

const backends: readonly RepairedBackend[] = ["webgpu"];

/** Sums from the end: the shader adds one step of many. */
const reversed: readonly Repair[] = Object.entries({ Cumsum: cumsum, Cumprod: cumprod }).map(
  ([kernelName, cumulate]) => ({
    kernelName,
    backends,
    compute: ({ x }, attrs) => {
      if (!attrs.reverse) return null;
      const [axis] = util.parseAxisParam(attrs.axis, x!.shape) as [number];
      return reverse(cumulate(reverse(x!, axis), axis, attrs.exclusive, false), axis);
    },
  }),
);

/** The index of a list is a number, not a list of one. */
const indexOfList: readonly Repair[] = Object.entries({ ArgMax: argMax, ArgMin: argMin }).map(
  ([kernelName, find]) => ({
    kernelName,
    backends,
    compute: ({ x }) => (x!.shape.length === 1 ? reshape(find(reshape(x!, [1, -1]), 1), []) : null),
  }),
);

/** The flat index in a tensor of `shape` of each element of its transpose. */
function sources(shape: readonly number[], perm: readonly number[]): Int32Array {
  const strides = util.computeStrides([...shape, 1]);
  const turned = perm.map((axis) => shape[axis]!);
  const found = new Int32Array(util.sizeFromShape(turned));
  const index = turned.map(() => 0);
  for (let i = 0; i < found.length; i++) {
    found[i] = perm.reduce((flat, axis, at) => flat + index[at]! * strides[axis]!, 0);
    for (let at = turned.length - 1; at >= 0; at--) {
      index[at]!++;
      if (index[at]! < turned[at]!) break;
      index[at] = 0;
    }
  }
  return found;
}

/** One of the shaders, which matrices get, is for 32-bit floats only. */
const turnedWholeNumbers: Repair = {
  kernelName: "Transpose",
  backends,
  compute: ({ x }, { perm }: { readonly perm: readonly number[] }) => {
    const { shape, dtype, size } = x!;
    if ((dtype !== "int32" && dtype !== "bool") || shape.length < 2 || size === 0) return null;
    const flat = gather(reshape(x!, [-1]), tensor1d(sources(shape, perm), "int32"));
    return reshape(
      flat,
      perm.map((axis) => shape[axis]!),
    );
  },
};

type Reduction = (x: Tensor, axis: number[], keepDims?: boolean) => Tensor;

/** Axes that are not the last ones are brought there by that shader; here they are brought first, by the repaired kernel. */
const wholeNumbers: readonly Repair[] = Object.entries<Reduction>({
  Sum: sum,
  Prod: prod,
  Max: max,
  Min: min,
  All: all,
  Any: any,
}).map(([kernelName, reduce]) => ({
  kernelName,
  backends,
  compute: ({ x }, attrs) => {
    const { shape, dtype } = x!;
    if (dtype === "float32") return null;
    const axes = util.parseAxisParam(attrs.axis ?? attrs.reductionIndices, shape);
    const order = backend_util.getAxesPermutation(axes, shape.length);
    if (order === null) return null;
    const last = backend_util.getInnerMostAxes(axes.length, shape.length);
    const y = reduce(transpose(x!, order), last);
    return attrs.keepDims ? reshape(y, backend_util.expandShapeToKeepDim(y.shape, axes)) : y;
  },
}));

/** Buffers that a shader may read, beside the one that it writes: what every device has (WebGPU, "Limits"). */
const mostRead = 7;

/** A sum of more tensors than a shader may read. */
const manyAddends: Repair = {
  kernelName: "AddN",
  backends,
  compute: (inputs) => {
    const addends = Object.values(inputs);
    if (addends.length <= mostRead) return null;
    const sums: Tensor[] = [];
    for (let at = 0; at < addends.length; at += mostRead) sums.push(addN(addends.slice(at, at + mostRead)));
    return addN(sums);
  },
};

export const webgpuRepairs: readonly Repair[] = [
  ...reversed,
  ...indexOfList,
  turnedWholeNumbers,
  ...wholeNumbers,
  manyAddends,
];
