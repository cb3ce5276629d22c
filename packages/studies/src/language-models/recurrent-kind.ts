import {
  countParams,
  disposeParams,
  disposeTraining,
  generate,
  loadCheckpoint,
  type Training,
} from "@gradlab/core";
import {
  initLanguageModelState,
  type LanguageModelSpec,
  type LanguageModelState,
  languageModelFlow,
  sequenceModel,
  surprises,
} from "@gradlab/rnn-lm";
import { grouped } from "../declaration/wording.js";
import type { LanguageModelKind } from "./language-model.js";

/** What a recurrent model is called in a line. */
export function recurrentName({ cell, hidden, layers = 1, vocabulary }: LanguageModelSpec): string {
  const name = { lstm: "LSTM", gru: "GRU", elman: "Elman network" }[cell];
  const deep = layers === 1 ? "" : `${layers} layers of `;
  return `${name} of ${deep}${hidden} units, ${grouped(vocabulary)} tokens`;
}

/** The training in a checkpoint, its tensors compared with those that the model has. */
export function loadRecurrent(
  bytes: Uint8Array,
  spec: LanguageModelSpec,
  batch: number,
): Training<LanguageModelState> {
  const like = initLanguageModelState(spec, { seed: 0, batch });
  try {
    return loadCheckpoint(bytes, like);
  } finally {
    disposeParams(like);
  }
}

/** Recurrent networks: the checkpoints of `train-lm`. */
export const recurrentKind: LanguageModelKind = {
  open: (bytes, note) => {
    const spec = note.spec as LanguageModelSpec;
    const { batch } = note as unknown as { batch: number };
    const training = loadRecurrent(bytes, spec, batch);
    const { params } = training.average ?? training.state;
    return {
      name: recurrentName(spec),
      params: countParams(params),
      dictionary: note.dictionary,
      generate: (prompt, options) => generate(sequenceModel(spec, params), prompt, options),
      surprises: (ids, options) => surprises(spec, params, ids, options),
      embeddings: async () => ({
        table: (await params.embedding.data()) as Float32Array,
        size: spec.embedding,
      }),
      flow: (ids) => languageModelFlow(spec, params, ids),
      dispose: () => disposeTraining(training),
    };
  },
};
