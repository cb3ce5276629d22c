import { addressOptions, exampleOptions, type Study } from "@gradlab/studies";

/** Smaller than the example of the command line: a page should answer at once. */
const smaller: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "train-cnn": { count: 200, epochs: 4 },
  "train-gpt": { steps: 60 },
  "train-lm": { tokens: 6000, hidden: 32, embedding: 16, epochs: 2 },
};

/** The settings that a page begins with: those of an example, or the defaults. */
export function firstOptions(study: Study): Record<string, unknown> {
  return { ...(exampleOptions(study) ?? addressOptions(study.options, "")), ...smaller[study.name] };
}
