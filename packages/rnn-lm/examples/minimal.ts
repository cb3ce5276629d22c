import { startTraining } from "@gradlab/core";
import { corpusOf, generateText, textColumns } from "@gradlab/datasets";
import { initLanguageModelState, perplexityOf, surprises, trainLanguageModel } from "@gradlab/rnn-lm";
import "@tensorflow/tfjs-backend-cpu";

const { dictionary, ids } = corpusOf(generateText({ tokens: 6000 })); // or await readCorpus(bytes)
const spec = { cell: "lstm", vocabulary: dictionary.tokens.length, embedding: 16, hidden: 32 } as const;
const state = initLanguageModelState(spec, { seed: 0, batch: 10 });
const training = startTraining(state, { name: "adam", learningRate: 0.02 });
const options = { batch: textColumns(ids, { columns: 10, length: 8 }).batch, steps: 80 };
for await (const { step, loss } of trainLanguageModel(spec, training, options)) if (step % 20 === 0) console.log(step, loss.toFixed(2)); // biome-ignore format: short
console.log(perplexityOf(await surprises(spec, training.state.params, ids.subarray(0, 500))).toFixed(1));
