import {
  div,
  engine,
  type NamedAttrMap,
  type NamedTensorMap,
  ones,
  pad as padTensor,
  reshape,
  slice,
  type Tensor,
} from "@tensorflow/tfjs-core";
import { isRowOfConv1d, type Repair } from "./repair.js";

/** Elements before and behind each axis. */
type Paddings = [number, number][];

interface Window {
  /** Taps along each spatial axis, from the first to the last with its holes. */
  readonly extent: readonly number[];
  readonly strides: readonly number[];
  /** The first spatial axis of the image. */
  readonly first: number;
}

interface PadAttrs {
  /** `"same"`, `"valid"`, one number for all sides, or `[begin, end]` for every axis. */
  readonly pad: string | number | Paddings;
  readonly dimRoundingMode?: "floor" | "round" | "ceil";
  readonly strides: number | readonly number[];
}

const perAxis = (value: number | readonly number[], axes: number): readonly number[] =>
  typeof value === "number" ? Array<number>(axes).fill(value) : value;

/**
 * What to pad an image with so that windows without padding give what `pad` says; null where the library knows it:
 * `"valid"`, and `"same"` but for volumes. Behind the image it is as much as the last window reaches, which rounding may
 * have made more or less than `pad`.
 */
function paddings(shape: readonly number[], window: Window, attrs: PadAttrs): Paddings | null {
  const { pad, dimRoundingMode } = attrs;
  const same = pad === "same" && window.extent.length === 3;
  if (typeof pad === "string" && !same) return null;
  const round = dimRoundingMode === undefined ? Math.floor : Math[dimRoundingMode];
  return shape.map((size, axis) => {
    const spatial = axis - window.first;
    const extent = window.extent[spatial];
    if (extent === undefined) return [0, 0];
    const stride = window.strides[spatial]!;
    if (typeof pad === "string") {
      const lacking = Math.max(0, (Math.ceil(size / stride) - 1) * stride + extent - size);
      return [Math.floor(lacking / 2), Math.ceil(lacking / 2)];
    }
    const sides: Paddings[number] = typeof pad === "number" ? [pad, pad] : pad[axis]!;
    const [before, after] = spatial === 0 && typeof pad === "number" && isRowOfConv1d() ? [0, 0] : sides;
    const steps = round((size + before + after - extent) / stride);
    return [before, Math.max(0, steps * stride + extent - size - before)];
  });
}

const padded = (x: Tensor, by: Paddings, value = 0): Tensor =>
  by.every(([before, after]) => before === 0 && after === 0) ? x : padTensor(x, by, value);

/** The gradient of an image out of that of the padded one. */
const cut = (gradient: Tensor, by: Paddings, shape: number[]): Tensor =>
  slice(
    gradient,
    by.map(([before]) => before),
    shape,
  );

const paddedShape = (shape: readonly number[], by: Paddings): number[] =>
  shape.map((size, axis) => size + by[axis]![0] + by[axis]![1]);

/** The kernel itself, without padding. */
const run = (kernelName: string, inputs: NamedTensorMap, attrs: object): Tensor =>
  engine().runKernel(kernelName, inputs, {
    ...attrs,
    pad: "valid",
    dimRoundingMode: undefined,
  } as unknown as NamedAttrMap) as Tensor;

interface ConvAttrs extends PadAttrs {
  readonly dataFormat?: "NHWC" | "NCHW";
  readonly dilations?: number | readonly number[] | null;
}

function convWindow(filter: readonly number[], { strides, dilations, dataFormat }: ConvAttrs): Window {
  const steps = perAxis(dilations ?? 1, 2);
  return {
    extent: [0, 1].map((axis) => (filter[axis]! - 1) * steps[axis]! + 1),
    strides: perAxis(strides, 2),
    first: dataFormat === "NCHW" ? 2 : 1,
  };
}

const repair = (kernelName: string, compute: NonNullable<Repair["compute"]>): Repair => ({
  kernelName,
  backends: ["tensorflow"],
  compute,
});

const convolution = (kernelName: string): Repair =>
  repair(kernelName, (inputs, attrs: ConvAttrs) => {
    const { x, filter } = inputs as { x: Tensor; filter: Tensor };
    const by = paddings(x.shape, convWindow(filter.shape, attrs), attrs);
    return by && run(kernelName, { ...inputs, x: padded(x, by) }, attrs);
  });

const filterGradient = (kernelName: string): Repair =>
  repair(kernelName, (inputs, attrs: ConvAttrs & { readonly filterShape: number[] }) => {
    const x = inputs.x!;
    const by = paddings(x.shape, convWindow(attrs.filterShape, attrs), attrs);
    return by && run(kernelName, { ...inputs, x: padded(x, by) }, attrs);
  });

const imageGradient = (kernelName: string): Repair =>
  repair(kernelName, (inputs, attrs: ConvAttrs & { readonly inputShape: number[] }) => {
    const { inputShape } = attrs;
    const by = paddings(inputShape, convWindow(inputs.filter!.shape, attrs), attrs);
    if (by === null) return null;
    return cut(
      run(kernelName, inputs, { ...attrs, inputShape: paddedShape(inputShape, by) }),
      by,
      inputShape,
    );
  });

