import type { SequenceModel } from "@gradlab/core";
import { reshape } from "@tensorflow/tfjs-core";
import { initCarry, type LayerCarry } from "../recurrent-network.js";
import {
  expectSpec,
  hiddenStates,
  type LanguageModelParams,
  type LanguageModelSpec,
  outputLogits,
  recurrentSpec,
} from "./language-model.js";

/**
 * A language model as `generate` of `@gradlab/core` takes it: to sample, to search, to go on with a prompt.
 *
 * @param params Borrowed for as long as the result is used.
 */
export function sequenceModel(
  spec: LanguageModelSpec,
  params: LanguageModelParams,
): SequenceModel<readonly LayerCarry[]> {
  expectSpec("sequenceModel: spec", spec);
  return {
    start: () => initCarry(recurrentSpec(spec), 1),
    step: (carry, ids) => {
      const pass = hiddenStates(spec, params, reshape(ids, [1, ids.size]), carry, {});
      return { logits: outputLogits(params, pass.hidden), state: pass.carry };
    },
  };
}
