import type { Grammar, GrammarStep } from "./grammar.js";

/** Falling weights: the first word is the most frequent, as in any language. */
const ranked = (words: string, next: string, share = 1): GrammarStep[] => {
  const tokens = words.split(" ");
  const total = tokens.reduce((sum, _, i) => sum + 1 / (i + 1), 0);
  return tokens.map((token, i) => ({ token, next, weight: share / (i + 1) / total }));
};

const adjectives = "old small young grey happy";
const one = {
  nouns: "dog cat bird child teacher",
  verbs: "sees hears follows likes",
  rest: "sleeps runs sings",
};
const many = {
  nouns: "dogs cats birds children teachers",
  verbs: "see hear follow like",
  rest: "sleep run sing",
};

/** The states of a subject of one number, from its first word to its verb. */
function subject(number: "one" | "many", { nouns, verbs, rest }: typeof one): Grammar["states"] {
  const at = (name: string) => `${number}-${name}`;
  // A clause between a noun and its verb: the number has to be remembered over it.
  const object = number === "one" ? many.nouns : one.nouns;
  const seen = number === "one" ? many.verbs : one.verbs;
  return {
    [at("noun")]: [...ranked(adjectives, at("noun"), 0.3), ...ranked(nouns, at("after"), 0.7)],
    [at("after")]: [
      { token: "that", next: at("clause"), weight: 0.25 },
      ...ranked(verbs, "object", 0.45),
      ...ranked(rest, "end", 0.3),
    ],
    [at("clause")]: ranked(object, at("clause-verb")),
    [at("clause-verb")]: ranked(seen, at("verb")),
    [at("verb")]: [...ranked(verbs, "object", 0.6), ...ranked(rest, "end", 0.4)],
  };
}

/**
 * Small English sentences. A verb agrees with its noun, also where a clause with a noun of the other number stands
 * between the two: a model has to remember, pairs of words are not enough.
 */
export const sentenceGrammar: Grammar = {
  start: "sentence",
  states: {
    sentence: [
      { token: "the", next: "one-noun", weight: 0.4 },
      { token: "a", next: "one-noun", weight: 0.2 },
      { token: "some", next: "many-noun", weight: 0.25 },
      { token: "two", next: "many-noun", weight: 0.15 },
    ],
    ...subject("one", one),
    ...subject("many", many),
    object: [
      { token: "it", next: "end", weight: 0.2 },
      { token: "them", next: "end", weight: 0.2 },
      ...ranked("water music trees stones", "end", 0.6),
    ],
    end: [{ token: "<eos>", next: "sentence", weight: 0.6 }, ...ranked("today again here", "stop", 0.4)],
    stop: [{ token: "<eos>", next: "sentence" }],
  },
};
