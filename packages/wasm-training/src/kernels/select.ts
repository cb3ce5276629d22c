import { upcastType } from "@tensorflow/tfjs-core";
import { companionOf } from "../companion/companion.js";
import { selectByCompanion } from "../companion/pairs.js";
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
    const companion = companionOf(backend);
    const words = [out, t!, e!].every(({ dtype }) => dtype === out.dtype) && out.dtype !== "bool";
    if (
      companion !== undefined &&
      words &&
      sizeOf(condition!.shape) === sizeOf(out.shape) &&
      out.dtype !== "string"
    ) {
      selectByCompanion(backend, companion, condition!, t!, e!, out);
      return out;
    }
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
