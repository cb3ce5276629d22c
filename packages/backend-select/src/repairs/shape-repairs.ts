import {
  backend_util,
  broadcast_util,
  broadcastTo,
  cast,
  clone,
  concat,
  denseBincount,
  depthToSpace,
  div,
  einsum,
  fill,
  floor,
  gather,
  greater,
  matMul,
  mirrorPad,
  pad,
  reshape,
  reverse,
  slice,
  slice_util,
  split,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor4D,
  tensor,
  tensor1d,
  image as tfImage,
  transpose,
  upcastType,
  util,
  zeros,
} from "@tensorflow/tfjs-core";
import { everywhere, type Repair } from "./repair.js";

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
  backends: everywhere,
  compute: ({ a, b }, { transposeA, transposeB }) => {
    const [batchA, batchB] = [a!.shape.slice(0, -2), b!.shape.slice(0, -2)];
    const batch = broadcast_util.assertAndGetBroadcastShape(batchA, batchB);
    if (a!.size === 0 || b!.size === 0) {
      const [m, n] = [a!.shape.at(transposeA ? -1 : -2)!, b!.shape.at(transposeB ? -2 : -1)!];
      return zeros([...batch, m, n], a!.dtype);
    }
    if (isSuffix(batchA, batch) && isSuffix(batchB, batch)) return null;
    const spread = (x: Tensor) => broadcastTo(x, [...batch, ...x.shape.slice(-2)]);
    return matMul(spread(a!), spread(b!), transposeA, transposeB);
  },
};

