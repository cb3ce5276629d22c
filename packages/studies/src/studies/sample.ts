import { decodeIds, encodeText, endOfLine, tokenId, tokenText } from "@gradlab/datasets";
import { randomStream } from "@gradlab/random";
import { seedOption } from "../declaration/option.js";
import { defineStudy, type StudyEvent } from "../declaration/study.js";
import { blame, StudyError } from "../declaration/study-error.js";
import { lines, short } from "../declaration/wording.js";
import type { LanguageModel } from "../language-models/language-model.js";
import { modelOption, openLanguageModel } from "../language-models/language-model-kinds.js";

export interface SampleRecord {
  readonly model: string;
  readonly prompt: string;
  readonly text: string;
  readonly tokens: readonly {
    readonly token: string;
    /** By the model itself, whatever the temperature; in nats. */
    readonly logProbability: number;
  }[];
  /** Of what was said, by the model that said it. */
  readonly perplexity: number | null;
  /** Of the sampling alone. */
  readonly seconds: number;
}

/** Goes on with a text. */
export const sample = defineStudy({
  name: "sample",
  help: "go on with a text: a language model says what comes next",
  options: {
    model: modelOption,
    prompt: { kind: "text", default: "", help: "what the text begins with" },
    length: { kind: "integer", least: 1, default: 100, unit: "tokens", help: "how many tokens" },
    greedy: { kind: "flag", help: "always the likeliest token" },
    temperature: { kind: "number", least: 0, help: "below 1 sharper, above 1 flatter (default: 1)" },
    topK: { kind: "integer", least: 1, help: "draw from so many of the likeliest alone" },
    topP: { kind: "number", above: 0, most: 1, help: "draw from the fewest that have this share of the probability" },
    beams: { kind: "integer", least: 1, help: "search for a likely whole with so many at once" },
    stop: { kind: "flag", help: "stop at the end of a line" },
    seed: seedOption,
  }, // biome-ignore format: one option a line
  examples: [
    'sample --model run --prompt "the meaning of"',
    "sample --model run/best.safetensors --length 500 --temperature 0.8 --top-p 0.95 --seed 3",
    "sample --model run --beams 8 --stop --json",
  ],
  drawn: null,
  tensors: "where tensors live: the best that passes its self-test, or this one",
  check({ greedy, beams, ...drawing }, { model }) {
    if (model === undefined) throw new StudyError("usage", "{model}: expected a checkpoint, got none");
    const how = greedy ? "greedy" : beams !== undefined ? "beams" : null;
    if (greedy && beams !== undefined)
      throw new StudyError("usage", "{beams}: expected none beside {greedy}");
    for (const option of ["temperature", "topK", "topP"] as const) {
      if (how === null || drawing[option] === undefined) continue;
      throw new StudyError("usage", `{${option}}: expected none beside {${how}}, which draws nothing`);
    }
  },
  async *run(options, inputs, context): AsyncGenerator<StudyEvent, SampleRecord> {
    const { prompt, length, greedy, temperature, topK, topP, beams, stop, seed } = options;
    await context.openBackend();
    const model = await openLanguageModel(inputs.model);
    try {
      const { dictionary } = model;
      const given = blame("usage", "{prompt}", () => encodeText(dictionary, prompt));
      const end = endOf(model);
      const started = performance.now();
      const said = model.generate([...(end === null ? [0] : [end]), ...given], {
        length,
        signal: context.signal,
        ...(beams !== undefined && { beams }),
        ...(!greedy &&
          beams === undefined && {
            stream: randomStream({ seed, purpose: "sample" }),
            ...(temperature !== undefined && { temperature }),
            ...(topK !== undefined && { topK }),
            ...(topP !== undefined && { topP }),
          }),
        ...(stop && end !== null && { stop: end }),
      });
      const found: { id: number; logProbability: number }[] = [];
      for await (const one of said) {
        found.push(one);
        yield {
          kind: "progress",
          done: found.length,
          total: length,
          text: tokenText(dictionary, one.id).trim(),
        };
      }
      const seconds = (performance.now() - started) / 1000;
      const sum = found.reduce((total, { logProbability }) => total - logProbability, 0);
      return {
        model: model.name,
        prompt,
        text: decodeIds(dictionary, [...given, ...found.map(({ id }) => id)]),
        tokens: found.map(({ id, logProbability }) => ({ token: tokenText(dictionary, id), logProbability })),
        perplexity: found.length === 0 ? null : Math.exp(sum / found.length),
        seconds,
      };
    } finally {
      model.dispose();
    }
  },
  tables: ({ model, text, perplexity }) => [
    lines(model, ...text.replace(/\n$/, "").split("\n")),
    lines(undefined, `perplexity of what it said: ${perplexity === null ? "–" : short(perplexity)}`),
  ],
});

/** What stands before the first token of a text: the end of the line before; null where the model knows none. */
export function endOf({ dictionary }: LanguageModel): number | null {
  if (dictionary.level === "byte-pairs") return tokenId(dictionary, "\n");
  const end = dictionary.tokens.indexOf(dictionary.level === "words" ? endOfLine : "\n");
  return end < 0 ? null : end;
}
