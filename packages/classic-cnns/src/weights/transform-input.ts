import { ShapeError } from "@gradlab/core";
import { add, mul, type Tensor4D, tensor1d, tidy } from "@tensorflow/tfjs-core";

/** ImageNet's mean and standard deviation of a channel, by which torchvision normalizes images in [0, 1]. */
const mean = [0.485, 0.456, 0.406] as const;
const deviation = [0.229, 0.224, 0.225] as const;

/**
 * From images normalized by ImageNet's mean and deviation to images in [-1, 1], `x · σ / 0.5 + (μ - 0.5) / 0.5` for
 * each channel: what torchvision's GoogLeNet does to its input when it is built with `transform_input`.
 *
 * Its pretrained weights need this (`googlenet(weights=…)` sets the option; they were ported from TensorFlow, where
 * images lie in [-1, 1]), and no file says so. Weights trained from the start do not.
 *
 * @param x Images, `[batch, height, width, 3]`, red first, with mean 0 and deviation 1 by ImageNet. Borrowed.
 * @returns Images in [-1, 1] of the same shape; the caller disposes them.
 * @throws {ShapeError} when there are not 3 channels.
 * @see https://github.com/pytorch/vision/blob/main/torchvision/models/googlenet.py, `_transform_input`
 */
export function transformInput(x: Tensor4D): Tensor4D {
  if (x.rank !== 4 || x.shape[3] !== 3) {
    throw new ShapeError(
      `transformInput: x: expected [batch, height, width, 3], got [${x.shape.join(", ")}]`,
    );
  }
  return tidy(() => {
    const scale = tensor1d(deviation.map((sigma) => sigma / 0.5));
    const shift = tensor1d(mean.map((mu) => (mu - 0.5) / 0.5));
    return add<Tensor4D>(mul(x, scale), shift);
  });
}
