import { dropoutMask, flattenParams, type Params, unflattenParams } from "@gradlab/core";
import {
  executePlan,
  type GraphOps,
  type Layer,
  type LayerGraph,
  type PointwiseLayer,
} from "@gradlab/receptive-field";
import { add, mul, type Tensor, type Tensor1D, type Tensor4D, tidy } from "@tensorflow/tfjs-core";
import { expectInteger } from "./expect-values.js";
import type { NetworkPlan } from "./layer-facts.js";
import { defaultEpsilon, inferenceOps, type LayerTensors, layerTensors } from "./layers/inference-ops.js";
import { networkPlans } from "./network-plans.js";
import { type NetworkState, recordsOf } from "./network-state.js";
import { batchNormTraining } from "./ops/batch-norm-training.js";

export interface ApplyTrainingOptions {
  /** Of the dropout masks, with the step and the name of the layer; an integer of at least 0, 0 unless given. */
  readonly seed?: number;
  /** Updates before this one; an integer of at least 0, 0 unless given. */
  readonly step?: number;
  /**
   * Names of batch norms that stay as they are, `scale` and `offset` not being trained: they use their running
   * statistics as in inference, and leave them alone. None unless given.
   */
  readonly frozen?: ReadonlySet<string>;
  /** Called with every layer's value in computation order: `[batch, h, w, channels]` or `[batch, units]`, borrowed. */
  readonly onLayer?: (name: string, value: Tensor) => void;
}

export interface TrainingPass {
  /** `[batch, classes]`. */
  readonly logits: Tensor;
  /** The running statistics after this batch, a record like the one given. */
  readonly statistics: Params;
}

/**
 * Computes a network for training: batch norms use the mean and variance of the batch, and dropout drops.
 *
 * The running statistics move as in PyTorch: `running ← (1 - momentum) · running + momentum · batch`, with the unbiased
 * variance of the batch there (and the biased one in the normalization), and momentum 0.1 where a layer says nothing.
 *
 * @param state As `initNetwork` makes it. Borrowed.
 * @param x Images, `[batch, height, width, channels]`, float32.
 * @returns Tensors that the caller disposes. The logits are differentiable by `x` and the parameters.
 * @throws {ShapeError} when `x` or a tensor of the state is of another shape than the graph says.
 * @throws {TypeError | RangeError} when the graph is impossible, a tensor missing, an option out of range, or a batch norm
 *   gets one value only; before anything is computed.
 * @see Ioffe, Szegedy 2015, "Batch Normalization", Algorithm 1, https://arxiv.org/abs/1502.03167
 * @see Srivastava et al. 2014, "Dropout", §4, https://jmlr.org/papers/v15/srivastava14a.html
 */
export function applyNetworkTraining(
  graph: LayerGraph,
  state: NetworkState,
  x: Tensor4D,
  options: ApplyTrainingOptions = {},
): TrainingPass {
  const { seed = 0, step = 0 } = options;
  expectInteger("applyNetworkTraining: seed", seed, 0);
  expectInteger("applyNetworkTraining: step", step, 0);
  return passOf("applyNetworkTraining", networkPlans("applyNetworkTraining", graph)(x), state, x, options);
}

/** What `applyNetworkTraining` does with options that are checked. */
export function passOf(
  caller: string,
  network: NetworkPlan,
  state: NetworkState,
  x: Tensor4D,
  { seed = 0, step = 0, frozen = new Set(), onLayer }: ApplyTrainingOptions,
): TrainingPass {
  const tensors = layerTensors(caller, network.facts, state);
  expectSeveralValues(network, x.shape[0], frozen);
  const entries = flattenParams(recordsOf(caller, state).statistics);
  const [logits, ...after] = tidy(() => {
    const moved = new Map<string, Tensor>();
    const inference = inferenceOps(tensors);
    // With every layer shown, a batch norm has a value of its own.
    const rectified: ReadonlyMap<string, string> = onLayer ? new Map() : reluOnTop(network, frozen);
    const rectifiers = new Set(rectified.values());
    const ops: GraphOps<Tensor> = {
      ...inference,
      pointwise: (inputs, call) => {
        const { layer } = call;
        const [input] = inputs as [Tensor];
        if (layer.fn === "dropout") {
          const { name, rate = 0.5 } = layer;
          return mul(
            input,
            dropoutMask(input.shape, rate, { seed, purpose: `dropout ${name}`, index: step }),
          );
        }
        if (layer.fn === "batch-norm" && !frozen.has(layer.name)) {
          const activation = rectified.has(layer.name) ? "relu" : "linear";
          return normalizeBatch(input, layer, activation, tensors, moved);
        }
        if (rectifiers.has(layer.name)) return input;
        return inference.pointwise(inputs, call);
      },
    };
    const result = executePlan<Tensor>(network.plan, x, ops, onLayer && { onLayer });
    // A statistic that no layer here moved stays what it is.
    return [result, ...entries.map(([path, tensor]) => moved.get(path) ?? tensor.clone())];
  }) as [Tensor, ...Tensor[]];
  return { logits, statistics: unflattenParams(entries.map(([path], i) => [path, after[i]!])) };
}

/** Batch norms, not frozen, that one layer alone reads, a ReLU: by name, with its name. */
function reluOnTop({ plan }: NetworkPlan, frozen: ReadonlySet<string>): Map<string, string> {
  const readers = plan.layers.map((): Layer[] => []);
  for (const { call, inputs } of plan.layers) for (const place of inputs) readers[place]?.push(call.layer);
  const found = new Map<string, string>();
  for (const [place, { call }] of plan.layers.entries()) {
    const [reader, ...others] = readers[place]!;
    if (!isPointwise(call.layer, "batch-norm") || frozen.has(call.layer.name) || others.length > 0) continue;
    if (reader !== undefined && isPointwise(reader, "relu")) found.set(call.layer.name, reader.name);
  }
  return found;
}

const isPointwise = (layer: Layer, fn: PointwiseLayer["fn"]) => layer.op === "pointwise" && layer.fn === fn;

/** One value has no variance: checked for all batch norms before any of them is computed. */
function expectSeveralValues({ facts, plan }: NetworkPlan, batch: number, frozen: ReadonlySet<string>): void {
  for (const [place, { layer, outputShape, statistics }] of facts.entries()) {
    const count = outputShape.slice(1).reduce((all, size) => all * size, batch);
    if (statistics.length === 0 || count > 1 || frozen.has(layer.name)) continue;
    const { where } = plan.layers[place]!.call;
    throw new RangeError(`${where}: expected more than one value per channel in a batch, got 1`);
  }
}

/** Batch norm by the batch's own statistics; the running ones after it go into `moved`. */
function normalizeBatch(
  x: Tensor,
  { name, epsilon = defaultEpsilon, momentum = 0.1 }: PointwiseLayer,
  activation: "linear" | "relu",
  tensors: LayerTensors,
  moved: Map<string, Tensor>,
): Tensor {
  const count = x.size / x.shape.at(-1)!;
  const { y, mean, variance } = batchNormTraining(
    x,
    tensors(name, "scale") as Tensor1D,
    tensors(name, "offset") as Tensor1D,
    { epsilon, activation },
  );
  const runs = (role: "mean" | "variance", value: Tensor) =>
    moved.set(
      `${name}.${role}`,
      add(mul(tensors(name, role), 1 - momentum), mul(value, momentum)) as Tensor1D,
    );
  runs("mean", mean);
  runs("variance", mul(variance, count / (count - 1)));
  return y;
}
