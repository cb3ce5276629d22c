import {
  avgPool,
  avgPool3d,
  type GradConfig,
  type MaxPool3DGradAttrs,
  type MaxPoolGradAttrs,
  type Tensor,
  type Tensor4D,
  type Tensor5D,
  zeros,
} from "@tensorflow/tfjs-core";
import { explicitPad, type Pad } from "./explicit-pad.js";
import {
  atLargest,
  everyTap,
  surround,
  touched,
  type WindowAxis,
  windowAxes2d,
  windowAxes3d,
} from "./windows.js";

/** Smaller than every pixel. Not -∞, which shaders need not know. */
const lowest = -3.4e38;

/** For each window the element of `ddx` where the image has its largest. */
function atMaxima(ddx: Tensor, x: Tensor, axes: readonly WindowAxis[]): Tensor {
  const [image, directions] = [surround(x, axes, lowest), surround(ddx, axes, 0)];
  const taps = everyTap(axes);
  return atLargest(
    taps.map((tap) => touched(image, axes, tap)),
    taps.map((tap) => touched(directions, axes, tap)),
  );
}

/**
 * The gradients of the gradients of poolings, which are linear in `dy`: for an average the average again, for a maximum
 * what arrives where the maximum was. With respect to the image they are constant almost everywhere.
 *
 * The gradients of averages are asked for windows inside of the image alone (see `avgPoolGradients`). tfjs-core has none.
 */
export const poolBackpropGradients: readonly GradConfig[] = [
  {
    kernelName: "AvgPoolGrad",
    inputsToSave: ["input"],
    gradFunc: (ddx, saved, attrs) => {
      const { filterSize, strides, pad, dimRoundingMode } = attrs as unknown as MaxPoolGradAttrs;
      return {
        dy: () => avgPool(ddx as Tensor4D, filterSize, strides, explicitPad(pad as Pad), dimRoundingMode),
        input: () => zeros(saved[0]!.shape),
      };
    },
  },
  {
    kernelName: "AvgPool3DGrad",
    inputsToSave: ["input"],
    gradFunc: (ddx, saved, attrs) => {
      const { filterSize, strides, pad, dimRoundingMode } = attrs as unknown as MaxPool3DGradAttrs;
      return {
        dy: () => avgPool3d(ddx as Tensor5D, filterSize, strides, pad, dimRoundingMode),
        input: () => zeros(saved[0]!.shape),
      };
    },
  },
  {
    kernelName: "MaxPoolGrad",
    inputsToSave: ["input", "output"],
    gradFunc: (ddx, saved, attrs) => {
      const [x, y] = saved as [Tensor, Tensor];
      const { filterSize, strides, pad, dimRoundingMode } = attrs as unknown as MaxPoolGradAttrs;
      return {
        dy: () => {
          const explicit = explicitPad(pad as Pad);
          const axes = windowAxes2d(x.shape, filterSize, strides, 1, explicit, dimRoundingMode);
          return atMaxima(ddx as Tensor, x, axes);
        },
        input: () => zeros(x.shape),
        output: () => zeros(y.shape),
      };
    },
  },
  {
    kernelName: "MaxPool3DGrad",
    inputsToSave: ["input", "output"],
    gradFunc: (ddx, saved, attrs) => {
      const [x, y] = saved as [Tensor, Tensor];
      const { filterSize, strides, pad, dimRoundingMode } = attrs as unknown as MaxPool3DGradAttrs;
      return {
        dy: () =>
          atMaxima(ddx as Tensor, x, windowAxes3d(x.shape, filterSize, strides, pad, dimRoundingMode)),
        input: () => zeros(x.shape),
        output: () => zeros(y.shape),
      };
    },
  },
];
