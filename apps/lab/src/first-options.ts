import { addressOptions, exampleOptions, type Study } from "@gradlab/studies";

/** Smaller than the example of the command line, since a page should answer at once; and what is asked of a network. */
const instead: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "train-cnn": { count: 1000, epochs: 6, lr: 0.003 },
  classify: { maps: true },
  attack: { eps: 0.1, count: 10 },
  robustness: { eps: [0.02, 0.05, 0.1, 0.2], count: 10 },
  "train-gpt": { steps: 60 },
  "train-lm": { tokens: 12_000, hidden: 32, embedding: 16, epochs: 4, lr: 0.02 },
  sample: { prompt: "the", length: 40 },
  perplexity: { text: "the old dog sleeps" },
  embedding: { words: "dog,cat" },
};

/** Settings that are only for what a study generates, by the option whose file takes its place. */
export const generatedOnly: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  "train-cnn": { data: ["count"] },
  "train-lm": { corpus: ["tokens"] },
};

/** The settings that a page begins with: those of an example, or the defaults. */
export function firstOptions(study: Study): Record<string, unknown> {
  return { ...(exampleOptions(study) ?? addressOptions(study.options, "")), ...instead[study.name] };
}
