import { encodeText, tokenId, tokenText } from "@gradlab/datasets";
import { defineStudy, type StudyEvent, type Table } from "../declaration/study.js";
import { blame, StudyError } from "../declaration/study-error.js";
import { lines, short } from "../declaration/wording.js";
import { modelOption, openLanguageModel } from "../language-models/language-model-kinds.js";

interface Distance {
  /** Of the difference. */
  readonly euclidean: number;
  /** `1 - cos`. */
  readonly cosine: number;
}

export interface EmbeddingRecord {
  readonly model: string;
  readonly size: number;
  readonly pairs: readonly (Distance & { readonly words: readonly [string, string] })[];
  /** Over all pairs of some tokens, for comparison. */
  readonly typical: Distance;
  readonly neighbours: readonly {
    readonly word: string;
    readonly nearest: readonly (Distance & { readonly word: string })[];
  }[];
}

/** How many tokens the typical distance is taken over: the first ones. */
const sampled = 300;

/** Where words stand among each other. */
export const embedding = defineStudy({
  name: "embedding",
  help: "how far words are apart for a language model, and which are nearest",
  options: {
    model: modelOption,
    words: { kind: "text", required: true, placeholder: "<a,b,…>", help: "words separated by commas" },
    count: { kind: "integer", least: 1, default: 5, help: "how many nearest words of each" },
    by: { kind: "choice", choices: ["cosine", "euclidean"], default: "cosine", help: "what near means" },
  },
  examples: [
    "embedding --model run --words army,taxpayer",
    "embedding --model run --words dog,cat --by euclidean",
  ],
  drawn: null,
  tensors: "where tensors live: the best that passes its self-test, or this one",
  check(_, { model }) {
    if (model === undefined) throw new StudyError("usage", "{model}: expected a checkpoint, got none");
  },
  async *run({ words, count, by }, inputs, context): AsyncGenerator<StudyEvent, EmbeddingRecord> {
    await context.openBackend();
    const { embeddingDistance, nearestNeighbours } = await import("@gradlab/rnn-lm");
    const model = await openLanguageModel(inputs.model);
    try {
      const { dictionary } = model;
      const names = words.split(",").map((word) => (dictionary.level === "words" ? word.trim() : word));
      const ids = names.map((name) => blame("usage", "{words}", () => exactId(dictionary, name)));
      const table = await model.embeddings();
      const distance = (a: number, b: number) => embeddingDistance(table, a, b);
      const pairs = ids.flatMap((a, i) =>
        ids.slice(i + 1).map((b, j) => ({
          words: [names[i]!, names[i + 1 + j]!] as const,
          ...distance(a, b),
        })),
      );
      const first = Math.min(sampled, dictionary.tokens.length);
      const all: Distance[] = [];
      for (let a = 0; a < first; a++) for (let b = 0; b < a; b++) all.push(distance(a, b));
      const mean = (value: (one: Distance) => number) =>
        all.reduce((sum, one) => sum + value(one), 0) / Math.max(1, all.length);
      return {
        model: model.name,
        size: table.size,
        pairs,
        typical: { euclidean: mean((one) => one.euclidean), cosine: mean((one) => one.cosine) },
        neighbours: ids.map((id, i) => ({
          word: names[i]!,
          nearest: nearestNeighbours(table, id, { count, by }).map(({ id: other, euclidean, cosine }) => ({
            word: tokenText(dictionary, other),
            euclidean,
            cosine,
          })),
        })),
      };
    } finally {
      model.dispose();
    }
  },
  tables: embeddingTables,
});

/** A word that is asked for is not `<unk>`. */
function exactId(dictionary: Parameters<typeof tokenId>[0], word: string): number {
  if (dictionary.level === "byte-pairs" && encodeText(dictionary, word).length !== 1) {
    const text = JSON.stringify(word);
    throw new RangeError(
      `embedding: expected words that are one token, with the space before them, got ${text}`,
    );
  }
  const id = tokenId(dictionary, word);
  if (tokenText(dictionary, id) === word) return id;
  throw new RangeError(`embedding: expected words of the dictionary, got ${JSON.stringify(word)}`);
}

function embeddingTables({ model, size, pairs, typical, neighbours }: EmbeddingRecord): Table[] {
  const numbers = ({ euclidean, cosine }: Distance) => [short(euclidean), short(cosine)];
  const right = "right" as const;
  const columns = [
    { title: "words" },
    { title: "euclidean", align: right },
    { title: "cosine", align: right },
  ];
  return [
    lines(model, `vectors of ${size} numbers`),
    {
      title: "distances",
      columns,
      rows: [
        ...pairs.map(({ words, ...distance }) => [words.join(" – "), ...numbers(distance)]),
        ["two words at random", ...numbers(typical)],
      ],
      notes: [],
    },
    ...neighbours.map(({ word, nearest }) => ({
      title: `nearest to ${word}`,
      columns,
      rows: nearest.map(({ word: other, ...distance }) => [other, ...numbers(distance)]),
      notes: [],
    })),
  ];
}
