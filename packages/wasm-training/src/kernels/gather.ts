import { backend_util, util } from "@tensorflow/tfjs-core";
import { allocate, integers } from "../heap.js";
import { kernel } from "../kernel.js";

/**
 * Copies slices of `x`; the stock kernel reads the wrong slices when there are
 * batch dimensions, and copies each of a row of one embedding at a time through views.
 */
export const gatherKernel = () =>
  kernel("GatherV2", ({ inputs, backend, attrs }) => {
    const [x, indices] = [inputs.x!, inputs.indices!];
    const axis = util.parseAxisParam(attrs.axis, x.shape)[0]!;
    const info = backend_util.segment_util.collectGatherOpShapeInfo(
      x as never,
      indices as never,
      axis,
      attrs.batchDims ?? 0,
    );
    const { batchSize, outerSize, dimSize, sliceSize } = info;
    const out = allocate(backend, info.outputShape, x.dtype);
    const from = backend.typedArrayFromHeap(x);
    const to = backend.typedArrayFromHeap(out);
    const picks = integers(backend, indices);
    const each = picks.length / batchSize;
    for (const index of picks) {
      if (index < 0 || index >= dimSize) {
        backend.disposeData(out.dataId);
        throw new Error(`gather: indices: expected integers in [0, ${dimSize}), got ${index}`);
      }
    }
    let target = 0;
    for (let b = 0; b < batchSize; b++) {
      for (let o = 0; o < outerSize; o++) {
        const start = (b * outerSize + o) * dimSize;
        for (let i = 0; i < each; i++, target += sliceSize) {
          const source = (start + picks[b * each + i]!) * sliceSize;
          for (let k = 0; k < sliceSize; k++) to[target + k] = from[source + k]!;
        }
      }
    }
    return out;
  });
