/** A training step of rnn-lm: an LSTM, Adam, clipping by norm, carried state. */
import { startTraining } from "@gradlab/core";
import { initLanguageModelState, trainLanguageModel } from "@gradlab/rnn-lm";

export const shape = { vocabulary: 10_000, embedding: 128, batch: 20, steps: 30 };

/** The step on the current backend, in milliseconds. */
export function startLanguageModel({ hidden }) {
  const { vocabulary, embedding, batch, steps } = shape;
  const spec = { cell: "lstm", vocabulary, embedding, hidden };
  const state = initLanguageModelState(spec, { seed: 0, batch });
  const training = startTraining(state, { name: "adam", learningRate: 1e-3 });
  const tokens = (step, later) =>
    Int32Array.from(
      { length: batch * steps },
      (_, i) => (((step * 7919 + i + later) * 2654435761) % vocabulary) >>> 0,
    );
  const ours = trainLanguageModel(spec, training, {
    batch: (step) => ({ inputs: tokens(step, 0), targets: tokens(step, 1), shape: [batch, steps] }),
    maxNorm: 0.25,
  });
  return async () => (await ours.next()).value.seconds * 1000;
}
