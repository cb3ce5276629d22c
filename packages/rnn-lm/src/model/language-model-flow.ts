import { embed } from "@gradlab/core";
import { reshape, type Tensor2D, type Tensor3D, tensor2d, tidy } from "@tensorflow/tfjs-core";
import { rangeMismatch } from "../expect-argument.js";
import { type GradientFlow, gradientFlow } from "../gradient-flow.js";
import { applyRecurrent, initCarry } from "../recurrent-network.js";
import { expectSpec, type LanguageModelParams, type LanguageModelSpec } from "./language-model.js";

/**
 * The gradient flow in every layer of a language model while it reads a text, see `gradientFlow`.
 *
 * @param ids At least two. An id out of range gives NaN.
 * @returns One for each layer, the first one first.
 */
export async function languageModelFlow(
  spec: LanguageModelSpec,
  params: LanguageModelParams,
  ids: ArrayLike<number>,
): Promise<GradientFlow[]> {
  expectSpec("languageModelFlow: spec", spec);
  if (ids.length < 2) throw rangeMismatch("languageModelFlow: ids", "at least two", ids);
  const { cell, hidden, embedding } = spec;
  const flows: GradientFlow[] = [];
  let x = tidy(() => {
    const tokens = tensor2d(Int32Array.from(ids), [1, ids.length], "int32");
    return reshape(embed(params.embedding, tokens), [ids.length, embedding]) as Tensor2D;
  });
  try {
    for (const [i, layer] of params.layers.entries()) {
      flows.push(await gradientFlow(cell, layer, x));
      const inputs = i === 0 ? embedding : hidden;
      const next = tidy(() => {
        const own = { cell, inputs, hidden };
        const sequence = reshape(x, [1, ids.length, inputs]) as Tensor3D;
        const { outputs } = applyRecurrent(own, [layer], sequence, initCarry(own, 1));
        return reshape(outputs, [ids.length, hidden]) as Tensor2D;
      });
      x.dispose();
      x = next;
    }
  } finally {
    x.dispose();
  }
  return flows;
}
