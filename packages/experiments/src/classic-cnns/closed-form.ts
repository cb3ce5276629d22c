import { type LayerFact, layerFacts, type NetworkState, type ParameterRole } from "@gradlab/classic-cnns";
import { unflattenParams } from "@gradlab/core";
import type { LayerGraph } from "@gradlab/receptive-field";
import { type Tensor, type Tensor4D, tensor, tensor4d } from "@tensorflow/tfjs-core";

/*
 * Weights and images that every program can make, so that results of PyTorch can be compared to all digits: element i
 * of tensor t is a hash of both. Tensors are counted in the order of PyTorch's state_dict (without
 * `num_batches_tracked`), elements in its layout.
 */

/** Number i of stream t, in [-1, 1): 24 bits of the finalizer of MurmurHash3. */
function closedFormUnit(i: number, t: number): number {
  let h = (Math.imul(i, 2654435761) + Math.imul(t, 0x9e3779b1)) | 0;
  h ^= h >>> 15;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  h ^= h >>> 16;
  return (h >>> 8) / 2 ** 23 - 1;
}

/** The state of a network; the caller disposes it. */
export function closedFormWeights(graph: LayerGraph): NetworkState {
  const entries = { parameters: [] as [string, Tensor][], statistics: [] as [string, Tensor][] };
  let t = 0;
  for (const fact of layerFacts(graph)) {
    for (const kind of ["parameters", "statistics"] as const) {
      for (const { role, shape } of fact[kind]) {
        const [center, spread] = range(role, shape);
        const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
        const indexOf = torchIndex(fact, shape);
        for (let i = 0; i < values.length; i++) values[i] = center + spread * closedFormUnit(indexOf(i), t);
        entries[kind].push([`${fact.layer.name}.${role}`, tensor(values, [...shape])]);
        t++;
      }
    }
  }
  return { params: unflattenParams(entries.parameters), statistics: unflattenParams(entries.statistics) };
}

/** Where the numbers of a role lie, `center ± spread`; kernels with the standard deviation of He. */
function range(role: ParameterRole, shape: readonly number[]): [center: number, spread: number] {
  if (role === "scale") return [1, 0.2];
  if (role === "variance") return [1.25, 0.75];
  if (role !== "kernel") return [0, 0.1];
  return [0, Math.sqrt(6 / shape.slice(0, -1).reduce((a, b) => a * b, 1))];
}

/** The index in PyTorch's layout of each element of a parameter here. */
function torchIndex({ flattened }: LayerFact, shape: readonly number[]): (i: number) => number {
  if (shape.length === 1) return (i) => i;
  // Here [height, width, in, out], or [in, out] with maps as height, width, channels; there [out, in, height, width],
  // or [out, in] with maps as channels, height, width.
  const outs = shape.at(-1)!;
  const [channels, area] =
    shape.length === 4
      ? [shape[2]!, shape[0]! * shape[1]!]
      : flattened === undefined
        ? [shape[0]!, 1]
        : [flattened[0], flattened[1] * flattened[2]];
  return (i) => {
    const out = i % outs;
    const input = (i - out) / outs;
    const channel = input % channels;
    return (out * channels + channel) * area + (input - channel) / channels;
  };
}

/** Streams that no network has as many tensors for: of images, and of images that belong to classes. */
const streams = { images: 100_000, patterns: 100_001, noise: 100_002 };

/** Images in [-1, 1); there `[batch, channels, height, width]`. */
export function closedFormImages(batch: number, [height, width]: readonly [number, number]): Tensor4D {
  const channels = 3;
  const values = new Float32Array(batch * height * width * channels);
  let at = 0;
  for (let b = 0; b < batch; b++) {
    for (let place = 0; place < height * width; place++) {
      for (let c = 0; c < channels; c++) {
        values[at++] = closedFormUnit((b * channels + c) * height * width + place, streams.images);
      }
    }
  }
  return tensor4d(values, [batch, height, width, channels]);
}

/** Grey images of 28 × 28 pixels in 10 classes, in [0, 1): half noise, half a pattern of the class. */
export function closedFormClasses(count: number): { pixels: Float32Array; labels: Int32Array } {
  const labels = Int32Array.from({ length: count }, (_, i) => (i * 7) % 10);
  const pixels = Float32Array.from({ length: count * 784 }, (_, i) => {
    const pattern = closedFormUnit(labels[Math.floor(i / 784)]! * 784 + (i % 784), streams.patterns);
    return (closedFormUnit(i, streams.noise) + pattern + 2) / 4;
  });
  return { pixels, labels };
}
