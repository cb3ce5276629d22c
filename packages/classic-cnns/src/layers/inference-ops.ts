import { ShapeError } from "@gradlab/core";
import type { ConvLayer, DenseLayer, PointwiseLayer } from "@gradlab/receptive-field";
import type { GraphOps, LayerCall } from "@gradlab/receptive-field/measure";
import {
  add,
  batchNorm,
  clone,
  concat,
  localResponseNormalization,
  matMul,
  max,
  mean,
  mul,
  relu,
  relu6,
  reshape,
  sigmoid,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor4D,
} from "@tensorflow/tfjs-core";
import type { LayerFact, ParameterRole } from "../layer-facts.js";
import { convolve } from "./convolve.js";
import { poolToSize, poolWindows } from "./pool.js";

/** Gives a parameter or a running statistic of a layer. */
export type LayerTensors = (layer: string, role: ParameterRole) => Tensor;

/**
 * The tensors of a network by layer and role, from records that have been taken apart.
 *
 * @throws {RangeError | ShapeError} when one is missing or of another shape; the message names its path.
 */
export function layerTensors(
  caller: string,
  facts: readonly LayerFact[],
  params: readonly (readonly [string, Tensor])[],
  statistics: readonly (readonly [string, Tensor])[],
): LayerTensors {
  const tensors = new Map<string, Tensor>([...params, ...statistics]);
  const records = [
    ["params", new Map(params), "parameters"],
    ["statistics", new Map(statistics), "statistics"],
  ] as const;
  for (const { layer, ...fact } of facts) {
    for (const [record, given, kind] of records) {
      for (const { role, shape } of fact[kind]) {
        const path = `${layer.name}.${role}`;
        const found = given.get(path);
        const expected = `[${shape.join(", ")}]`;
        if (found === undefined) {
          throw new RangeError(`${caller}: ${record}: ${path}: expected a tensor ${expected}, got none`);
        }
        if (found.shape.join() !== shape.join()) {
          throw new ShapeError(
            `${caller}: ${record}: ${path}: expected ${expected}, got [${found.shape.join(", ")}]`,
          );
        }
      }
    }
  }
  return (layer, role) => tensors.get(`${layer}.${role}`)!;
}

/**
 * How each layer is computed for inference, on `[batch, h, w, channels]` and, after flattening, `[batch, units]`.
 * Every value is a tensor of its own, so that it can be disposed when nothing reads it any more.
 */
export function inferenceOps(tensors: LayerTensors): GraphOps<Tensor> {
  return {
    conv: ([x], call: LayerCall<ConvLayer>) => {
      const { name, bias = true } = call.layer;
      const y = convolve(x as Tensor4D, tensors(name, "kernel") as Tensor4D, call);
      return bias ? add(y, tensors(name, "bias")) : y;
    },
    dense: ([x], { layer: { name, bias = true } }: LayerCall<DenseLayer>) => {
      const y = matMul(x as Tensor2D, tensors(name, "kernel") as Tensor2D);
      return bias ? add(y, tensors(name, "bias")) : y;
    },
    pool: ([x], call) => poolWindows(x as Tensor4D, call),
    "adaptive-pool": ([x], call) => poolToSize(x as Tensor4D, call),
    "global-pool": ([x], { layer: { mode } }) =>
      mode === "max" ? max(x!, [1, 2], true) : mean(x!, [1, 2], true),
    pointwise: ([x], { layer }) => pointwise(x!, layer, tensors),
    add: ([x, ...rest]) => rest.reduce((sum, y) => add(sum, y), clone(x!)),
    multiply: ([x, ...rest]) => rest.reduce((product, y) => mul(product, y), clone(x!)),
    concat: (inputs) => concat([...inputs], -1),
    flatten: ([x]) => reshape(x!, [x!.shape[0]!, x!.size / x!.shape[0]!]),
    "transposed-conv": refused,
    resize: refused,
    pad: refused,
    merge: refused,
  };
}

/** Reading the facts of a graph has refused it before. */
function refused(_inputs: readonly Tensor[], { layer }: LayerCall): never {
  throw new Error(`the networks here have no layer of op ${layer.op}`);
}

function pointwise(x: Tensor, layer: PointwiseLayer, tensors: LayerTensors): Tensor {
  switch (layer.fn) {
    case "relu":
      return relu(x);
    case "relu6":
      return relu6(x);
    case "sigmoid":
      return sigmoid(x);
    case "batch-norm": {
      const { name, epsilon = defaultEpsilon } = layer;
      const of = (role: ParameterRole) => tensors(name, role) as Tensor1D;
      return batchNorm(x, of("mean"), of("variance"), of("offset"), of("scale"), epsilon);
    }
    case "lrn": {
      const { size = 5, alpha = 1e-4, beta = 0.75, k = 2 } = layer;
      return localResponseNormalization(x as Tensor4D, (size - 1) / 2, k, alpha, beta);
    }
    default:
      return clone(x); // dropout
  }
}

/** Of a batch norm that does not say. */
export const defaultEpsilon = 1e-5;
