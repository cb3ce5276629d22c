import {
  type AvgPool3DAttrs,
  type AvgPoolAttrs,
  engine,
  type GradConfig,
  mul,
  type NamedAttrMap,
  pad as padZeros,
  slice,
  type Tensor,
  tensor,
  zeros,
} from "@tensorflow/tfjs-core";
import { explicitPad, type Pad } from "./explicit-pad.js";
import { type WindowAxis, windowAxes2d, windowAxes3d } from "./windows.js";

/** How many elements of each window along an axis lie inside of the image. */
function inside({ size, outputs, taps, stride, before }: WindowAxis): number[] {
  return Array.from({ length: outputs }, (_, i) => {
    const start = i * stride - before;
    return Math.min(size, start + taps) - Math.max(0, start);
  });
}

/** For each window, the ratio of its size to the number of elements inside of the image, `[1, ...outputs, 1]`. */
function windowShares(axes: readonly WindowAxis[]): Tensor {
  const shares = axes.reduce(
    (all, axis) => all.flatMap((share) => inside(axis).map((count) => (share * axis.taps) / count)),
    [1],
  );
  return tensor(shares, [1, ...axes.map(({ outputs }) => outputs), 1]);
}

/**
 * The gradient of an average over windows that may reach into padding: that of
 * windows on the padded image, where backends agree on the divisor, cut to the image.
 */
function poolGradient(
  kernel: string,
  dy: Tensor,
  x: Tensor,
  axes: readonly WindowAxis[],
  attrs: NamedAttrMap,
): Tensor {
  const full = axes.every((axis) => axis.before === 0 && inside(axis).every((count) => count === axis.taps));
  if (full) return engine().runKernel(kernel, { dy, input: x }, attrs) as Tensor;
  const [batch, channels] = [x.shape[0]!, x.shape.at(-1)!];
  const padded = axes.map(({ outputs, stride, taps }) => (outputs - 1) * stride + taps);
  const input = zeros([batch, ...padded, channels]);
  const shared = mul(dy, windowShares(axes));
  const gradient = engine().runKernel(kernel, { dy: shared, input }, { ...attrs, pad: "valid" }) as Tensor;
  const reached = axes.map(({ size, before }, i) => Math.min(size, padded[i]! - before));
  const cut = slice(gradient, [0, ...axes.map(({ before }) => before), 0], [batch, ...reached, channels]);
  // Rows behind the last window.
  if (reached.every((n, i) => n === axes[i]!.size)) return cut;
  const rest = axes.map(({ size }, i): [number, number] => [0, size - reached[i]!]);
  return padZeros(cut, [[0, 0], ...rest, [0, 0]]);
}

/**
 * The gradients of `avgPool` and `avgPool3d`: each output is shared equally by
 * the elements of its window that lie inside of the image.
 *
 * Unlike tfjs-core, whose kernels divide by the size of the whole window even
 * where padding takes part of it, which the forward pass does not.
 */
export const avgPoolGradients: readonly GradConfig[] = [
  {
    kernelName: "AvgPool",
    inputsToSave: ["x"],
    gradFunc: (dy, saved, attrs) => {
      const x = saved[0] as Tensor;
      const { filterSize, strides, dimRoundingMode, ...rest } = attrs as unknown as AvgPoolAttrs;
      const pad = explicitPad(rest.pad as Pad);
      const axes = windowAxes2d(x.shape, filterSize, strides, 1, pad, dimRoundingMode);
      return { x: () => poolGradient("AvgPoolGrad", dy as Tensor, x, axes, { ...attrs, pad }) };
    },
  },
  {
    kernelName: "AvgPool3D",
    inputsToSave: ["x"],
    gradFunc: (dy, saved, attrs) => {
      const x = saved[0] as Tensor;
      const { filterSize, strides, pad, dimRoundingMode } = attrs as unknown as AvgPool3DAttrs;
      const axes = windowAxes3d(x.shape, filterSize, strides, pad, dimRoundingMode);
      return { x: () => poolGradient("AvgPool3DGrad", dy as Tensor, x, axes, attrs) };
    },
  },
];
