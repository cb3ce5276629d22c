import {
  concat,
  type GradConfig,
  type SplitVAttrs,
  stack,
  type Tensor,
  type UnpackAttrs,
} from "@tensorflow/tfjs-core";

/** The pieces of the gradient: one piece alone arrives without a list around it. */
const pieces = (dy: Tensor | Tensor[]): Tensor[] => (Array.isArray(dy) ? dy : [dy]);

/**
 * The gradients of `unstack` and `split`: the pieces put together again.
 *
 * Unlike tfjs-core, one piece is no problem; tfjs-core throws, so that nothing recurrent trains on one time step.
 */
export const splitGradients: readonly GradConfig[] = [
  {
    kernelName: "Unpack",
    gradFunc: (dy, _saved, attrs) => {
      const { axis } = attrs as unknown as UnpackAttrs;
      const all = pieces(dy);
      return { value: () => stack(all, axis < 0 ? axis + all[0]!.rank + 1 : axis) };
    },
  },
  {
    kernelName: "SplitV",
    gradFunc: (dy, _saved, attrs) => ({
      x: () => concat(pieces(dy), (attrs as unknown as SplitVAttrs).axis),
    }),
  },
];
