import {
  add,
  type GradConfig,
  type MirrorPadAttrs,
  pad,
  reverse,
  slice,
  type Tensor,
} from "@tensorflow/tfjs-core";

/** Folds the `begin` and `end` elements of one axis back onto those that they were copied from. */
function foldAxis(dy: Tensor, axis: number, [begin, end]: readonly [number, number], skip: number): Tensor {
  const size = dy.shape[axis]! - begin - end;
  const part = (from: number, count: number) => {
    const start = dy.shape.map((_, i) => (i === axis ? from : 0));
    return slice(
      dy,
      start,
      dy.shape.map((n, i) => (i === axis ? count : n)),
    );
  };
  const place = (x: Tensor, before: number) => {
    const after = size - before - x.shape[axis]!;
    return pad(
      reverse(x, axis),
      dy.shape.map((_, i): [number, number] => (i === axis ? [before, after] : [0, 0])),
    );
  };
  let folded = part(begin, size);
  if (begin > 0) folded = add(folded, place(part(0, begin), skip));
  if (end > 0) folded = add(folded, place(part(begin + size, end), size - skip - end));
  return folded;
}

/**
 * The gradient of `mirrorPad`: the gradient of each copy is added to that of the original.
 *
 * Unlike tfjs-core, which leaves the copies out.
 */
export const mirrorPadGradient: GradConfig = {
  kernelName: "MirrorPad",
  inputsToSave: ["x"],
  gradFunc: (dy, _saved, attrs) => {
    const { paddings, mode } = attrs as unknown as MirrorPadAttrs;
    // In the mode "reflect" the border itself is not repeated.
    const skip = mode === "reflect" ? 1 : 0;
    return { x: () => paddings.reduce((x, ends, axis) => foldAxis(x, axis, ends, skip), dy as Tensor) };
  },
};
