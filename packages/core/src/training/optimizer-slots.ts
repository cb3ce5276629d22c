import { type Optimizer, type Tensor, type Variable, variable } from "@tensorflow/tfjs-core";
import type { FullOptimizerConfig } from "./optimizer-config.js";

/**
 * What an optimizer remembers: `perTensor`, one value like each trained tensor and in their order, made at the first
 * update; and `scalars`, which it has from the beginning. Each under the name it has in a checkpoint, with the field of
 * tfjs-core's class that holds it. `getWeights` leaves some of them out: the powers of Adam's betas are computed
 * anew by `setWeights`, to other bits than in training, and Adamax has neither method.
 */
interface SlotFields {
  readonly perTensor: Readonly<Record<string, string>>;
  readonly scalars: Readonly<Record<string, string>>;
}

const SLOTS: { readonly [Name in FullOptimizerConfig["name"]]: SlotFields } = {
  sgd: { perTensor: {}, scalars: {} },
  momentum: { perTensor: { momentum: "accumulations" }, scalars: {} },
  adam: {
    perTensor: { firstMoment: "accumulatedFirstMoment", secondMoment: "accumulatedSecondMoment" },
    scalars: { beta1Power: "accBeta1", beta2Power: "accBeta2" },
  },
  adamax: {
    perTensor: { firstMoment: "accumulatedFirstMoment", infinityNorm: "accumulatedWeightedInfNorm" },
    scalars: { beta1Power: "accBeta1", iteration: "iteration" },
  },
  rmsprop: {
    perTensor: { meanSquare: "accumulatedMeanSquares", momentum: "accumulatedMoments" },
    scalars: {},
  },
  adagrad: { perTensor: { squares: "accumulatedGrads" }, scalars: {} },
  adadelta: { perTensor: { squares: "accumulatedGrads", updates: "accumulatedUpdates" }, scalars: {} },
};

export function slotFields(config: FullOptimizerConfig): SlotFields {
  const fields = SLOTS[config.name];
  return config.name === "rmsprop" && config.centered
    ? { ...fields, perTensor: { ...fields.perTensor, meanGradient: "accumulatedMeanGrads" } }
    : fields;
}

interface Slot {
  readonly originalName: string;
  readonly variable: Variable;
}

type Fields = Record<string, Slot[]> & Record<string, Variable>;

/** The slots by name; those of a tensor have its path behind a dot. The tensors belong to the optimizer. */
export function slotsOf(
  optimizer: Optimizer,
  config: FullOptimizerConfig,
  paths: readonly string[],
): [name: string, tensor: Tensor][] {
  const fields = optimizer as unknown as Fields;
  const { perTensor, scalars } = slotFields(config);
  return [
    ...Object.entries(scalars).map(([name, field]): [string, Tensor] => [name, fields[field] as Variable]),
    ...Object.entries(perTensor).flatMap(([name, field]) =>
      (fields[field] as Slot[]).map((slot, i): [string, Tensor] => [`${name}.${paths[i]}`, slot.variable]),
    ),
  ];
}

/** Puts back what `slotsOf` gave; the tensors stay the caller's. */
export function restoreSlots(
  optimizer: Optimizer,
  config: FullOptimizerConfig,
  paths: readonly string[],
  slots: ReadonlyMap<string, Tensor>,
): void {
  const fields = optimizer as unknown as Fields;
  const { perTensor, scalars } = slotFields(config);
  for (const [name, field] of Object.entries(scalars)) {
    (fields[field] as Variable).assign(slots.get(name)!);
  }
  for (const [name, field] of Object.entries(perTensor)) {
    fields[field] = paths
      .filter((path) => slots.has(`${name}.${path}`))
      .map((path) => ({
        originalName: `${name}.${path}`,
        variable: variable(slots.get(`${name}.${path}`)!, false),
      })) as Slot[] & Variable;
  }
}
