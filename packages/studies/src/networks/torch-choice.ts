import type { ReadWeightsOptions } from "@gradlab/classic-cnns/weights";
import type { OptionsOf } from "../declaration/option.js";
import { StudyError } from "../declaration/study-error.js";

/** Which weights of a file of PyTorch are meant. */
export const torchOptions = {
  key: {
    kind: "text",
    placeholder: "<name>",
    help: "the entry of a .pth that holds the weights, where its name is not a usual one; dots lead on: state.net",
  },
  ema: { kind: "flag", help: "the averaged weights of a .pth: its entry ema, model_ema, state_dict_ema, …" },
  stripPrefix: {
    kind: "text",
    placeholder: "<begin>",
    help: "take this away from the names of the tensors, and only those that have it: backbone.",
  },
} as const;

export type TorchChoice = OptionsOf<typeof torchOptions>;

/** The same as `readWeights` takes it. */
export function torchChoice({ key, ema, stripPrefix }: TorchChoice): ReadWeightsOptions {
  return {
    ...(key !== undefined && { key }),
    ...(ema && { ema }),
    ...(stripPrefix !== undefined && { stripPrefix }),
  };
}

/** @param other What the weights are of, if not of a file of PyTorch. */
export function refuseTorchChoice({ key, ema, stripPrefix }: TorchChoice, other: string): void {
  for (const [option, value] of Object.entries({ key, ema: ema || undefined, stripPrefix })) {
    if (value === undefined) continue;
    throw new StudyError(
      "usage",
      `{${option}}: expected beside {weights} of PyTorch, got it beside ${other}`,
    );
  }
}