/** An axis that one operand alone has, and the result lacks, is not summed. */
const lonelyAxes: Repair = {
  kernelName: "Einsum",
  backends: everywhere,
  compute: (inputs, { equation }: { equation: string }) => {
    const [left = "", output = ""] = equation.replaceAll(/\s/g, "").split("->");
    // The original gives back the very tensor, which is then disposed, and differentiated, twice.
    if (left === output) return clone(Object.values(inputs)[0]!);
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

/** A negative axis is counted from the end; the original transposes by it as it is. */
const cumulated: readonly Repair[] = ["Cumsum", "Cumprod"].map((kernelName) => ({
  kernelName,
  backends: everywhere,
  attrs: ({ x }, attrs) => ({ ...attrs, axis: util.parseAxisParam(attrs.axis, x!.shape)[0] }),
}));

/** In a list, appearances are to be told from occurrences as in a matrix. */
const appearances: Repair = {
  kernelName: "DenseBincount",
  backends: everywhere,
  compute: ({ x }, { size, binaryOutput }) => {
    if (!binaryOutput || x!.shape.length !== 1) return null;
    return cast(greater(denseBincount(x as Tensor1D, tensor1d([]), size, false), 0), "float32");
  },
};

/** On the CPU there is one order of axes. */
const channelsFirst: Repair = {
  kernelName: "DepthToSpace",
  backends: ["cpu", "tensorflow"],
  compute: ({ x }, { blockSize, dataFormat }) => {
    if (dataFormat !== "NCHW") return null;
    const turned = transpose(x as Tensor4D, [0, 2, 3, 1]);
    return transpose(depthToSpace(turned, blockSize, "NHWC"), [0, 3, 1, 2]);
  },
};

/** The one size of -1, for what is left, may come first. */
const parts: Repair = {
  kernelName: "SplitV",
  backends: [...everywhere, "tensorflow"],
  attrs: ({ x }, attrs) => {
    const { numOrSizeSplits: sizes, axis } = attrs;
    if (!Array.isArray(sizes) || !sizes.includes(-1)) return attrs;
    const known = sizes.reduce((total: number, size: number) => total + Math.max(0, size), 0);
    const left = x!.shape[util.parseAxisParam(axis, x!.shape)[0]!]! - known;
    return { ...attrs, numOrSizeSplits: sizes.map((size: number) => (size === -1 ? left : size)) };
  },
};

/** An end before the begin is nothing, and axes of one element may be left out of any slice, with steps too. */
const steps: Repair = {
  kernelName: "StridedSlice",
  backends: everywhere,
  compute: ({ x }, { beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask, ...attrs }) => {
    const { finalShape, isSimpleSlice, begin, end, strides } = slice_util.sliceInfo(
      x!.shape,
      attrs.begin,
      attrs.end,
      attrs.strides,
      beginMask,
      endMask,
      ellipsisMask,
      newAxisMask,
      shrinkAxisMask,
    );
    const sizes = slice_util.computeOutShape(begin, end, strides);
    const isEmpty = sizes.some((n) => n <= 0);
    if (isEmpty) {
      return tensor(
        [],
        finalShape.map((n) => Math.max(0, n)),
        x!.dtype,
      );
    }
    if (isSimpleSlice || shrinkAxisMask === 0) return null;
    const taken = sizes.reduce((y, n, axis) => {
      const places = Array.from({ length: n }, (_, i) => begin[axis]! + i * strides[axis]!);
      return gather(y, tensor1d(places, "int32"), axis);
    }, x!);
    return reshape(taken, finalShape);
  },
};

/** As `leakyRelu` has it, where nothing is said. */
const leaky: readonly Repair[] = ["FusedConv2D", "FusedDepthwiseConv2D", "_FusedMatMul"].map(
  (kernelName) => ({
    kernelName,
    backends: everywhere,
    attrs: (_, attrs) => ({ ...attrs, leakyreluAlpha: attrs.leakyreluAlpha ?? 0.2 }),
  }),
);

/** tfjs does not broadcast one element to none. */
const chosenFromNothing: Repair = {
  kernelName: "Select",
  backends: everywhere,
  compute: ({ condition, t, e }) => {
    const empty = [condition!, t!, e!].find(({ size }) => size === 0);
    return empty ? tensor([], empty.shape, upcastType(t!.dtype, e!.dtype)) : null;
  },
};

/** What a reduction of nothing is. */
const neutral: Readonly<Record<string, number>> = {
  Sum: 0,
  Prod: 1,
  Mean: Number.NaN,
  Max: Number.NEGATIVE_INFINITY,
  Min: Number.POSITIVE_INFINITY,
  All: 1,
  Any: 0,
};

const nothing: readonly Repair[] = Object.entries(neutral).map(([kernelName, value]) => ({
  kernelName,
  backends: everywhere,
  compute: ({ x }, attrs) => {
    if (x!.size > 0) return null;
    const axes = util.parseAxisParam(attrs.reductionIndices ?? attrs.axis, x!.shape);
    const [kept] = backend_util.computeOutAndReduceShapes(x!.shape, axes);
    const shape = attrs.keepDims ? backend_util.expandShapeToKeepDim(kept, axes) : kept;
    const isCounted = x!.dtype === "bool" && ["Sum", "Prod"].includes(kernelName);
    return fill(
      shape,
      value,
      kernelName === "Mean" ? "float32" : isCounted ? "int32" : (x!.dtype as "float32"),
    );
  },
}));

/** Rounded down, below zero too. */
const roundedDown: Repair = {
  kernelName: "FloorDiv",
  backends: ["webgl"],
  compute: ({ a, b }) => cast(floor(div(cast(a!, "float32"), cast(b!, "float32"))), "int32"),
};

/** The cpu backend returns after the first image. */
const manyImages: Repair = {
  kernelName: "Transform",
  backends: ["cpu"],
  compute: ({ image, transforms }, { interpolation, fillMode, fillValue, outputShape }) => {
    if (image!.shape[0]! < 2) return null;
    const maps = transforms as Tensor2D;
    const images = split(image as Tensor4D, image!.shape[0]!);
    return concat(
      images.map((one, i) => {
        const map = maps.shape[0] === 1 ? maps : slice(maps, [i, 0], [1, 8]);
        return tfImage.transform(
          one as Tensor4D,
          map,
          interpolation,
          fillMode,
          fillValue,
          outputShape ?? undefined,
        );
      }),
    );
  },
};

export const shapeRepairs: readonly Repair[] = [
  interleavedMatMul,
  lonelyAxes,
  ...padded,
  reversed,
  ...cumulated,
  appearances,
  channelsFirst,
  parts,
  steps,
  chosenFromNothing,
  ...nothing,
  roundedDown,
  manyImages,
  ...leaky,
];
