import { upcastType } from "@tensorflow/tfjs-core";
import { allocate, sizeOf } from "../heap.js";
import { expectReal, kernel } from "../kernel.js";

/** Elements of `t` where the condition holds, of `e` elsewhere; a condition of one axis chooses whole rows. */
export const selectKernel = () =>
  kernel("Select", ({ inputs, backend }) => {
    const { condition, t, e } = inputs;
    expectReal("where", t, e);
    // tfjs does not broadcast one element to none.
    const empty = [condition!, t!, e!].find(({ shape }) => sizeOf(shape) === 0);
    const out = allocate(backend, (empty ?? t!).shape, upcastType(t!.dtype, e!.dtype));
    const chosen = backend.typedArrayFromHeap(condition!);
    const [yes, no] = [backend.typedArrayFromHeap(t!), backend.typedArrayFromHeap(e!)];
    const to = backend.typedArrayFromHeap(out);
    const each = to.length / Math.max(1, chosen.length);
    for (let i = 0, at = 0; at < to.length; i++) {
      const from = chosen[i] !== 0 ? yes : no;
      for (let k = 0; k < each; k++, at++) to[at] = from[at]!;
    }
    return out;
  });
