import {
  concat,
  type GradConfig,
  reshape,
  type SplitVAttrs,
  stack,
  type Tensor,
  type UnpackAttrs,
  util,
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
    inputsToSave: ["value"],
    gradFunc: (dy, saved, attrs) => {
      const { shape } = saved[0]!;
      const axis = util.parseAxisParam((attrs as unknown as UnpackAttrs).axis, shape)[0]!;
      return { value: () => reshape(stack(pieces(dy), axis), shape) };
    },
  },
  {
    kernelName: "SplitV",
    inputsToSave: ["x"],
    gradFunc: (dy, saved, attrs) => {
      const { shape } = saved[0]!;
      const axis = util.parseAxisParam((attrs as unknown as SplitVAttrs).axis, shape)[0]!;
      return { x: () => concat(pieces(dy), axis) };
    },
  },
];
