import {
  backend_util,
  type Conv3DAttrs,
  type Conv3DBackpropFilterV2Attrs,
  type Conv3DBackpropInputV2Attrs,
  conv3d,
  engine,
  type GradConfig,
  matMul,
  type NamedAttrMap,
  pad as padZeros,
  reshape,
  reverse,
  slice,
  stack,
  type Tensor,
  type Tensor5D,
  transpose,
} from "@tensorflow/tfjs-core";

type Three = [number, number, number];

/** Pads the three middle axes; negative numbers cut off. */
function fit(x: Tensor, before: Three, after: Three): Tensor5D {
  const [begin, end] = [before, after].map((margins) => [0, ...margins, 0]) as [number[], number[]];
  const from = begin.map((n) => Math.max(0, -n));
  const size = x.shape.map((n, i) => n - from[i]! - Math.max(0, -end[i]!));
  return padZeros(
    slice(x, from, size),
    begin.map((n, i): [number, number] => [Math.max(0, n), Math.max(0, end[i]!)]),
  ) as Tensor5D;
}

/** The gradients of a dilated convolution, whose stride is 1: a convolution, and one product for each tap. */
function dilatedGradients(
  dy: Tensor5D,
  x: Tensor5D,
  filter: Tensor5D,
  info: backend_util.Conv3DInfo,
): { dx: () => Tensor; dw: () => Tensor } {
  const { padInfo } = info;
  const dilation: Three = [info.dilationDepth, info.dilationHeight, info.dilationWidth];
  const before: Three = [padInfo.front, padInfo.top, padInfo.left];
  const three = (f: (i: number) => number) => [0, 1, 2].map(f) as Three;
  const reach = three((i) => (filter.shape[i]! - 1) * dilation[i]!);
  const dx = () => {
    const wide = fit(
      dy,
      three((i) => reach[i]! - before[i]!),
      three((i) => x.shape[i + 1]! - dy.shape[i + 1]! + before[i]!),
    );
    const turned = transpose(reverse(filter, [0, 1, 2]), [0, 1, 2, 4, 3]);
    return conv3d(wide, turned, 1, "valid", "NDHWC", dilation);
  };
  const dw = () => {
    const wide = fit(
      x,
      before,
      three((i) => dy.shape[i + 1]! + reach[i]! - x.shape[i + 1]! - before[i]!),
    );
    const [depth, height, width, channels, filters] = filter.shape;
    const count = dy.size / filters;
    const outputs = reshape(dy, [count, filters]);
    const taps = Array.from({ length: depth * height * width }, (_, n) => {
      const tap: Three = [Math.floor(n / (height * width)), Math.floor(n / width) % height, n % width];
      const begin = [0, ...three((i) => tap[i]! * dilation[i]!), 0];
      const touched = slice(wide as Tensor, begin, [...dy.shape.slice(0, 4), channels]);
      return matMul(reshape(touched, [count, channels]), outputs, true, false);
    });
    return reshape(stack(taps), filter.shape);
  };
  return { dx, dw };
}

const run = (kernel: string, inputs: Record<string, Tensor>, attrs: object): Tensor =>
  engine().runKernel(kernel, inputs, attrs as NamedAttrMap);

/**
 * The gradients of `conv3d` and `conv3dTranspose`, and of the gradients themselves.
 *
 * Unlike tfjs-core, with dilation too, which tfjs-core refuses; it has none for the transpose.
 */
export const conv3dGradients: readonly GradConfig[] = [
  {
    kernelName: "Conv3D",
    inputsToSave: ["x", "filter"],
    gradFunc: (gradient, saved, attrs) => {
      const [x, filter] = saved as [Tensor5D, Tensor5D];
      const dy = gradient as Tensor5D;
      const { strides, pad, ...rest } = attrs as unknown as Conv3DAttrs;
      const dilations = rest.dilations ?? 1;
      if (!backend_util.tupleValuesAreOne(dilations)) {
        const info = backend_util.computeConv3DInfo(x.shape, filter.shape, strides, dilations, pad);
        const { dx, dw } = dilatedGradients(dy, x, filter, info);
        return { x: dx, filter: dw };
      }
      return {
        x: () => run("Conv3DBackpropInputV2", { dy, filter }, { strides, pad, inputShape: x.shape }),
        filter: () => run("Conv3DBackpropFilterV2", { x, dy }, { strides, pad, filterShape: filter.shape }),
      };
    },
  },
  {
    kernelName: "Conv3DBackpropInputV2",
    inputsToSave: ["dy", "filter"],
    gradFunc: (gradient, saved, attrs) => {
      const [dy, filter] = saved as [Tensor5D, Tensor5D];
      const ddx = gradient as Tensor5D;
      const { strides, pad } = attrs as unknown as Conv3DBackpropInputV2Attrs;
      return {
        dy: () => conv3d(ddx, filter, strides, pad),
        filter: () =>
          run("Conv3DBackpropFilterV2", { x: ddx, dy }, { strides, pad, filterShape: filter.shape }),
      };
    },
  },
  {
    kernelName: "Conv3DBackpropFilterV2",
    inputsToSave: ["x", "dy"],
    gradFunc: (gradient, saved, attrs) => {
      const [x, dy] = saved as [Tensor5D, Tensor5D];
      const ddw = gradient as Tensor5D;
      const { strides, pad } = attrs as unknown as Conv3DBackpropFilterV2Attrs;
      return {
        x: () => run("Conv3DBackpropInputV2", { dy, filter: ddw }, { strides, pad, inputShape: x.shape }),
        dy: () => conv3d(x, ddw, strides, pad),
      };
    },
  },
];
