import { fillUniform, randomStream } from "@gradlab/random";
import { type Tensor, tensor, util } from "@tensorflow/tfjs-core";

/**
 * What dropout multiplies by: 0 with probability `rate`, else `1 / (1 - rate)`.
 *
 * The numbers are those of the stream of seed, layer and step, made on the CPU: the same on every backend, and for an
 * image at the same place in a batch of any size.
 *
 * @param rate In [0, 1).
 */
export function dropoutMask(
  shape: readonly number[],
  rate: number,
  key: { readonly seed: number; readonly step: number; readonly layer: string },
): Tensor {
  const stream = randomStream({ seed: key.seed, purpose: `dropout ${key.layer}`, index: key.step });
  const values = fillUniform(stream, new Float32Array(util.sizeFromShape([...shape])), 0, 1);
  const kept = 1 / (1 - rate);
  for (let i = 0; i < values.length; i++) values[i] = values[i]! < rate ? 0 : kept;
  return tensor(values, [...shape]);
}
