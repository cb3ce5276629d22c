import { exampleOptions, type Study } from "@gradlab/studies";

/** Smaller than the example of the command line: a page should answer at once. */
const smaller: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "train-cnn": { count: 200, epochs: 4 },
};

/** The settings that a page begins with. */
export function firstOptions(study: Study): Record<string, unknown> {
  return { ...exampleOptions(study), ...smaller[study.name] };
}
