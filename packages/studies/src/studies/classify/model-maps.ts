import { type ActivationMap, histogram } from "@gradlab/classic-cnns";
import { dispose, type Tensor, type Tensor4D } from "@tensorflow/tfjs-core";
import type { Steps } from "../../networks/tfjs-model.js";
import type { LayerMaps, LayerRange } from "./layer-maps.js";

/** What is looked at of a model at most, and in one pass: what the layers of a pass make is held at once. */
const most = { steps: 256, inOnePass: 32 };

/** More than these are not drawn: channels of a map, and units of a layer without places. */
const drawn = { channels: 16, units: 64 };

/**
 * What every layer or node of a model of tfjs makes of one image, as far as that has units or places: lists of numbers
 * and other such nodes of a graph are passed over. Of more than 256 layers as many are looked at, evenly.
 *
 * @param x A batch of one. Borrowed.
 */
export async function modelMaps({ list, outputs }: Steps, x: Tensor4D): Promise<LayerMaps> {
  const all = list();
  const steps =
    all.length <= most.steps
      ? all
      : Array.from(
          { length: most.steps },
          (_, i) => all[Math.round((i * (all.length - 1)) / (most.steps - 1))]!,
        );
  const layers: LayerRange[] = [];
  const maps: ActivationMap[] = [];
  for (let from = 0; from < steps.length; from += most.inOnePass) {
    const some = steps.slice(from, from + most.inOnePass);
    const tensors = await outputs(
      x,
      some.map(({ name }) => name),
    );
    try {
      for (const [i, { name, op }] of some.entries()) {
        const tensor = tensors[i]!;
        const shape = shapeOfOne(tensor);
        if (shape === null) continue;
        const values = (await tensor.data()) as Float32Array;
        const { min, max, mean, zeros, count } = histogram(values, 1);
        layers.push({ layer: name, op, shape, least: min, most: max, mean, zeros: zeros / count });
        maps.push(mapOf(name, shape, values));
      }
    } finally {
      dispose(tensors);
    }
  }
  return { layers, maps, passedOver: all.length - steps.length };
}

/** `[channels, height, width]` or `[units]` of a batch of one, or of what has no batch; null for anything else. */
function shapeOfOne({ shape, dtype, size }: Tensor): number[] | null {
  if (dtype !== "float32" || size === 0) return null;
  if (shape.length === 1) return [...shape];
  const [batch, ...own] = shape;
  if (batch !== 1) return null;
  const [height, width, channels = 1] = own;
  if (own.length === 1) return own;
  return own.length === 2 || own.length === 3 ? [channels, height!, width!] : null;
}

/** The first channels of what stands channels last. */
function mapOf(layer: string, shape: readonly number[], values: Float32Array): ActivationMap {
  const [channels, height = 1, width = 1] = shape as [number, number?, number?];
  const area = height * width;
  const shown = Math.min(channels, area === 1 ? drawn.units : drawn.channels);
  const map = new Float32Array(shown * area);
  for (let channel = 0; channel < shown; channel++) {
    for (let at = 0; at < area; at++) map[channel * area + at] = values[at * channels + channel]!;
  }
  return { layer, image: 0, shape: [shown, height, width], values: map };
}
