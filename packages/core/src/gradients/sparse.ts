import {
  div,
  expandDims,
  type GradConfig,
  gather,
  maximum,
  ones,
  reshape,
  scatterND,
  sub,
  sum,
  type Tensor,
  type Tensor1D,
  zeros,
} from "@tensorflow/tfjs-core";

/** Rows added up at their places in zeros. */
const addRows = (rows: Tensor, at: Tensor, shape: number[]): Tensor =>
  rows.size === 0 ? zeros(shape) : scatterND(expandDims(at, 1), rows, shape);

/**
 * The gradients of the sparse ops that carry values along: `sparseSegmentSum`, `sparseSegmentMean` (with respect to the
 * data) and `sparseFillEmptyRows` (to the values and the default). tfjs-core has none.
 */
export const sparseGradients: readonly GradConfig[] = [
  ...["SparseSegmentSum", "SparseSegmentMean"].map(
    (kernelName): GradConfig => ({
      kernelName,
      inputsToSave: ["data", "indices", "segmentIds"],
      gradFunc: (gradient, saved) => {
        const [data, indices, segmentIds] = saved as [Tensor, Tensor1D, Tensor1D];
        const dy = gradient as Tensor;
        return {
          data: () => {
            const rows = dy.shape[0]!;
            if (dy.size === 0) return zeros(data.shape);
            const inner = data.size / data.shape[0]!;
            let arrived = reshape(dy, [rows, inner]);
            if (kernelName === "SparseSegmentMean") {
              const members = addRows(ones(segmentIds.shape), segmentIds, [rows]);
              arrived = div(arrived, expandDims(maximum(members, 1), 1));
            }
            return reshape(
              addRows(gather(arrived, segmentIds), indices, [data.shape[0]!, inner]),
              data.shape,
            );
          },
          indices: () => zeros(indices.shape),
          segmentIds: () => zeros(segmentIds.shape),
        };
      },
    }),
  ),
  {
    kernelName: "SparseFillEmptyRows",
    inputsToSave: ["values"],
    outputsToSave: [false, false, false, true],
    gradFunc: (dys, saved) => {
      const [values, places] = saved as [Tensor, Tensor1D];
      const dy = (dys as Tensor[])[1]!;
      const own = () => (values.size === 0 ? zeros(values.shape) : gather(dy, places));
      return { values: own, defaultValue: () => sub(sum(dy), sum(own())) };
    },
  },
];
