import { type ActivationMap, inspectNetwork, type NetworkState } from "@gradlab/classic-cnns";
import type { LayerGraph } from "@gradlab/receptive-field";
import type { Tensor4D } from "@tensorflow/tfjs-core";

/** What every layer makes of one image. */
export interface LayerMaps {
  readonly layers: readonly LayerRange[];
  /** Maps of the layers in the same order, as many channels as can be shown. */
  readonly maps: readonly ActivationMap[];
  /** How many layers were not looked at, of a model that has very many. */
  readonly passedOver: number;
}

/** How far the numbers that a layer gives out reach. */
export interface LayerRange {
  readonly layer: string;
  readonly op: string;
  /** Of one image: `[channels, height, width]` or `[units]`. */
  readonly shape: readonly number[];
  /** Null where no number is finite; so are `most` and `mean`. */
  readonly least: number | null;
  readonly most: number | null;
  readonly mean: number | null;
  /** The share of numbers that are exactly 0. */
  readonly zeros: number;
}

/** More than this are not drawn of any layer. */
const mostChannels = 64;

/** @param x A batch of one. Borrowed. */
export async function layerMaps(graph: LayerGraph, state: NetworkState, x: Tensor4D): Promise<LayerMaps> {
  const { activations, maps } = await inspectNetwork(graph, state, x, {
    mapLayers: graph.layers.map(({ name }) => name),
    mapChannels: mostChannels,
    bins: 1,
  });
  const layers = activations.map(({ layer, op, fn, shape, histogram }): LayerRange => {
    const { min, max, mean, zeros, count } = histogram;
    return { layer, op: fn ?? op, shape, least: min, most: max, mean, zeros: zeros / count };
  });
  return { layers, maps, passedOver: 0 };
}
