import {
  type GradConfig,
  reshape,
  sum,
  type Tensor,
  type TileAttrs,
  util,
  zeros,
} from "@tensorflow/tfjs-core";

/**
 * The gradient of `tile`: the sum over the copies, one axis after the other.
 *
 * Unlike tfjs-core, for any number of axes (tfjs-core stops at four), and by one sum instead of one addition a copy.
 */
export const tileGradient: GradConfig = {
  kernelName: "Tile",
  inputsToSave: ["x"],
  gradFunc: (dy, saved, attrs) => {
    const { shape } = saved[0]!;
    const { reps } = attrs as unknown as TileAttrs;
    return {
      x: () => {
        // The axes before `axis` are as in x already, those behind it still repeated.
        if (util.sizeFromShape(shape) === 0) return zeros(shape);
        const folded = reps.reduce<Tensor>((y, times, axis) => {
          if (times === 1) return y;
          const outer = util.sizeFromShape(shape.slice(0, axis));
          const behind = shape.slice(axis + 1).map((n, i) => n * reps[axis + 1 + i]!);
          return sum(reshape(y, [outer, times, shape[axis]! * util.sizeFromShape(behind)]), 1);
        }, dy as Tensor);
        return reshape(folded, shape);
      },
    };
  },
};