interface PoolAttrs extends PadAttrs {
  readonly filterSize: number | readonly number[];
}

/** Images `[batch, …, channels]`, with two or three spatial axes. */
function poolWindow({ rank }: Tensor, { filterSize, strides }: PoolAttrs): Window {
  return { extent: perAxis(filterSize, rank - 2), strides: perAxis(strides, rank - 2), first: 1 };
}

const lowest = ({ dtype }: Tensor): number => (dtype === "int32" ? -(2 ** 31) : Number.NEGATIVE_INFINITY);

/** The part of each window that lies inside of the image, `[1, …, 1]`: a mean that counts the padding has that factor. */
function shares(kernelName: string, { shape }: Tensor, by: Paddings, attrs: PoolAttrs): Tensor {
  const image = ones([1, ...shape.slice(1, -1), 1]);
  return run(kernelName, { x: padded(image, by) }, attrs);
}

const flatMaxGradient = repair("MaxPoolGrad", (inputs, attrs: PoolAttrs) => {
  const input = inputs.input!;
  const by = paddings(input.shape, poolWindow(input, attrs), attrs);
  if (by === null) return null;
  const gradient = run("MaxPoolGrad", { ...inputs, input: padded(input, by, lowest(input)) }, attrs);
  return cut(gradient, by, input.shape);
});

/**
 * Of equal elements of a window one is to get the gradient; the original gives it to each. Rows and columns are pooled as in images, then the
 * depth, whose gradients are right.
 */
const volumeMaxGradient = repair("MaxPool3DGrad", ({ dy, input }, attrs: PoolAttrs) => {
  const window = poolWindow(input!, attrs);
  const by = paddings(input!.shape, window, attrs) ?? input!.shape.map((): [number, number] => [0, 0]);
  const around = padded(input!, by, lowest(input!));
  const [batch, depth, height, width, channels] = around.shape as [number, number, number, number, number];
  const [planes, rows, columns] = dy!.shape.slice(1, 4) as [number, number, number];
  const [deep, ...flat] = window.extent as [number, number, number];
  const [stride, ...flatStrides] = window.strides as [number, number, number];
  const across = { filterSize: flat, strides: flatStrides };
  const along = { filterSize: [deep, 1], strides: [stride, 1] };
  const image = reshape(around, [batch * depth, height, width, channels]);
  const pooled = run("MaxPool", { x: image }, across);
  const column = reshape(pooled, [batch, depth, rows * columns, channels]);
  const output = run("MaxPool", { x: column }, along);
  const dOutput = reshape(dy!, [batch, planes, rows * columns, channels]);
  const dColumn = run("MaxPoolGrad", { dy: dOutput, input: column, output }, along);
  const dPooled = reshape(dColumn, pooled.shape);
  const dImage = run("MaxPoolGrad", { dy: dPooled, input: image, output: pooled }, across);
  return cut(reshape(dImage, around.shape), by, input!.shape);
});

const pooling = (suffix: "" | "3D"): readonly Repair[] => [
  repair(`MaxPool${suffix}`, ({ x }, attrs: PoolAttrs) => {
    const by = paddings(x!.shape, poolWindow(x!, attrs), attrs);
    return by && run(`MaxPool${suffix}`, { x: padded(x!, by, lowest(x!)) }, attrs);
  }),
  repair(`AvgPool${suffix}`, ({ x }, attrs: PoolAttrs) => {
    const by = paddings(x!.shape, poolWindow(x!, attrs), attrs);
    if (by === null) return null;
    const mean = run(`AvgPool${suffix}`, { x: padded(x!, by) }, attrs);
    return div(mean, shares(`AvgPool${suffix}`, x!, by, attrs));
  }),
  repair(`AvgPool${suffix}Grad`, (inputs, attrs: PoolAttrs) => {
    const { dy, input } = inputs as { dy: Tensor; input: Tensor };
    const by = paddings(input.shape, poolWindow(input, attrs), attrs);
    if (by === null) return null;
    const shared = div(dy, shares(`AvgPool${suffix}`, input, by, attrs));
    const gradient = run(`AvgPool${suffix}Grad`, { dy: shared, input: padded(input, by) }, attrs);
    return cut(gradient, by, input.shape);
  }),
];

/**
 * Convolutions and poolings of tfjs-node with a padding other than `"same"` and `"valid"`: it refuses a number everywhere, and
 * `[begin, end]` in poolings and in every gradient. Pools of volumes are wrong for `"same"` with strides beyond the
 * window. The image is padded first.
 */
export const explicitPads: readonly Repair[] = [
  ...["Conv2D", "FusedConv2D", "DepthwiseConv2dNative", "FusedDepthwiseConv2D"].map(convolution),
  ...["Conv2DBackpropFilter", "DepthwiseConv2dNativeBackpropFilter"].map(filterGradient),
  ...["Conv2DBackpropInput", "DepthwiseConv2dNativeBackpropInput"].map(imageGradient),
  ...pooling(""),
  ...pooling("3D"),
  flatMaxGradient,
  volumeMaxGradient,
];
