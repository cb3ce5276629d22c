import { flattenParams, ShapeError } from "@gradlab/core";
import type { ConvLayer, DenseLayer, GraphOps, LayerCall, PointwiseLayer } from "@gradlab/receptive-field";
import {
  add,
  batchNorm,
  clone,
  concat,
  localResponseNormalization,
  matMul,
  mul,
  relu,
  relu6,
  reshape,
  sigmoid,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor4D,
  tanh,
} from "@tensorflow/tfjs-core";
import type { LayerFact, ParameterRole } from "../layer-facts.js";
import { type NetworkState, recordsOf } from "../network-state.js";
import { convolve } from "./convolve.js";
import { poolToOne, poolToSize, poolWindows } from "./pool.js";

/** Gives a parameter or a running statistic of a layer. */
export type LayerTensors = (layer: string, role: ParameterRole) => Tensor;

/**
 * The tensors of a state by layer and role.
 *
 * @param caller The function that was called: it begins the messages.
 * @throws {RangeError | ShapeError} when one is missing or of another shape; the message names its path.
 */
export function layerTensors(caller: string, facts: readonly LayerFact[], state: NetworkState): LayerTensors {
  const { params, statistics } = recordsOf(caller, state);
  const records = [
    ["params", new Map(flattenParams(params)), "parameters"],
    ["statistics", new Map(flattenParams(statistics)), "statistics"],
  ] as const;
  const tensors = new Map<string, Tensor>();
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
        tensors.set(path, found);
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
    "global-pool": ([x], { layer: { mode } }) => poolToOne(x as Tensor4D, mode),
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
    case "tanh":
      return tanh(x);
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
