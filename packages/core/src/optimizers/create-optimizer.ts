import { fill, type Tensor, tidy } from "@tensorflow/tfjs-core";
import { expectShape } from "../expect-shape.js";
import { expectAtLeast0, expectInteger } from "../expect-values.js";
import { mapParams } from "../params/map-params.js";
import { entriesOf, type ParamsOf } from "../params/params.js";
import { moveTensor } from "./move-tensor.js";
import { type FullOptimizerConfig, fullConfig, type OptimizerConfig } from "./optimizer-config.js";
import { ruleOf } from "./rule-of.js";

/** What an optimizer remembers: for each slot a record like the parameters. */
export type Slots<P> = Readonly<Record<string, P>>;

export interface UpdateOptions {
  /** Which update it is, from 1: what corrects the bias of Adam's and Adamax's moments. */
  readonly count: number;
  /** The rate of this update; the configuration's unless given. */
  readonly learningRate?: number;
}

/** An optimizer: two pure functions over records. */
export interface Optimizer {
  /** The configuration with all defaults. */
  readonly config: FullOptimizerConfig;
  /** The memory before the first update; the caller disposes it. */
  readonly slots: <P extends ParamsOf<P>>(params: P) => Slots<P>;
  /**
   * The parameters and the memory after one update, new tensors that the caller disposes; nothing that is given changes.
   *
   * @throws {ShapeError | RangeError | TypeError} when gradients or slots do not line up with the parameters, or an
   *   option is out of range.
   */
  readonly update: <P extends ParamsOf<P>>(
    given: { readonly params: P; readonly gradients: P; readonly slots: Slots<P> },
    options: UpdateOptions,
  ) => { readonly params: P; readonly slots: Slots<P> };
}

/**
 * An optimizer that needs no `train`: `slots(params)` before, then `update({params, gradients, slots}, {count})` for
 * each step. `train` applies the same formulas.
 *
 * @param config As plain data: a name, a learning rate, and options whose defaults are PyTorch's.
 * @throws {TypeError | RangeError} when `config` is not as stated.
 */
export function createOptimizer(config: OptimizerConfig): Optimizer {
  const full = fullConfig("createOptimizer", config);
  const rule = ruleOf(full);
  const names = Object.keys(rule.slots);
  return {
    config: full,
    slots: (params) =>
      Object.fromEntries(
        Object.entries(rule.slots).map(([slot, value]) => [
          slot,
          mapParams(params, ({ shape }) => fill(shape, value)),
        ]),
      ),
    update: ({ params, gradients, slots }, { count, learningRate = full.learningRate }) => {
      expectInteger("update: count", count, 1);
      expectAtLeast0("update: learningRate", learningRate);
      const gradientAt = like("update: gradients", gradients, params);
      const slotsAt = names.map(
        (slot) => [slot, like(`update: slots: ${slot}`, slots[slot], params)] as const,
      );
      const decay = full.name === "adamw" ? full.weightDecay : 0;
      const moved = Object.fromEntries(names.map((slot) => [slot, new Map<string, Tensor>()]));
      const values = mapParams(
        params,
        (value, path) =>
          tidy(() => {
            const own = Object.fromEntries(slotsAt.map(([slot, at]) => [slot, at.get(path)!]));
            const next = moveTensor(rule, value, gradientAt.get(path)!, own, {
              ...{ learningRate, count, decay },
              ...{ scale: 1, maxValue: Number.POSITIVE_INFINITY },
            });
            for (const slot of names) moved[slot]!.set(path, next.slots[slot]!);
            return [next.value, ...names.map((slot) => next.slots[slot]!)];
          })[0]!,
      );
      return {
        params: values,
        slots: Object.fromEntries(
          names.map((slot) => [slot, mapParams(params, (_, path) => moved[slot]!.get(path)!)]),
        ),
      };
    },
  };
}

/** The tensors of a record by their paths, which must be those of the parameters, of the same shapes. */
function like(where: string, record: unknown, params: unknown): Map<string, Tensor> {
  const found = new Map(entriesOf(where, record));
  for (const [path, { shape }] of entriesOf("update: params", params)) {
    const tensor = found.get(path);
    if (tensor === undefined) {
      throw new RangeError(`${where}: ${path}: expected a tensor [${shape.join(", ")}], got none`);
    }
    expectShape(`${where}: ${path}`, tensor, shape);
  }
  return found;
}
