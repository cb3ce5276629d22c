import { crossEntropy, flattenParams, mapParams, type Params, ShapeError } from "@gradlab/core";
import type { LayerGraph, LayerOp } from "@gradlab/receptive-field";
import {
  dispose,
  keep,
  type Tensor,
  type Tensor1D,
  type Tensor4D,
  tidy,
  type Variable,
  variable,
  variableGrads,
} from "@tensorflow/tfjs-core";
import { infer } from "../apply-network.js";
import { passOf } from "../apply-network-training.js";
import { expectOneOf } from "../expect-values.js";
import type { NetworkPlan } from "../layer-facts.js";
import { layerTensors } from "../layers/inference-ops.js";
import { classesOf, networkPlans } from "../network-plans.js";
import { type NetworkState, recordsOf } from "../network-state.js";
import { type ActivationMap, type MapOptions, mapOf, wantedMaps } from "./activation-map.js";
import { expectBins, type Histogram, histogram } from "./histogram.js";

export interface InspectOptions extends MapOptions {
  /** `[batch]`, int32: with them the loss and its gradients are looked at too (NaN where one is out of range). Borrowed. */
  readonly labels?: Tensor1D;
  /** Look at the network as it is for inference (the default), or in training: batch statistics, dropout of seed 0 and step 0. */
  readonly mode?: "inference" | "training";
  /** Bins of each histogram, 1 to 4096; 32 unless given. */
  readonly bins?: number;
}

/** What a layer gives out, over all images. */
export interface LayerActivations {
  readonly layer: string;
  readonly op: LayerOp;
  /** Of a pointwise layer: what it computes. */
  readonly fn?: string;
  /** Of one image: `[channels, height, width]` or `[units]`. */
  readonly shape: readonly number[];
  readonly histogram: Histogram;
  /** Of a ReLU: the channels (or units) that are positive nowhere, on none of the images. */
  readonly dead?: readonly number[];
}

/** Of a parameter, or of its gradient. */
export interface ParameterHistogram {
  readonly path: string;
  readonly shape: readonly number[];
  readonly histogram: Histogram;
}

/** A network looked into, as plain data. */
export interface NetworkInspection {
  readonly images: number;
  /** Mean cross-entropy, in nats; null without labels. */
  readonly loss: number | null;
  /** In computation order. */
  readonly activations: readonly LayerActivations[];
  /** By path. */
  readonly weights: readonly ParameterHistogram[];
  /** Of the loss; empty without labels. */
  readonly gradients: readonly ParameterHistogram[];
  readonly maps: readonly ActivationMap[];
}

/**
 * Looks into a network while it looks at images: how activations, weights and gradients are distributed, which ReLUs
 * are dead, and what chosen layers make of chosen images.
 *
 * All activations are held at once, as in a step of training. Nothing is read synchronously.
 *
 * @param state As `initNetwork` makes it, or of a training. Borrowed.
 * @param x Images, `[batch, height, width, channels]`, float32. Borrowed.
 * @throws {TypeError | RangeError} when an option is out of range, or names a layer or an image that is not there.
 * @throws {ShapeError} when images, labels or parameters do not fit the graph.
 */
