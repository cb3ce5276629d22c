import { type OptionsOf, seedOption } from "../../declaration/option.js";

const optimizers = ["adam", "sgd", "momentum", "adamw", "rmsprop"] as const;

/** Learning rates that most language models here learn with. */
export const usualRates: Readonly<Record<(typeof optimizers)[number], number>> = {
  adam: 0.002,
  sgd: 1,
  momentum: 0.1,
  adamw: 0.002,
  rmsprop: 0.001,
};

export const trainLmOptions = {
  corpus: { kind: "file", none: "sentences", help: "the text to learn from; or sentences: generated ones, whose lowest perplexity is known" },
  valid: { kind: "file", help: "a text that is watched after every epoch" },
  test: { kind: "file", help: "a text that the model is judged by in the end" },
  tokens: { kind: "integer", least: 100, help: "how many tokens to generate (default: 20000)" },
  level: { kind: "choice", choices: ["words", "characters"], default: "words", help: "what the text is cut into" },
  minCount: { kind: "integer", least: 1, default: 1, help: "what comes less often becomes <unk>" },
  cell: { kind: "choice", choices: ["lstm", "gru", "elman"], default: "lstm", help: "the recurrent cell" },
  embedding: { kind: "integer", least: 1, help: "numbers of each token (default: 128; 16 for generated sentences)" },
  hidden: { kind: "integer", least: 1, help: "units of every layer (default: 1024; 64 for generated sentences)" },
  layers: { kind: "integer", least: 1, default: 1, help: "layers on top of one another" },
  tied: { kind: "flag", help: "the output layer has the embedding for weights" },
  forgetBias: { kind: "number", default: 0, help: "added to the bias of the forget gates" },
  batch: { kind: "integer", least: 1, default: 20, unit: "columns", help: "columns that the text is cut into" },
  steps: { kind: "integer", least: 1, default: 30, unit: "tokens", help: "tokens of each column in a step" },
  epochs: { kind: "integer", least: 1, default: 5, help: "passes over the text" },
  optimizer: { kind: "choice", choices: optimizers, default: "adam", help: "how to step" },
  lr: { kind: "number", above: 0, help: "learning rate (default: a usual one of the optimizer)" },
  clip: { kind: "number", above: 0, default: 0.5, help: "the largest norm of all gradients together" },
  dropout: { kind: "number", least: 0, below: 1, default: 0, help: "rate of dropout around every layer" },
  dropWords: { kind: "number", least: 0, below: 1, default: 0, help: "rate at which whole words are dropped from the embedding" },
  dropConnect: { kind: "number", least: 0, below: 1, default: 0, help: "rate at which recurrent weights are dropped" },
  feeding: { kind: "choice", choices: ["teacher", "free", "linear", "exponential", "inverse-sigmoid"], default: "teacher", help: "what the model reads: true tokens, its own, or ever more of its own" },
  decay: { kind: "choice", choices: ["none", "epochs", "plateau", "cosine"], default: "none", help: "how the learning rate falls: after every epoch from --decay-after on, when the watched text gets no better, or along half a cosine" },
  decayBy: { kind: "number", above: 0, below: 1, default: 0.5, help: "what a decay multiplies the learning rate by" },
  decayAfter: { kind: "integer", least: 0, default: 4, unit: "epochs", help: "epochs before --decay epochs begins" },
  asgd: { kind: "integer", least: 1, unit: "epochs", help: "average the weights from when the watched text is no better than so many epochs ago" },
  sampled: { kind: "integer", least: 1, unit: "words", help: "train against so many others drawn by frequency instead of all: for large vocabularies" },
  patience: { kind: "integer", least: 1, unit: "epochs", help: "stop after so many epochs without a smaller perplexity of the watched text" },
  checkpoint: { kind: "folder", kept: true, help: "write last.safetensors and best.safetensors there after every epoch" },
  resume: { kind: "flag", help: "go on from last.safetensors of --checkpoint" },
  sampleEvery: { kind: "integer", least: 1, unit: "steps", help: "let the model speak after so many steps" },
  noiseEvery: { kind: "integer", least: 1, unit: "steps", help: "log the noise of the gradients of each layer after so many steps" },
  tensorBoard: { kind: "flag", help: "write an event file for TensorBoard into --checkpoint" },
  seed: seedOption,
} as const; // biome-ignore format: one option a line

export type TrainLmOptions = OptionsOf<typeof trainLmOptions>;
