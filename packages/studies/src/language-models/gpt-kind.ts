import { applyGpt, type GptConfig, type GptParams, gptModel } from "@gradlab/attention";
import { countParams, crossEntropy, disposeTraining, generate } from "@gradlab/core";
import { reshape, type Tensor1D, type Tensor2D, tensor1d, tensor2d, tidy } from "@tensorflow/tfjs-core";
import { grouped } from "../declaration/wording.js";
import { loadGpt } from "../studies/train-gpt/gpt-training.js";
import type { LanguageModelKind } from "./language-model.js";

/** Small GPTs: the checkpoints of `train-gpt` on a text. */
export const gptKind: LanguageModelKind = {
  open: (bytes, { spec, dictionary }) => {
    const config = spec as GptConfig;
    const training = loadGpt(bytes, config);
    const { params } = training.state;
    return {
      name: `GPT of ${config.layers} blocks of width ${config.width}, ${grouped(config.vocabulary)} tokens`,
      params: countParams(params as never),
      dictionary,
      generate: (prompt, options) => generate(gptModel(params, config), prompt, options),
      surprises: (ids, { signal }) => surprisesOf(params, config, Int32Array.from(ids), signal),
      embeddings: async () => ({
        table: (await params.tokens.data()) as Float32Array,
        size: config.width,
      }),
      dispose: () => disposeTraining(training),
    };
  },
};

/** `-log p` of each id but the first, each after at least half a context where there are as many ids before it. */
async function surprisesOf(
  params: GptParams,
  config: GptConfig,
  ids: Int32Array,
  signal: AbortSignal | undefined,
): Promise<Float64Array> {
  const { context, vocabulary } = config;
  const step = Math.max(1, Math.floor(context / 2));
  const found = new Float64Array(Math.max(0, ids.length - 1));
  let known = 0;
  for (let from = 0; known < found.length; from += step) {
    signal?.throwIfAborted();
    const to = Math.min(from + context, ids.length - 1);
    const losses = tidy(() => {
      const logits = applyGpt(params, tensor2d(ids.slice(from, to), [1, to - from], "int32"), config);
      const rows = reshape(logits, [to - from, vocabulary]) as Tensor2D;
      const labels = tensor1d(ids.slice(from + 1, to + 1), "int32");
      return crossEntropy(rows, labels, { reduction: "none" }) as Tensor1D;
    });
    const values = await losses.data();
    losses.dispose();
    for (; known < to; known++) found[known] = values[known - from]!;
  }
  return found;
}
