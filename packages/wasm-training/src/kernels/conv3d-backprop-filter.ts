import { backend_util } from "@tensorflow/tfjs-core";
import { allocate, allocateZeros, floats, kernel, release, run, sizeOf } from "../heap.js";
import { forEachTap, window3d } from "../window.js";
import { multiplyMatrices } from "./mat-mul.js";

/** Elements of one block of patches: the heap never shrinks, and a block should stay in the cache. */
const blockElements = 2 ** 21;

/**
 * The filter gradient of `conv3d`: the patches under the filter, transposed,
 * times `dy`. The stock kernel is wrong for strides above 1.
 */
export const conv3dBackpropFilterKernel = () =>
  kernel("Conv3DBackpropFilterV2", ({ inputs, backend, attrs }) => {
    const { strides, pad, filterShape } = attrs;
    const [x, dy] = [inputs.x!, inputs.dy!];
    const shape = x.shape as [number, number, number, number, number];
    const info = backend_util.computeConv3DInfo(shape, filterShape, strides, 1, pad);
    const window = window3d(info);
    const outChannels = info.outChannels;
    const patch = sizeOf(filterShape) / outChannels;
    const outputs = sizeOf([...window.output]);
    const images = Math.max(1, Math.min(window.batch, Math.floor(blockElements / (outputs * patch))));
    const c = window.channels;
    const dw = allocateZeros(backend, filterShape);
    const partial = allocate(backend, filterShape);
    for (let first = 0; first < window.batch; first += images) {
      const last = Math.min(window.batch, first + images);
      const rows = (last - first) * outputs;
      const patches = allocateZeros(backend, [rows, patch]);
      const from = floats(backend, x);
      const to = floats(backend, patches);
      forEachTap(
        window,
        (pixel, tap, out) => {
          const i = pixel * c;
          const j = (out - first * outputs) * patch + tap * c;
          for (let k = 0; k < c; k++) to[j + k] = from[i + k]!;
        },
        [first, last],
      );
      const turned = run(backend, "Transpose", { x: patches }, { perm: [1, 0] });
      const start = first * outputs * outChannels;
      multiplyMatrices(
        backend,
        turned,
        dy,
        partial,
        [patch, rows, outChannels],
        [{ a: 0, b: start, out: 0 }],
      );
      const sums = floats(backend, dw);
      const parts = floats(backend, partial);
      for (let k = 0; k < sums.length; k++) sums[k]! += parts[k]!;
      release(backend, patches, turned);
    }
    release(backend, partial);
    return dw;
  });
