import { encodeText, tokenText } from "@gradlab/datasets";
import { defineStudy, type StudyEvent, type Table } from "../declaration/study.js";
import { blame, StudyError } from "../declaration/study-error.js";
import { grouped, lines, short } from "../declaration/wording.js";
import { modelOption, openLanguageModel } from "../language-models/language-model-kinds.js";
import { readText } from "../language-models/load-texts.js";
import { endOf } from "./sample.js";

export interface PerplexityRecord {
  readonly model: string;
  readonly source: string;
  /** How many tokens were predicted. */
  readonly tokens: number;
  readonly perplexity: number;
  /** Mean surprise, in nats and bits a token. */
  readonly nats: number;
  readonly bits: number;
  /** Each token with its surprise in nats; of a long text those that surprised most. */
  readonly words: readonly { readonly place: number; readonly token: string; readonly surprise: number }[];
  readonly isWhole: boolean;
}

/** How many tokens are shown of a longer text. */
const shown = 20;

/** Judges a text. */
export const perplexity = defineStudy({
  name: "perplexity",
  help: "how surprised a language model is by a text, word by word",
  options: {
    model: modelOption,
    text: { kind: "text", help: "the text itself" },
    file: { kind: "file", help: "a file with the text" },
    each: { kind: "flag", help: "every word of a file, not only those that surprise most" },
  },
  examples: [
    'perplexity --model run --text "the cat sees some birds"',
    "perplexity --model run --file ptb.test.txt --json",
  ],
  drawn: null,
  tensors: "where tensors live: the best that passes its self-test, or this one",
  check({ text }, { model, file }) {
    if (model === undefined) throw new StudyError("usage", "{model}: expected a checkpoint, got none");
    if ((text === undefined) === (file === undefined)) {
      throw new StudyError(
        "usage",
        `expected one of {text} and {file}, got ${text === undefined ? "none" : "both"}`,
      );
    }
  },
  async *run(
    { text, each },
    { model: checkpoint, file },
    context,
  ): AsyncGenerator<StudyEvent, PerplexityRecord> {
    await context.openBackend();
    const model = await openLanguageModel(checkpoint);
    try {
      const { dictionary } = model;
      const ids =
        text === undefined
          ? (await readText(file!, { dictionary })).ids
          : blame("usage", "{text}", () => encodeText(dictionary, text));
      const end = endOf(model);
      // The first token is judged too where the model knows the beginning of a line.
      const read = end === null ? ids : Int32Array.of(end, ...ids);
      if (read.length < 2) {
        throw new StudyError("usage", `{text}: expected at least one token to predict, got ${ids.length}`);
      }
      const surprises = await model.surprises(read, { signal: context.signal });
      const nats = surprises.reduce((sum, one) => sum + one, 0) / surprises.length;
      const words = Array.from(surprises, (surprise, i) => ({
        place: i,
        token: tokenText(dictionary, read[i + 1]!),
        surprise,
      }));
      const isWhole = each || text !== undefined || words.length <= shown;
      return {
        model: model.name,
        source: file?.label ?? "text",
        tokens: surprises.length,
        perplexity: Math.exp(nats),
        nats,
        bits: nats / Math.LN2,
        words: isWhole ? words : [...words].sort((a, b) => b.surprise - a.surprise).slice(0, shown),
        isWhole,
      };
    } finally {
      model.dispose();
    }
  },
  tables: perplexityTables,
});

function perplexityTables({
  model,
  source,
  tokens,
  perplexity,
  bits,
  words,
  isWhole,
}: PerplexityRecord): Table[] {
  const most = Math.max(...words.map(({ surprise }) => surprise));
  return [
    lines(
      model,
      `perplexity of ${source}: ${short(perplexity)} over ${grouped(tokens)} tokens, ${short(bits)} bits a token`,
    ),
    {
      title: isWhole ? "surprise, in bits" : "what surprised most, in bits",
      columns: [
        { title: "place", align: "right" },
        { title: "token" },
        { title: "bits", align: "right" },
        { title: "" },
      ],
      rows: words.map(({ place, token, surprise }) => [
        `${place + 1}`,
        JSON.stringify(token).slice(1, -1),
        (surprise / Math.LN2).toFixed(2),
        "█".repeat(Math.round((12 * surprise) / most)),
      ]),
      notes: [],
    },
  ];
}
