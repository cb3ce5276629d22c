import { unflattenParams } from "@gradlab/core";
import type { LayerGraph } from "@gradlab/receptive-field";
import { type Tensor, type Tensor4D, tensor, tensor4d } from "@tensorflow/tfjs-core";
import { type LayerFact, layerFacts, type NetworkState, type ParameterRole } from "../src/index.js";

/*
 * Weights and images that need no file: element i of tensor t is a hash of both, the same here and in
 * `scripts/golden/closed_form_weights.py`. Tensors are counted in the order of PyTorch's state_dict without
 * `num_batches_tracked`; i is the index of an element in PyTorch's layout.
 */

/** Number i of stream t, in [-1, 1): 24 bits of the finalizer of MurmurHash3. */
export function closedFormUnit(i: number, t: number): number {
  let h = (Math.imul(i, 2654435761) + Math.imul(t, 0x9e3779b1)) | 0;
  h ^= h >>> 15;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  h ^= h >>> 16;
  return (h >>> 8) / 2 ** 23 - 1;
}

/** Where the numbers of a role lie: `center ± spread`. */
function range(role: ParameterRole, shape: readonly number[]): [center: number, spread: number] {
  if (role === "scale") return [1, 0.2];
  if (role === "variance") return [1.25, 0.75];
  if (role !== "kernel") return [0, 0.1];
  // He's standard deviation; shape is [.., in, out].
  return [0, Math.sqrt(6 / shape.slice(0, -1).reduce((a, b) => a * b, 1))];
}

/** For each element of a parameter here, the index of the same element in PyTorch. */
export function torchIndex({ flattened }: LayerFact, shape: readonly number[]): (i: number) => number {
  if (shape.length === 4) {
    const [kh, kw, inputs, filters] = shape as [number, number, number, number]; // there [filters, inputs, kh, kw]
    const window = kh * kw;
    return (i) => {
      const filter = i % filters;
      const rest = (i - filter) / filters;
      const input = rest % inputs;
      return (filter * inputs + input) * window + (rest - input) / inputs;
    };
  }
  if (shape.length === 2) {
    const [inputs, units] = shape as [number, number]; // there [units, inputs], with maps as channels, height, width
    const [channels, height, width] = flattened ?? [inputs, 1, 1];
    const area = height * width;
    return (i) => {
      const unit = i % units;
      const input = (i - unit) / units;
      const channel = input % channels;
      return unit * inputs + channel * area + (input - channel) / channels;
    };
  }
  return (i) => i;
}

/** The state of a network, in closed form. */
export function closedFormWeights(graph: LayerGraph): NetworkState {
  const entries = { parameters: [] as [string, Tensor][], statistics: [] as [string, Tensor][] };
  let t = 0;
  for (const fact of layerFacts(graph)) {
    for (const kind of ["parameters", "statistics"] as const) {
      for (const { role, shape } of fact[kind]) {
        const [center, spread] = range(role, shape);
        const indexOf = torchIndex(fact, shape);
        const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
        for (let i = 0; i < values.length; i++) {
          values[i] = center + spread * closedFormUnit(indexOf(i), t);
        }
        entries[kind].push([`${fact.layer.name}.${role}`, tensor(values, [...shape])]);
        t++;
      }
    }
  }
  return { params: unflattenParams(entries.parameters), statistics: unflattenParams(entries.statistics) };
}

/** The stream of the images; no network has as many tensors. */
const imageStream = 100_000;

/** Images in [-1, 1), `[batch, height, width, channels]`; in PyTorch `[batch, channels, height, width]`. */
export function closedFormImages(batch: number, height: number, width: number, channels: number): Tensor4D {
  const values = new Float32Array(batch * height * width * channels);
  let at = 0;
  for (let b = 0; b < batch; b++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        for (let c = 0; c < channels; c++) {
          values[at++] = closedFormUnit(((b * channels + c) * height + y) * width + x, imageStream);
        }
      }
    }
  }
  return tensor4d(values, [batch, height, width, channels]);
}
