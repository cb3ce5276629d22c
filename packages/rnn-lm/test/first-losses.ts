import { disposeParams, disposeTraining, startTraining } from "@gradlab/core";
import { textColumns } from "@gradlab/datasets";
import { integer, randomStream } from "@gradlab/random";
import { initLanguageModelState, trainLanguageModel } from "../src/index.js";

const vocabulary = 500;

/** The first five losses of a training (vocabulary 500, 64 units) on the current backend: they are the same on all of them. */
export async function firstLosses(): Promise<number[]> {
  const stream = randomStream({ seed: 0, purpose: "backends test" });
  // Each token says something of the next one, so that there is something to learn.
  const ids = new Int32Array(20 * 31 * 2);
  for (let i = 1; i < ids.length; i++) ids[i] = (ids[i - 1]! * 7 + integer(stream, 0, 20)) % vocabulary;
  const { batch } = textColumns(ids, { columns: 20, length: 30 });
  const spec = { cell: "lstm", vocabulary, embedding: 128, hidden: 64 } as const;
  const state = initLanguageModelState(spec, { seed: 0, batch: 20 });
  const training = startTraining(state, { name: "adam", learningRate: 0.002 });
  disposeParams(state);
  const found: number[] = [];
  const options = { batch, steps: 5, maxNorm: 0.5 };
  for await (const { loss } of trainLanguageModel(spec, training, options)) found.push(loss);
  disposeTraining(training);
  return found;
}
