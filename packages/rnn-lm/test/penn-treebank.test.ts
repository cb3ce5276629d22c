import { readFileSync } from "node:fs";
import { join } from "node:path";
import { disposeParams, disposeTraining, startTraining } from "@gradlab/core";
import { readCorpus, textColumns } from "@gradlab/datasets";
import { enableWasmTraining } from "@gradlab/wasm-training";
import { setBackend } from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { initLanguageModelState, perplexityOf, surprises, trainLanguageModel } from "../src/index.js";
import "./tensors.js";

const folder = process.env.GRADLAB_DATA;

// Minutes: GRADLAB_SLOW=1, and with real data only.
test.runIf(process.env.GRADLAB_SLOW === "1" && folder !== undefined)(
  "trained on the validation text of the Penn Treebank, the test text has the perplexity that PyTorch comes to",
  async () => {
    const read = (part: string, options = {}) =>
      readCorpus(readFileSync(join(folder!, "ptb", `ptb.${part}.txt`)), options);
    const { dictionary, ids } = await read("valid");
    const { ids: judged } = await read("test", { dictionary });
    await enableWasmTraining();
    await setBackend("wasm");
    const spec = { cell: "lstm", vocabulary: dictionary.tokens.length, embedding: 128, hidden: 256 } as const;
    const state = initLanguageModelState(spec, { seed: 0, batch: 20 });
    const training = startTraining(state, { name: "adam", learningRate: 0.002 });
    disposeParams(state);
    const { batch, stepsPerEpoch } = textColumns(ids, { columns: 20, length: 30 });
    // PyTorch: 264 and 221.
    for (const [epochs, most] of [
      [2, 270],
      [4, 230],
    ] as const) {
      const options = { batch, steps: epochs * stepsPerEpoch, maxNorm: 0.5 };
      for await (const step of trainLanguageModel(spec, training, options)) void step;
      const found = await surprises(spec, training.state.params, judged, { columns: 10, steps: 30 });
      expect(found.length).toBe(82_429);
      expect(perplexityOf(found)).toBeLessThan(most);
    }
    disposeTraining(training);
    await setBackend("cpu");
  },
  3_600_000,
);
