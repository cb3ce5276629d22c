import { backend_util } from "@tensorflow/tfjs-core";
import { allocate, type BackendWasm, floats, kernel, release, run, type TensorInfo } from "../heap.js";

/** `[batch, height, width, channels]` to `[channels, rows, columns, batch]`, cut to the first rows and columns. */
function imagesByChannel(backend: BackendWasm, x: TensorInfo, rows: number, columns: number): TensorInfo {
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  const out = allocate(backend, [channels, rows, columns, batch]);
  const from = floats(backend, x);
  const to = floats(backend, out);
  const plane = rows * columns * batch;
  for (let y = 0; y < rows; y++) {
    for (let column = 0; column < columns; column++) {
      const j0 = (y * columns + column) * batch;
      for (let b = 0; b < batch; b++) {
        const i0 = ((b * height + y) * width + column) * channels;
        for (let c = 0, j = j0 + b; c < channels; c++, j += plane) to[j] = from[i0 + c]!;
      }
    }
  }
  return out;
}

/** The first two axes of `[a, b, c]` swapped; `c` elements stay together. */
export function swapOuterAxes(
  backend: BackendWasm,
  x: TensorInfo,
  [a, b, c]: readonly [number, number, number],
  shape: number[],
): TensorInfo {
  const out = allocate(backend, shape);
  const from = floats(backend, x);
  const to = floats(backend, out);
  for (let i = 0; i < a; i++) {
    for (let j = 0; j < b; j++) {
      const source = (i * b + j) * c;
      const target = (j * a + i) * c;
      for (let k = 0; k < c; k++) to[target + k] = from[source + k]!;
    }
  }
  return out;
}

/**
 * The filter gradient of `conv2d`, which the wasm backend lacks, as one forward
 * convolution: with batch and channels swapped `x` is the image
 * `[c, h, w, b]`, `dy` the filter `[oh, ow, b, o]`, and the stride of the
 * forward pass the dilation.
 */
export const conv2dBackpropFilterKernel = () =>
  kernel("Conv2DBackpropFilter", ({ inputs, backend, attrs }) => {
    const { strides, pad, dataFormat, dimRoundingMode, filterShape } = attrs;
    if (dataFormat === "NCHW") {
      throw new Error("conv2d: dataFormat: expected NHWC on the wasm backend, got NCHW");
    }
    const [x, dy] = [inputs.x!, inputs.dy!];
    const xShape = x.shape as [number, number, number, number];
    const info = backend_util.computeConv2DInfo(xShape, filterShape, strides, 1, pad, dimRoundingMode);
    const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels } = info;
    const { filterHeight, filterWidth, strideHeight, strideWidth, padInfo } = info;
    // What the last tap of the last output reaches, beyond the image or short of its end.
    const below = filterHeight + (outHeight - 1) * strideHeight - padInfo.top - inHeight;
    const after = filterWidth + (outWidth - 1) * strideWidth - padInfo.left - inWidth;
    const rows = inHeight + Math.min(0, below);
    const columns = inWidth + Math.min(0, after);
    const image = imagesByChannel(backend, x, rows, columns);
    const positions = outHeight * outWidth;
    const taps = swapOuterAxes(
      backend,
      dy,
      [batchSize, positions, outChannels],
      [outHeight, outWidth, batchSize, outChannels],
    );
    const swapped = run(
      backend,
      "Conv2D",
      { x: image, filter: taps },
      {
        strides: [1, 1],
        dilations: [strideHeight, strideWidth],
        dataFormat: "NHWC",
        pad: [
          [0, 0],
          [padInfo.top, Math.max(0, below)],
          [padInfo.left, Math.max(0, after)],
          [0, 0],
        ],
      },
    ); // [c, kh, kw, o]
    const sizes = [inChannels, filterHeight * filterWidth, outChannels] as const;
    const result = swapOuterAxes(backend, swapped, sizes, filterShape);
    release(backend, image, taps, swapped);
    return result;
  });
