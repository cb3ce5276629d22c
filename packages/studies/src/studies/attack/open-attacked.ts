import type { InputFiles } from "../../declaration/option.js";
import type { AttackedNetwork, AttackedOptions } from "./attacked-network.js";

/** The network that weights or a model of tfjs are, ready to be attacked. */
export async function openAttacked(
  { weights, model }: { readonly weights?: InputFiles; readonly model?: InputFiles },
  chosen: AttackedOptions & { readonly output?: string },
): Promise<AttackedNetwork> {
  if (model === undefined) {
    const { attackedNetwork } = await import("./attacked-network.js");
    return await attackedNetwork(weights!, chosen);
  }
  const { attackedModel } = await import("./attacked-model.js");
  return await attackedModel(model, chosen);
}
