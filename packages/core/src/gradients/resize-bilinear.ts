import { engine, type GradConfig, reshape, type Tensor } from "@tensorflow/tfjs-core";

/**
 * The gradient of `resizeBilinear`: what each source pixel gave to the resized ones.
 *
 * The kernel of the cpu backend names its result `[b, w, h, c]`, which tfjs-core
 * refuses for images that are not square; the values are in the right order.
 */
export const resizeBilinearGradient: GradConfig = {
  kernelName: "ResizeBilinear",
  inputsToSave: ["images"],
  gradFunc: (dy, saved, attrs) => {
    const [images] = saved as [Tensor];
    const inputs = { dy: dy as Tensor, images };
    return {
      images: () => reshape(engine().runKernel("ResizeBilinearGrad", inputs, attrs) as Tensor, images.shape),
    };
  },
};
