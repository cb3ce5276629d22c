import {
  cast,
  equal,
  expandDims,
  type GradConfig,
  gatherND,
  mul,
  ones,
  range,
  reshape,
  scatterND,
  sum,
  type Tensor,
  tensorScatterUpdate,
  util,
  zeros,
} from "@tensorflow/tfjs-core";

/** Places in a tensor of `shape`, as `[n, depth]`, and the shape of the slice at each. */
function places(
  indices: Tensor,
  shape: readonly number[],
): { at: Tensor; depth: number; n: number; rest: number[] } {
  const depth = indices.rank < 1 ? 1 : indices.shape.at(-1)!;
  const n = depth === 0 ? util.sizeFromShape(indices.shape.slice(0, -1)) : indices.size / depth;
  return { at: reshape(indices, [n, depth]), depth, n, rest: shape.slice(depth) };
}

/** Adds slices up at their places in zeros. */
function addAt(indices: Tensor, slices: Tensor, shape: number[]): Tensor {
  const { at, depth, n, rest } = places(indices, shape);
  if (depth === 0) return reshape(sum(reshape(slices, [n, ...rest]), 0), shape);
  if (slices.size === 0) return zeros(shape);
  return scatterND(at, reshape(slices, [n, ...rest]), shape);
}

/** The slices at their places. */
function takeAt(indices: Tensor, x: Tensor, shape: number[]): Tensor {
  return util.sizeFromShape(shape) === 0
    ? zeros(shape)
    : reshape(gatherND(x, places(indices, x.shape).at), shape);
}

/** 1 for each slice that an update without adding left in its place, 0 for those that a later one replaced, `[n, 1]`. */
function winners(indices: Tensor, shape: readonly number[]): Tensor {
  const { at, depth, n } = places(indices, shape);
  const number = range(1, n + 1, 1);
  const target = zeros(shape.slice(0, depth) as number[]);
  const last = tensorScatterUpdate(target, at as Tensor, number);
  return expandDims(cast(equal(gatherND(last, at), number), "float32"), 1);
}

/** 1 where nothing is put, 0 elsewhere, of the shape that indices point into and 1 along the axes behind. */
function untouched(indices: Tensor, shape: readonly number[]): Tensor {
  const { at, depth, n } = places(indices, shape);
  const puts = scatterND(at, ones([n]), shape.slice(0, depth));
  return reshape(
    cast(equal(puts, 0), "float32"),
    shape.map((size, i) => (i < depth ? size : 1)),
  );
}

/** The gradient of updates that replace: what arrives at their places, but for those that were replaced themselves. */
function replacing(indices: Tensor, dy: Tensor, shape: number[]): Tensor {
  if (util.sizeFromShape(shape) === 0) return zeros(shape);
  const { at, n } = places(indices, dy.shape);
  return reshape(mul(reshape(gatherND(dy, at), [n, -1]), winners(indices, dy.shape)), shape);
}

/**
 * The gradients of `gatherND`, `scatterND`, `tensorScatterUpdate` and `sparseToDense`: gathering and scattering are
 * each other's. Of several updates of the same place those that were replaced have none. Indices have a zero gradient.
 *
 * tfjs-core has none.
 */
export const scatterGradients: readonly GradConfig[] = [
  {
    kernelName: "GatherNd",
    inputsToSave: ["params", "indices"],
    gradFunc: (dy, saved) => {
      const [params, indices] = saved as [Tensor, Tensor];
      return {
        params: () => addAt(indices, dy as Tensor, params.shape),
        indices: () => zeros(indices.shape),
      };
    },
  },
  {
    kernelName: "ScatterNd",
    inputsToSave: ["indices", "updates"],
    gradFunc: (dy, saved) => {
      const [indices, updates] = saved as [Tensor, Tensor];
      return {
        updates: () => takeAt(indices, dy as Tensor, updates.shape),
        indices: () => zeros(indices.shape),
      };
    },
  },
  {
    kernelName: "TensorScatterUpdate",
    inputsToSave: ["indices", "updates"],
    gradFunc: (gradient, saved) => {
      const [indices, updates] = saved as [Tensor, Tensor];
      const dy = gradient as Tensor;
      return {
        tensor: () => (updates.size === 0 ? dy.clone() : mul(dy, untouched(indices, dy.shape))),
        updates: () => replacing(indices, dy, updates.shape),
        indices: () => zeros(indices.shape),
      };
    },
  },
  {
    kernelName: "SparseToDense",
    inputsToSave: ["sparseIndices", "sparseValues"],
    gradFunc: (gradient, saved) => {
      const [indices, values] = saved as [Tensor, Tensor];
      const dy = gradient as Tensor;
      // A scalar index is a list of one, and so is each of a list.
      const at = indices.rank < 2 ? reshape(indices, [indices.size, 1]) : indices;
      const n = at.shape[0]!;
      const each = () => replacing(at, dy, [n]);
      return {
        sparseValues: () =>
          values.size === n ? reshape(each(), values.shape) : reshape(sum(each()), values.shape),
        defaultValue: () => sum(n === 0 ? dy : mul(dy, untouched(at, dy.shape))),
        sparseIndices: () => zeros(indices.shape),
      };
    },
  },
];
