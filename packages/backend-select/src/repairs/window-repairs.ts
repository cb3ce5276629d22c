import {
  backend_util,
  engine,
  mul,
  type NamedAttrMap,
  pad as padTensor,
  slice,
  type Tensor,
  tensor,
  transpose,
  util,
} from "@tensorflow/tfjs-core";
import { type Attrs, everywhere, type Inputs, isRowOfConv1d, type Repair } from "./repair.js";

type Axis = readonly [begin: number, end: number];

const isFirst = ({ dataFormat }: Attrs) => dataFormat === "NCHW";

/** Margins of the rows and columns in the order of an image's axes. */
function margins(rows: Axis, columns: Axis, attrs: Attrs) {
  const none: Axis = [0, 0];
  return isFirst(attrs) ? [none, none, rows, columns] : [none, rows, columns, none];
}

/**
 * A numeric padding, of which tfjs computes both axes from the height of the window and its vertical stride, as
 * margins, of which it does not. `conv1d` is computed by `conv2d` of rows with the padding that it was given, which would pad
 * above and below the row.
 */
function asMargins(attrs: Attrs): Attrs {
  const { pad } = attrs;
  if (typeof pad !== "number") return attrs;
  return { ...attrs, pad: margins(isRowOfConv1d() ? [0, 0] : [pad, pad], [pad, pad], attrs) };
}

const forward: readonly Repair[] = [
  "Conv2D",
  "FusedConv2D",
  "DepthwiseConv2dNative",
  "FusedDepthwiseConv2D",
  "MaxPool",
  "AvgPool",
  "MaxPoolWithArgmax",
].map((kernelName) => ({ kernelName, backends: everywhere, attrs: (_, attrs) => asMargins(attrs) }));

/** The windows of one axis of a kernel for gradients. */
interface Walk {
  readonly size: number;
  readonly reach: number;
  readonly stride: number;
  readonly before: number;
  readonly out: number;
}

/** The padding behind an axis with which it has as many windows as its gradient has elements. */
const after = ({ size, reach, stride, before, out }: Walk) =>
  Math.max(0, (out - 1) * stride + reach - size - before);

const pair = (value: number | readonly [number, number]): readonly [number, number] =>
  typeof value === "number" ? [value, value] : value;

/** Both spatial axes of a kernel for gradients. */
function walks(image: readonly number[], window: readonly number[], dy: Tensor, attrs: Attrs): [Walk, Walk] {
  const at = isFirst(attrs) ? 2 : 1;
  const { pad } = asMargins(attrs);
  const [strides, dilations] = [pair(attrs.strides), pair(attrs.dilations ?? 1)];
  const walk = (axis: 0 | 1): Walk => {
    const size = image[at + axis]!;
    const out = dy.shape[at + axis]!;
    const reach = (window[axis]! - 1) * dilations[axis] + 1;
    const stride = strides[axis];
    const lacking = Math.max(0, (out - 1) * stride + reach - size);
    // A row of `conv1d`, of which `conv2d` would have more.
    const isRow =
      typeof attrs.pad === "number" && axis === 0 && [size, reach, stride, out].every((n) => n === 1);
    const before =
      pad === "valid" || isRow ? 0 : pad === "same" ? Math.floor(lacking / 2) : pad[at + axis][0];
    return { size, reach, stride, before, out };
  };
  return [walk(0), walk(1)];
}

/** Margins that give as many windows as the gradient has elements: tfjs does not tell these kernels how the forward pass rounded. */
function gradientAttrs(image: readonly number[], window: readonly number[], dy: Tensor, attrs: Attrs): Attrs {
  if (typeof attrs.pad === "string") return attrs;
  const [rows, columns] = walks(image, window, dy, attrs);
  const pad = margins([rows.before, after(rows)], [columns.before, after(columns)], attrs);
  return { ...attrs, pad, dimRoundingMode: "floor" };
}

type Geometry = (
  inputs: Inputs,
  attrs: Attrs,
) => readonly [image: readonly number[], window: readonly number[]];

const convolutionInput: Geometry = ({ filter }, { inputShape }) => [inputShape, filter!.shape];
const convolutionFilter: Geometry = ({ x }, { filterShape }) => [x!.shape, filterShape];
const pool: Geometry = ({ input }, { filterSize }) => [input!.shape, pair(filterSize)];

