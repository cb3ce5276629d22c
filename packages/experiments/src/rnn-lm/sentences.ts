import { linePanels, matrixGrid } from "@gradlab/figures";
import { check, describeBackend, type StudyEvent } from "@gradlab/studies";
import { defineExperiment } from "../experiment.js";
import type { SentenceModel } from "./sentence-models.js";

/** Updates of each training, and of one that is only begun. */
const updates = 200;
const firstUpdates = 10;

/** Over seeds 0 to 3: mean and spread of what depends on chance. */
const expected = {
  free: [19.8, 2.5],
  right: [0.94, 0.1],
  nearer: [0.23, 0.15],
  first: [3.14, 0.25],
} as const;

/** A language model learns a source whose lowest perplexity is known, with true tokens and with its own. */
export const sentencesExperiment = defineExperiment({
  id: "rnn-lm/sentences",
  title: "An LSTM comes to within 5 % of the lowest perplexity there is",
  about:
    "Sentences of a small grammar, whose entropy rate is the sum Σ π(s) H(s) over its states: no model has a lower perplexity than its exponential. " +
    "Verbs agree with their nouns over a clause between the two, so pairs of words are not enough. An LSTM of 48 units reads 16,000 words " +
    "five times. Once it reads the true words (teacher forcing), once what it has drawn itself (free running): that one learns how frequent " +
    "words are, and next to nothing of their order. On the cpu backend the second one is left out; on an emulated GPU the first one is only begun.",
  usesBackend: true,
  async *run({ seed }, _, { signal, openBackend }): AsyncGenerator<StudyEvent, Sentences> {
    const backend = await openBackend();
    const { firstLosses, sentences, sourcePerplexity, trainSentenceModel } = await import(
      "./sentence-models.js"
    );
    const { freeRunning, teacherForcing } = await import("@gradlab/rnn-lm");
    const { grammarFacts, sentenceGrammar } = await import("@gradlab/datasets");
    const data = sentences(seed);
    const train = (feeding: typeof freeRunning) =>
      trainSentenceModel(data, { steps: updates, seed, feeding, signal });
    return {
      on: describeBackend(backend),
      optimum: grammarFacts(sentenceGrammar).perplexity,
      source: sourcePerplexity(data.test),
      tokens: data.test.ids.length,
      // Seconds for an update: on an emulated GPU the first ones alone.
      ...(backend.software
        ? {
            teacher: null,
            free: null,
            first: await firstLosses(data.train, {
              steps: firstUpdates,
              seed,
              feeding: teacherForcing,
              signal,
            }),
          }
        : {
            teacher: await train(teacherForcing),
            free: backend.name === "cpu" ? null : await train(freeRunning),
            first: null,
          }),
    };
  },
  checks: ({ optimum, source, tokens, teacher, free, first }) => [
    // Five standard errors of the mean surprise of sentences, some 1,300 of them.
    check(
      `perplexity of the grammar itself on ${tokens} words, beside its entropy rate`,
      optimum,
      source,
      0.3,
    ),
    ...(first === null
      ? []
      : [
          check(
            `loss after ${firstUpdates} updates, nats a word`,
            expected.first[0],
            first.at(-1)!,
            expected.first[1],
          ),
        ]),
    ...(teacher === null
      ? []
      : [
          check(
            "perplexity of the LSTM, in those of the grammar on the same words",
            1,
            teacher.perplexity / source,
            0.05,
          ),
          check("share of its sentences that the grammar can say", expected.right[0], teacher.rightSentences, expected.right[1]), // biome-ignore format: one line
          check(
            "by how much words of one kind are nearer than nouns and verbs, 1 − cosine",
            expected.nearer[0],
            teacher.distances.unlike.cosine - teacher.distances.alike.cosine,
            expected.nearer[1],
          ),
        ]),
    ...(free === null
      ? []
      : [check("perplexity after free running", expected.free[0], free.perplexity, expected.free[1])]),
  ],
  figures: ({ on, optimum, teacher, free, first }, { document }) => {
    const points = (losses: readonly number[]) => losses.map((loss, i) => [i + 1, loss] as const);
    const models = [
      ...(teacher === null ? [] : [["true words", teacher] as const]),
      ...(free === null ? [] : [["its own words", free] as const]),
    ];
    return [
      {
        svg: linePanels(
          [
            {
              title: "loss, nats a word",
              series: [
                ...models.map(([name, { losses }]) => ({ name, points: points(losses) })),
                ...(first === null ? [] : [{ name: "true words", points: points(first) }]),
                {
                  name: "entropy rate",
                  points: [
                    [1, Math.log(optimum)],
                    [first?.length ?? updates, Math.log(optimum)],
                  ],
                },
              ],
            },
          ],
          { document, xLabel: "update" },
        ),
        caption: `What the model is surprised by while it learns, on ${on}. Fed with its own words it stays at the frequencies of words.`,
      },
      ...(models.length === 0
        ? []
        : [
            {
              svg: matrixGrid(
                models.map(([name, { distances }]) => ({
                  label: `${name}: alike, noun – verb`,
                  rows: [distances.alike, distances.unlike].map(({ euclidean, cosine }) => [
                    Number(euclidean.toFixed(3)),
                    Number(cosine.toFixed(3)),
                  ]),
                })),
                { document, cell: 64 },
              ),
              caption:
                "Mean distances over 32 pairs of words that can stand in one place, and over 80 pairs of a noun and a verb: euclidean, and 1 − cosine. With true words those that are alike point more in one direction.",
            },
          ]),
    ];
  },
});

interface Sentences {
  readonly on: string;
  /** `exp` of the entropy rate. */
  readonly optimum: number;
  /** The perplexity of the grammar on the words that the model is judged by. */
  readonly source: number;
  readonly tokens: number;
  /** Null where the training was only begun. */
  readonly teacher: SentenceModel | null;
  /** Null where it would take too long. */
  readonly free: SentenceModel | null;
  /** The losses of the first updates, where that is all. */
  readonly first: readonly number[] | null;
}