export async function inspectNetwork(
  graph: LayerGraph,
  state: NetworkState,
  x: Tensor4D,
  options: InspectOptions = {},
): Promise<NetworkInspection> {
  const { bins = 32, labels, mode = "inference" } = options;
  expectBins("inspectNetwork", bins);
  const plan = networkPlans("inspectNetwork", graph)(x);
  const { facts } = plan;
  const wanted = wantedMaps("inspectNetwork", facts, x.shape[0], options);
  expectOneOf("inspectNetwork: mode", mode, ["inference", "training"]);
  if (labels !== undefined && (labels.rank !== 1 || labels.shape[0] !== x.shape[0])) {
    throw new ShapeError(
      `inspectNetwork: labels: expected [${x.shape[0]}], got [${labels.shape.join(", ")}]`,
    );
  }
  if (labels !== undefined && labels.dtype !== "int32") {
    throw new TypeError(`inspectNetwork: labels: expected int32, got ${labels.dtype}`);
  }
  if (labels !== undefined) classesOf("inspectNetwork", plan, x); // the loss is one of logits
  const records = recordsOf("inspectNetwork", state);
  const held: Tensor[] = [];
  try {
    const layers = new Map<string, Tensor>();
    const see = (name: string, value: Tensor) => {
      const kept = keep(value.clone());
      held.push(kept);
      layers.set(name, kept);
    };
    const { loss, gradients } = run(plan, records, x, options, see, held);
    const activations: LayerActivations[] = [];
    const maps: ActivationMap[] = [];
    for (const fact of facts) {
      const { layer, outputShape } = fact;
      const values = (await layers.get(layer.name)!.data()) as Float32Array;
      const rectifies = layer.op === "pointwise" && (layer.fn === "relu" || layer.fn === "relu6");
      activations.push({
        layer: layer.name,
        op: layer.op,
        ...(layer.op === "pointwise" && layer.fn !== undefined && { fn: layer.fn }),
        shape: outputShape,
        histogram: histogram(values, bins),
        ...(rectifies && { dead: neverPositive(values, outputShape[0]!) }),
      });
      if (wanted.layers.has(layer.name)) {
        for (const image of wanted.images) maps.push(mapOf(fact, values, image, wanted.channels));
      }
    }
    const weights = await histograms(flattenParams(records.params), bins);
    return {
      images: x.shape[0],
      loss: loss === null ? null : (await loss.data())[0]!,
      activations,
      weights,
      gradients: await histograms(gradients, bins),
      maps,
    };
  } finally {
    dispose(held);
  }
}

/** Computes the network once, with gradients where there are labels; what it makes is put into `held`. */
function run(
  plan: NetworkPlan,
  { params, statistics }: NetworkState,
  x: Tensor4D,
  { labels, mode = "inference" }: InspectOptions,
  see: (name: string, value: Tensor) => void,
  held: Tensor[],
): { loss: Tensor | null; gradients: [string, Tensor][] } {
  const caller = "inspectNetwork";
  const logitsOf = (weights: Params) => {
    const state = { params: weights, statistics };
    return mode === "training"
      ? passOf(caller, plan, state, x, { onLayer: see }).logits
      : infer(plan, layerTensors(caller, plan.facts, state), x, see);
  };
  if (labels === undefined) {
    tidy(() => {
      logitsOf(params);
    });
    return { loss: null, gradients: [] };
  }
  const variables = mapParams(params, (tensor) => {
    const one = variable(tensor);
    held.push(one);
    return one;
  });
  const entries = flattenParams(variables) as [string, Variable][];
  const { value, grads } = tidy(() =>
    variableGrads(
      () => crossEntropy(logitsOf(variables), labels),
      entries.map(([, one]) => one),
    ),
  );
  held.push(value, ...Object.values(grads));
  const gradients = entries.flatMap(([path, { name }]): [string, Tensor][] => {
    const gradient = grads[name];
    return gradient === undefined ? [] : [[path, gradient]];
  });
  return { loss: value, gradients };
}

async function histograms(
  entries: readonly (readonly [string, Tensor])[],
  bins: number,
): Promise<ParameterHistogram[]> {
  const found: ParameterHistogram[] = [];
  for (const [path, tensor] of entries) {
    const { shape } = tensor;
    found.push({ path, shape, histogram: histogram((await tensor.data()) as Float32Array, bins) });
  }
  return found;
}

/** The channels that are positive nowhere; channels are last in `values`. */
function neverPositive(values: Float32Array, channels: number): number[] {
  const alive = new Uint8Array(channels);
  for (let i = 0; i < values.length; i++) if (values[i]! > 0) alive[i % channels] = 1;
  return Array.from(alive.keys()).filter((channel) => alive[channel] === 0);
}
