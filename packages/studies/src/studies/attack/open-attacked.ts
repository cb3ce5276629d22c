import type { InputFiles } from "../../declaration/option.js";
import { attackedModel } from "./attacked-model.js";
import { type AttackedNetwork, type AttackedOptions, attackedNetwork } from "./attacked-network.js";

/** The network that weights or a model of tfjs are, ready to be attacked. */
export function openAttacked(
  { weights, model }: { readonly weights?: InputFiles; readonly model?: InputFiles },
  chosen: AttackedOptions & { readonly output?: string },
): Promise<AttackedNetwork> {
  return model === undefined ? attackedNetwork(weights!, chosen) : attackedModel(model, chosen);
}
