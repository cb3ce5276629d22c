import { add, type Dilation2DAttrs, type GradConfig, slice, type Tensor, zeros } from "@tensorflow/tfjs-core";
import { atLargest, everyTap, surround, touched, windowAxes2d } from "./windows.js";

/** Smaller than every pixel and filter together. */
const lowest = -1e38;

/**
 * The gradients of the gradients of `dilation2d`, which are linear in `dy`: what arrives where the largest sum of image
 * and filter was, in the image or in the filter. tfjs-core has none.
 */
export const dilation2dBackpropGradients: readonly GradConfig[] = (["Input", "Filter"] as const).map(
  (side) => ({
    kernelName: `Dilation2DBackprop${side}`,
    inputsToSave: ["x", "filter"],
    gradFunc: (gradient, saved, attrs) => {
      const [x, filter] = saved as [Tensor, Tensor];
      const direction = gradient as Tensor;
      const { strides, pad, dilations } = attrs as unknown as Dilation2DAttrs;
      return {
        dy: () => {
          const [height, width, channels] = filter.shape as [number, number, number];
          const axes = windowAxes2d(x.shape, [height, width], strides, dilations, pad);
          const image = surround(x, axes, lowest);
          const directions = side === "Input" ? surround(direction, axes, 0) : direction;
          const taps = everyTap(axes);
          const inFilter = (of: Tensor, [i, j]: number[]) => slice(of, [i!, j!, 0], [1, 1, channels]);
          const sums = taps.map((tap) => add(touched(image, axes, tap), inFilter(filter, tap)));
          return atLargest(
            sums,
            taps.map((tap, i) =>
              side === "Input"
                ? touched(directions, axes, tap)
                : add(inFilter(directions, tap), zeros(sums[i]!.shape)),
            ),
          );
        },
        x: () => zeros(x.shape),
        filter: () => zeros(filter.shape),
      };
    },
  }),
);
