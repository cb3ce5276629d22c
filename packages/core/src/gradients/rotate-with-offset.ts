import {
  backend_util,
  type GradConfig,
  type RotateWithOffsetAttrs,
  reshape,
  scatterND,
  slice,
  type Tensor,
  tensor,
  transpose,
} from "@tensorflow/tfjs-core";

/**
 * The gradient of `image.rotateWithOffset`: each pixel back to the one that it was copied from; those that were filled
 * give nothing. tfjs-core has none.
 */
export const rotateWithOffsetGradient: GradConfig = {
  kernelName: "RotateWithOffset",
  inputsToSave: ["image"],
  gradFunc: (dy, saved, attrs) => {
    const [batch, height, width, channels] = saved[0]!.shape as [number, number, number, number];
    const { radians, center } = attrs as unknown as RotateWithOffsetAttrs;
    return {
      image: () => {
        const [centerX, centerY] = backend_util.getImageCenter(center, height, width);
        const [sin, cos] = [Math.sin(radians), Math.cos(radians)];
        const pixels = height * width;
        // Those from outside come to a place behind the last pixel.
        const sources = Array.from({ length: pixels }, (_, i) => {
          const [dx, dy] = [(i % width) - centerX, Math.floor(i / width) - centerY];
          const x = Math.round(dx * cos - dy * sin + centerX);
          const y = Math.round(dx * sin + dy * cos + centerY);
          return x >= 0 && x < width && y >= 0 && y < height ? y * width + x : pixels;
        });
        const values = reshape(transpose(reshape(dy as Tensor, [batch, pixels, channels]), [1, 0, 2]), [
          pixels,
          batch * channels,
        ]);
        const all = scatterND(tensor(sources, [pixels, 1], "int32"), values, [pixels + 1, batch * channels]);
        const inside = slice(all, [0, 0], [pixels, batch * channels]);
        return reshape(transpose(reshape(inside, [pixels, batch, channels]), [1, 0, 2]), saved[0]!.shape);
      },
    };
  },
};