const backward: readonly Repair[] = (
  [
    ["Conv2DBackpropInput", convolutionInput],
    ["Conv2DBackpropFilter", convolutionFilter],
    ["DepthwiseConv2dNativeBackpropInput", convolutionInput],
    ["DepthwiseConv2dNativeBackpropFilter", convolutionFilter],
    ["MaxPoolGrad", pool],
    ["AvgPoolGrad", pool],
  ] as const
).map(([kernelName, geometry]) => ({
  kernelName,
  backends: everywhere,
  attrs: (inputs, attrs) => gradientAttrs(...geometry(inputs, attrs), inputs.dy!, attrs),
}));

/** How many elements of the image each window of an axis has. */
const countsOf = ({ size, reach, stride, before, out }: Walk): number[] =>
  Array.from({ length: out }, (_, i) => {
    const begin = i * stride - before;
    return Math.max(0, Math.min(size, begin + reach) - Math.max(0, begin));
  });

/** `dy` times the elements of the whole window over those that each window has of the image; null if these are always the same. */
function scaled(dy: Tensor, axes: readonly Walk[]): Tensor | null {
  const counts = axes.map(countsOf);
  if (counts.every((along, i) => along.every((count) => count === axes[i]!.reach))) return null;
  return axes.reduce((y, { reach, out }, i) => {
    const shape = y.shape.map((_, axis) => (axis === i + 1 ? out : 1));
    // A window without an element has no gradient.
    return mul(
      y,
      tensor(
        counts[i]!.map((count) => (count === 0 ? 0 : reach / count)),
        shape,
      ),
    );
  }, dy);
}

const run = (kernelName: string, inputs: Inputs, attrs: Attrs): Tensor =>
  engine().runKernel(kernelName, inputs as Record<string, Tensor>, attrs as NamedAttrMap) as Tensor;

/** The mark of attributes with which a kernel is called from its own repair. */
const repairedAttrs = "gradlabRepaired";

/** The forward pass divides by what a window has of the image, the original gradient by the whole window. */
const avgPoolShares: Repair = {
  kernelName: "AvgPoolGrad",
  backends: everywhere,
  compute: (inputs, attrs) => {
    if (attrs[repairedAttrs]) return null;
    const dy = scaled(inputs.dy!, walks(...pool(inputs, attrs), inputs.dy!, attrs));
    return dy && run("AvgPoolGrad", { ...inputs, dy }, { ...attrs, [repairedAttrs]: true });
  },
};

const triple = (value: number | readonly number[]): readonly number[] =>
  typeof value === "number" ? [value, value, value] : value;

/** How much of each spatial axis of a volume the windows of "same" reach; null where that is all of it. */
function reached(shape: readonly number[], window: readonly number[], attrs: Attrs): number[] | null {
  if (attrs.pad !== "same" || attrs.dataFormat === "NCDHW") return null;
  const [strides, dilations] = [triple(attrs.strides), triple(attrs.dilations ?? 1)];
  const sizes = shape.map((n, axis) => {
    if (axis < 1 || axis > 3) return n;
    const stride = strides[axis - 1]!;
    const reach = (window[axis - 1]! - 1) * dilations[axis - 1]! + 1;
    return Math.min(n, (Math.ceil(n / stride) - 1) * stride + reach);
  });
  return util.arraysEqual(sizes, shape as number[]) ? null : sizes;
}

const crop = (x: Tensor, sizes: number[]) =>
  slice(
    x,
    sizes.map(() => 0),
    sizes,
  );

/** Zeros behind what the windows do not reach. */
const fill = (x: Tensor, shape: readonly number[]) =>
  padTensor(
    x,
    shape.map((n, axis): [number, number] => [0, n - x.shape[axis]!]),
  );

/** The windows of a pool of a volume along each axis. */
function volumeWalks(x: Tensor, dy: Tensor, attrs: Attrs): Walk[] {
  const [window, strides] = [triple(attrs.filterSize), triple(attrs.strides)];
  const info = backend_util.computePool3DInfo(
    x.shape as [number, number, number, number, number],
    window as [number, number, number],
    attrs.strides,
    1,
    attrs.pad,
    attrs.dimRoundingMode,
  );
  const { front, top, left } = info.padInfo;
  return [front, top, left].map((before, i) => ({
    size: x.shape[i + 1]!,
    reach: window[i]!,
    stride: strides[i]!,
    before,
    out: dy.shape[i + 1]!,
  }));
}

/**
 * The gradient of a pool of maxima, one axis after the other. The original confuses rows and columns of a window whose
 * two last sizes differ, so each axis is pooled in the place of the first; null where they do not.
 */
