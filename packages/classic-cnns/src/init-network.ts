import {
  heNormal,
  heUniform,
  torchUniform,
  unflattenParams,
  xavierNormal,
  xavierUniform,
} from "@gradlab/core";
import type { LayerGraph } from "@gradlab/receptive-field";
import { ones, type Tensor, zeros } from "@tensorflow/tfjs-core";
import { expectInteger, expectOneOf } from "./expect-values.js";
import { type ParameterFact, type ParameterRole, planNetwork } from "./layer-facts.js";
import { layerTensors } from "./layers/inference-ops.js";
import type { NetworkState } from "./network-state.js";

/** How kernels are drawn, see the functions of these names in `@gradlab/core`. */
export type InitScheme = "xavier-uniform" | "xavier-normal" | "he-uniform" | "he-normal" | "torch";

export interface InitNetworkOptions {
  /** An integer of at least 0; 0 is a seed. */
  readonly seed?: number;
  /** Default `"xavier-uniform"`. */
  readonly scheme?: InitScheme;
  /**
   * A state to begin with, such as pretrained weights: copies of its tensors are taken in the place of drawn ones, but
   * for the layers of `fresh`. Borrowed; what this network has no use for stays out.
   */
  readonly from?: NetworkState;
  /** Names of the layers that are drawn although there is a `from`: another head. None unless given. */
  readonly fresh?: readonly string[];
}

type Initialize = (
  shape: readonly number[],
  key: { seed: number; purpose: string; fanIn: number; fanOut: number },
) => Tensor;

const schemes: Readonly<Record<InitScheme, Initialize>> = {
  "xavier-uniform": xavierUniform,
  "xavier-normal": xavierNormal,
  "he-uniform": heUniform,
  "he-normal": heNormal,
  torch: (shape, { seed, purpose, fanIn }) => torchUniform(shape, { seed, purpose, fanIn }),
};

/**
 * A network before any training: `params` with the paths `<layer>.kernel`, `<layer>.bias`, and for batch norm
 * `<layer>.scale` (ones) and `<layer>.offset` (zeros), and `statistics` with `<layer>.mean` (zeros) and
 * `<layer>.variance` (ones) of each batch norm, `{}` where there is none. A dot in the name of a layer is a level of the
 * record.
 *
 * A convolution's kernel is `[height, width, in / groups, filters]`, a dense one `[in, out]`, where the inputs of a
 * flattened map are in the order height, width, channels. The numbers of a parameter depend on the seed, its path and
 * its shape alone. Biases are 0, except in the scheme `"torch"`: U(-a, a) with `a = 1 / √fanIn`, kernels too.
 *
 * For a network of five classes on the weights of one of a thousand,
 * `initNetwork(net, { from: weights, fresh: [headOf(net)] })`.
 *
 * @returns float32 tensors; the caller disposes them.
 * @throws {TypeError | RangeError} when the graph is impossible, an option out of range, or a tensor of `from` missing.
 * @throws {ShapeError} when a tensor of `from` is of another shape than the graph says.
 */
export function initNetwork(graph: LayerGraph, options: InitNetworkOptions = {}): NetworkState {
  const { seed = 0, scheme = "xavier-uniform", from, fresh = [] } = options;
  expectOneOf("initNetwork: scheme", scheme, Object.keys(schemes));
  expectInteger("initNetwork: seed", seed, 0);
  const { facts } = planNetwork("initNetwork", graph);
  const drawn = new Set(fresh);
  for (const name of drawn) {
    if (facts.some(({ layer }) => layer.name === name)) continue;
    throw new RangeError(
      `initNetwork: fresh: expected names of layers of the graph, got ${JSON.stringify(name)}`,
    );
  }
  const given =
    from === undefined
      ? null
      : layerTensors(
          "initNetwork: from",
          facts.filter(({ layer }) => !drawn.has(layer.name)),
          from,
        );
  const take = (layer: string, role: ParameterRole, make: () => Tensor) =>
    [`${layer}.${role}`, given === null || drawn.has(layer) ? make() : given(layer, role).clone()] as const;
  const params = facts.flatMap(({ layer: { name }, parameters }) =>
    parameters.map((parameter) =>
      take(name, parameter.role, () => {
        return initial(parameter, parameters[0]!.shape, seed, `${name}.${parameter.role}`, scheme);
      }),
    ),
  );
  const statistics = facts.flatMap(({ layer: { name }, statistics }) =>
    statistics.map(({ role, shape }) =>
      take(name, role, () => (role === "mean" ? zeros([...shape]) : ones([...shape]))),
    ),
  );
  return { params: unflattenParams(params), statistics: unflattenParams(statistics) };
}

function initial(
  { role, shape }: ParameterFact,
  kernel: readonly number[],
  seed: number,
  purpose: string,
  scheme: InitScheme,
): Tensor {
  if (role === "scale") return ones([...shape]);
  if (role === "offset" || (role === "bias" && scheme !== "torch")) return zeros([...shape]);
  const window = kernel.slice(0, -2).reduce((a, b) => a * b, 1);
  const fanIn = window * kernel.at(-2)!;
  // All filters, as PyTorch counts, although an input of a grouped convolution reaches those of its group only.
  const fanOut = window * kernel.at(-1)!;
  return schemes[scheme](shape, { seed, purpose, fanIn, fanOut });
}
