import { disposeParams, disposeTraining, generate, startTraining, type Training } from "@gradlab/core";
import {
  type Corpus,
  corpusOf,
  generateText,
  grammarSurprises,
  sentenceGrammar,
  textColumns,
} from "@gradlab/datasets";
import { randomStream } from "@gradlab/random";
import {
  embeddingDistance,
  type Feeding,
  initLanguageModelState,
  type LanguageModelSpec,
  type LanguageModelState,
  perplexityOf,
  sequenceModel,
  surprises,
  trainLanguageModel,
  type VectorDistance,
} from "@gradlab/rnn-lm";

/** Sentences of the grammar: to learn from, and others. */
export function sentences(seed: number): { readonly train: Corpus; readonly test: Corpus } {
  const train = corpusOf(generateText({ tokens: 16_000, seed, index: 0 }));
  const { dictionary } = train;
  return { train, test: corpusOf(generateText({ tokens: 8_000, seed, index: 1 }), { dictionary }) };
}

/** The perplexity of the grammar itself on a text: what nobody can do better but by luck. */
export function sourcePerplexity({ dictionary, ids }: Corpus): number {
  const tokens = Array.from(ids, (id) => dictionary.tokens[id]!);
  // The first token has no token before it: a model is not asked for it.
  return perplexityOf(grammarSurprises(sentenceGrammar, tokens).subarray(1));
}

/** A model after its training. */
export interface SentenceModel {
  /** Of every update, nats a token. */
  readonly losses: readonly number[];
  readonly perplexity: number;
  /** What it says, drawn and greedy. */
  readonly drawn: readonly string[];
  readonly greedy: readonly string[];
  /** The share of drawn sentences that the grammar can say. */
  readonly rightSentences: number;
  /** Means over all pairs of words that can stand in one place, and over all pairs of a noun and a verb. */
  readonly distances: { readonly alike: VectorDistance; readonly unlike: VectorDistance };
}

export interface SentenceTraining {
  readonly steps: number;
  readonly seed: number;
  readonly feeding: Feeding;
  readonly signal: AbortSignal;
}

const specOf = ({ dictionary }: Corpus): LanguageModelSpec => ({
  cell: "lstm",
  vocabulary: dictionary.tokens.length,
  embedding: 16,
  hidden: 48,
});

function begin(spec: LanguageModelSpec, seed: number): Training<LanguageModelState> {
  const state = initLanguageModelState(spec, { seed, batch: 40 });
  const training = startTraining(state, { name: "adam", learningRate: 0.01 });
  disposeParams(state);
  return training;
}

async function lossesOf(
  spec: LanguageModelSpec,
  training: Training<LanguageModelState>,
  { ids }: Corpus,
  { steps, seed, feeding, signal }: SentenceTraining,
): Promise<number[]> {
  const { batch } = textColumns(ids, { columns: 40, length: 10 });
  const losses: number[] = [];
  const options = { batch, steps, seed, feeding, maxNorm: 0.5, signal };
  for await (const { loss } of trainLanguageModel(spec, training, options)) losses.push(loss);
  return losses;
}

/** The losses of the first updates alone, nats a token. */
export async function firstLosses(train: Corpus, options: SentenceTraining): Promise<number[]> {
  const spec = specOf(train);
  const training = begin(spec, options.seed);
  try {
    return await lossesOf(spec, training, train, options);
  } finally {
    disposeTraining(training);
  }
}

/** Trains an LSTM on sentences and lets it speak. */
export async function trainSentenceModel(
  { train, test }: { readonly train: Corpus; readonly test: Corpus },
  { steps, seed, feeding, signal }: SentenceTraining,
): Promise<SentenceModel> {
  const { dictionary } = train;
  const spec = specOf(train);
  const training = begin(spec, seed);
  try {
    const losses = await lossesOf(spec, training, train, { steps, seed, feeding, signal });
    const { params } = training.state;
    const found = await surprises(spec, params, test.ids, { columns: 20, signal });
    const say = async (stream: ReturnType<typeof randomStream> | undefined, length: number) => {
      const tokens: string[] = [];
      const start = dictionary.tokens.indexOf("<eos>");
      const said = generate(sequenceModel(spec, params), [start], {
        length,
        signal,
        ...(stream && { stream }),
      });
      for await (const { id } of said) tokens.push(dictionary.tokens[id]!);
      return sentencesOf(tokens);
    };
    const drawn = await say(randomStream({ seed, purpose: "rnn-lm/sentences" }), 400);
    const table = { table: await params.embedding.data(), size: spec.embedding };
    const distance = (pairs: readonly (readonly [string, string])[]): VectorDistance => {
      const all = pairs.map(([a, b]) =>
        embeddingDistance(table, dictionary.tokens.indexOf(a), dictionary.tokens.indexOf(b)),
      );
      const mean = (value: (one: VectorDistance) => number) =>
        all.reduce((sum, one) => sum + value(one), 0) / all.length;
      return { euclidean: mean((one) => one.euclidean), cosine: mean((one) => one.cosine) };
    };
    const right = drawn.filter((one) => {
      const all = grammarSurprises(sentenceGrammar, [...one.split(" "), "<eos>"]);
      return all.every(Number.isFinite);
    });
    return {
      losses,
      perplexity: perplexityOf(found),
      drawn,
      greedy: await say(undefined, 24),
      rightSentences: right.length / drawn.length,
      distances: { alike: distance(alikePairs), unlike: distance(unlikePairs) },
    };
  } finally {
    disposeTraining(training);
  }
}

/** Words that can stand in one place. */
const classes = [
  ["dog", "cat", "bird", "child", "teacher"],
  ["dogs", "cats", "birds", "children", "teachers"],
  ["sees", "hears", "follows", "likes"],
  ["see", "hear", "follow", "like"],
] as const;

const alikePairs = classes.flatMap((words) =>
  words.flatMap((a, i) => words.slice(i + 1).map((b) => [a, b] as const)),
);
const [ones, manies, oneVerbs, manyVerbs] = classes;
const unlikePairs = [...ones, ...manies].flatMap((noun) =>
  [...oneVerbs, ...manyVerbs].map((verb) => [noun, verb] as const),
);

/** Whole sentences; one that is not finished is left out. */
function sentencesOf(tokens: readonly string[]): string[] {
  const text = tokens.join(" ").split("<eos>");
  return text.slice(0, -1).map((one) => one.trim());
}
