import {
  broadcastTo,
  engine,
  type NamedAttrMap,
  type NamedTensorMap,
  pad,
  reshape,
  slice,
  type Tensor,
  tensor,
  tensorScatterUpdate,
  util,
} from "@tensorflow/tfjs-core";
import type { Repair } from "./repair.js";

const backends = ["tensorflow"] as const;

/** Zeros between the elements of an axis. */
function spread(x: Tensor, axis: number, dilation: number): Tensor {
  if (dilation === 1) return x;
  const n = x.shape[axis]!;
  const [outer, inner] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)];
  const sizes = [util.sizeFromShape(outer), util.sizeFromShape(inner)] as const;
  const apart = pad(reshape(x, [sizes[0], n, 1, sizes[1]]), [
    [0, 0],
    [0, 0],
    [0, dilation - 1],
    [0, 0],
  ]);
  const reach = (n - 1) * dilation + 1;
  const cut = slice(
    reshape(apart, [sizes[0], n * dilation, sizes[1]]),
    [0, 0, 0],
    [sizes[0], reach, sizes[1]],
  );
  return reshape(cut, [...outer, reach, ...inner]);
}

/** On the CPU it refuses holes in a filter: zeros fill them. */
const dilatedVolume: Repair = {
  kernelName: "Conv3D",
  backends,
  compute: ({ x, filter }, attrs) => {
    const { dilations = 1 } = attrs;
    const holes: readonly number[] = typeof dilations === "number" ? Array(3).fill(dilations) : dilations;
    if (holes.every((dilation) => dilation === 1)) return null;
    const wide = holes.reduce((w, dilation, axis) => spread(w, axis, dilation), filter!);
    const inputs = { x: x!, filter: wide } as NamedTensorMap;
    return engine().runKernel("Conv3D", inputs, { ...attrs, dilations: 1 } as NamedAttrMap) as Tensor;
  },
};

/** It compares indices with the size of the axis -1, which there is none of. */
const gathered: Repair = {
  kernelName: "GatherV2",
  backends,
  attrs: ({ x }, attrs) => ({ ...attrs, axis: util.parseAxisParam(attrs.axis, x!.shape)[0] }),
};

/** It refuses indices that are not in order, or occur twice: the last one counts. */
const unordered: Repair = {
  kernelName: "SparseToDense",
  backends,
  compute: ({ sparseIndices, sparseValues, defaultValue }, { outputShape }: { outputShape: number[] }) => {
    const rank = outputShape.length;
    const count = sparseIndices!.size / rank;
    const indices = reshape(sparseIndices!, [count, rank]);
    const values = broadcastTo(sparseValues!, [count]);
    return tensorScatterUpdate(broadcastTo(defaultValue!, outputShape), indices, values);
  },
};

/** It refuses operands of which some have no elements, others one: nothing is the result. */
const chosenOfNothing: Repair = {
  kernelName: "Select",
  backends,
  compute: ({ condition, t, e }) => {
    const operands = [condition!, t!, e!];
    if (operands.every(({ size }) => size > 0)) return null;
    const [longest] = operands.map(({ shape }) => shape).sort((a, b) => b.length - a.length);
    const shape = longest!.map((_, i) => {
      const sizes = operands.map((x) => x.shape.at(i - longest!.length) ?? 1);
      return sizes.includes(0) ? 0 : Math.max(...sizes);
    });
    return tensor([], shape, t!.dtype);
  },
};

/** Kernels of tfjs-node 4.22.0 that refuse what the other backends compute. */
export const tensorflowRepairs: readonly Repair[] = [dilatedVolume, gathered, unordered, chosenOfNothing];