function maxPoolByAxes(dy: Tensor, x: Tensor, attrs: Attrs): Tensor | null {
  const [, height, width] = triple(attrs.filterSize);
  if (height === width) return null;
  const axes = volumeWalks(x, dy, attrs);
  const margin = (walk: Walk): [number, number] => [walk.before, after(walk)];
  const around = padTensor(x, [[0, 0], ...axes.map(margin), [0, 0]], Number.NEGATIVE_INFINITY);
  // What the last window does not reach is cut off by "valid".
  const stages = axes.map(({ reach, stride }, i) => {
    const perm = [0, i + 1, ...[1, 2, 3].filter((axis) => axis !== i + 1), 4];
    const undo = perm.map((_, axis) => perm.indexOf(axis));
    const pool = { filterSize: [reach, 1, 1], strides: [stride, 1, 1], pad: "valid" };
    return { perm, undo, pool };
  });
  const inputs: Tensor[] = [];
  const outputs: Tensor[] = [];
  let y: Tensor = around;
  for (const { perm, undo, pool } of stages) {
    inputs.push(transpose(y, perm));
    outputs.push(run("MaxPool3D", { x: inputs.at(-1)! }, pool));
    y = transpose(outputs.at(-1)!, undo);
  }
  let gradient = dy;
  for (const [i, { perm, undo, pool }] of [...stages.entries()].reverse()) {
    const turned = transpose(gradient, perm);
    gradient = transpose(
      run("MaxPool3DGrad", { dy: turned, input: inputs[i]!, output: outputs[i]! }, pool),
      undo,
    );
  }
  return slice(gradient, [0, ...axes.map(({ before }) => before), 0], x.shape);
}

const volume = (kernelName: string, compute: NonNullable<Repair["compute"]>): Repair => ({
  kernelName,
  backends: everywhere,
  compute,
});

/**
 * In three dimensions tfjs pads by less than nothing where the stride is larger than the window, so that windows begin inside of the
 * volume. What no window reaches is cut off first.
 */
const volumes: readonly Repair[] = [
  volume("Conv3D", ({ x, filter }, attrs) => {
    const sizes = reached(x!.shape, filter!.shape, attrs);
    return sizes && run("Conv3D", { x: crop(x!, sizes), filter: filter! }, attrs);
  }),
  volume("Conv3DBackpropFilterV2", ({ x, dy }, attrs) => {
    const sizes = reached(x!.shape, attrs.filterShape, attrs);
    return sizes && run("Conv3DBackpropFilterV2", { x: crop(x!, sizes), dy: dy! }, attrs);
  }),
  volume("Conv3DBackpropInputV2", (inputs, attrs) => {
    const sizes = reached(attrs.inputShape, inputs.filter!.shape, attrs);
    return (
      sizes && fill(run("Conv3DBackpropInputV2", inputs, { ...attrs, inputShape: sizes }), attrs.inputShape)
    );
  }),
  ...["MaxPool3D", "AvgPool3D"].map((kernelName) =>
    volume(kernelName, ({ x }, attrs) => {
      const sizes = reached(x!.shape, triple(attrs.filterSize), attrs);
      return sizes && run(kernelName, { x: crop(x!, sizes) }, attrs);
    }),
  ),
  volume("MaxPool3DGrad", ({ dy, input, output }, attrs) => {
    const sizes = reached(input!.shape, triple(attrs.filterSize), attrs);
    if (sizes === null) return maxPoolByAxes(dy!, input!, attrs);
    return fill(
      run("MaxPool3DGrad", { dy: dy!, input: crop(input!, sizes), output: output! }, attrs),
      input!.shape,
    );
  }),
  volume("AvgPool3DGrad", ({ dy, input }, attrs) => {
    const window = triple(attrs.filterSize);
    const sizes = reached(input!.shape, window, attrs);
    if (sizes !== null)
      return fill(run("AvgPool3DGrad", { dy: dy!, input: crop(input!, sizes) }, attrs), input!.shape);
    if (attrs[repairedAttrs]) return null;
    const shared = scaled(dy!, volumeWalks(input!, dy!, attrs));
    return shared && run("AvgPool3DGrad", { dy: shared, input: input! }, { ...attrs, [repairedAttrs]: true });
  }),
];

export const windowRepairs: readonly Repair[] = [...forward, ...backward, avgPoolShares, ...volumes];
