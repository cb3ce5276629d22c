import {
  fillNormal,
  fillUniform,
  type RandomStream,
  randomStream,
  type StreamOptions,
} from "@gradlab/random";
import { type Tensor, tensor, util } from "@tensorflow/tfjs-core";
import { expectInteger } from "../expect-values.js";

/**
 * What the numbers of an initializer are drawn from: its stream of random numbers. With the path of the parameter as
 * `purpose` (`"layers.0.kernel"`) each parameter has numbers of its own, the same on every backend and whatever
 * other parameters the model has. Seed 0 is a seed.
 */
export type InitKey = StreamOptions;

/** Single-precision numbers of the uniform distribution on [-bound, bound); all 0 where the bound is. */
export function uniformWithin(shape: readonly number[], key: InitKey, bound: number): Tensor {
  return make(shape, key, (stream, values) =>
    bound === 0 ? values : fillUniform(stream, values, -bound, bound),
  );
}

/** Single-precision numbers of the normal distribution. */
export function normalAround(shape: readonly number[], key: InitKey, mean: number, std: number): Tensor {
  return make(shape, key, (stream, values) => fillNormal(stream, values, mean, std));
}

/** A tensor of what `fill` draws. */
export function make(
  shape: readonly number[],
  { seed, purpose, index = 0, position = 0 }: InitKey,
  fill: (stream: RandomStream, values: Float32Array) => Float32Array,
): Tensor {
  const stream = randomStream({ seed, purpose, index, position });
  return tensor(fill(stream, new Float32Array(util.sizeFromShape([...shape]))), [...shape], "float32");
}

export function expectSizes(where: string, shape: readonly number[]): void {
  for (const [axis, size] of shape.entries()) expectInteger(`${where}: shape[${axis}]`, size, 0);
}
