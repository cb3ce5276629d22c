import type { GptConfig } from "@gradlab/attention";
import { linePanels } from "@gradlab/figures";
import type { InputFiles, InputsOf } from "../../declaration/option.js";
import { defineStudy, type StudyContext, type StudyEvent, type Table } from "../../declaration/study.js";
import { blame, StudyError } from "../../declaration/study-error.js";
import { describeBackend, duration, grouped, lines, percent } from "../../declaration/wording.js";
import { noteName } from "../../language-models/language-model-note.js";
import { lastCheckpoint } from "../../networks/checkpoint.js";
import type { GptTraining } from "./gpt-training.js";
import { type TrainGptOptions, trainGptOptions } from "./train-gpt-options.js";
import type { GptJudgement, TrainGptRecord } from "./train-gpt-record.js";

/** Steps from one judgement to the next. */
const judgedEvery = 50;

export const trainGpt = defineStudy({
  name: "train-gpt",
  help: "train a small GPT to copy, reverse or sort, or on the characters or byte pairs of a text",
  options: trainGptOptions,
  about: `A task shows a model symbols and a separator, and asks for the symbols again. It is
judged by how many of 200 other sequences it answers right to the last symbol.
Ctrl-C ends the training in a checkpoint (exit code 130); --resume goes on from it.
A text is learned by its characters, or by byte pairs: learned from it
(--byte-pairs), or those of files as GPT-2 has them (--vocab, --merges).
gradlab sample, perplexity and embedding take its checkpoint.`,
  examples: [
    "train-gpt --task reverse",
    "train-gpt --task sort --symbols 20 --checkpoint run --out run/curves.svg",
    "train-gpt --text book.txt --context 64 --width 128 --steps 2000 --checkpoint run",
    "train-gpt --text book.txt --byte-pairs 1000 --steps 2000 --checkpoint run",
  ],
  drawn: "the loss by step",
  tensors: "where tensors live: the best that passes its self-test, or this one",
  check({ width, heads, position, resume, bytePairs }, { checkpoint, text, vocab, merges }) {
    if (width % heads !== 0) {
      throw new StudyError("usage", `{heads}: expected a divisor of {width} ${width}, got ${heads}`);
    }
    if (position === "rotary" && (width / heads) % 2 === 1) {
      const got = `got ${width / heads}`;
      throw new StudyError(
        "usage",
        `{width}: expected an even number for each head with {position} rotary, ${got}`,
      );
    }
    if (resume && !checkpoint) {
      throw new StudyError("usage", "{resume}: expected {checkpoint} DIR beside it, got none");
    }
    if ((vocab === undefined) !== (merges === undefined)) {
      const [given, other] = vocab === undefined ? ["merges", "vocab"] : ["vocab", "merges"];
      throw new StudyError("usage", `{${given}}: expected {${other}} FILE beside it, got none`);
    }
    if (bytePairs !== undefined && vocab !== undefined) {
      throw new StudyError("usage", "{bytePairs}: expected none beside {vocab}, which has its own");
    }
    const cut = bytePairs !== undefined ? "bytePairs" : vocab !== undefined ? "vocab" : null;
    if (cut !== null && text === undefined) {
      throw new StudyError("usage", `{${cut}}: expected {text} FILE beside it, got none`);
    }
  },
  run,
  tables,
  figures: ({ history }, { document }) => [
    {
      name: "curves",
      caption: "Cross-entropy by step, in nats per token, of what is trained on and of what is not.",
      svg: linePanels(
        [
          {
            title: "Loss",
            series: [
              { name: "training", points: history.map(({ step, loss }) => [step, loss]) },
              { name: "test", points: history.map(({ step, testLoss }) => [step, testLoss]) },
            ],
          },
          ...(history.some(({ exact }) => exact !== null)
            ? [
                {
                  title: "Right to the last symbol",
                  series: [
                    { name: "test", points: history.map(({ step, exact }) => [step, exact!] as const) },
                  ],
                  domain: [0, 1] as const,
                },
              ]
            : []),
        ],
        { document, xLabel: "step" },
      ),
    },
  ],
});

/** What a checkpoint says of itself; all that the next step depends on. */
interface GptNote {
  readonly config: GptConfig;
  readonly data: Omit<TrainGptRecord["data"], "charactersPerToken"> & { readonly digest: string };
  readonly training: Pick<TrainGptOptions, "batch" | "lr" | "steps" | "dropout" | "seed">;
  readonly history: readonly GptJudgement[];
  /** Of the losses since the last judgement. */
  readonly unfinished: { readonly loss: number; readonly steps: number };
}

async function* run(
  options: TrainGptOptions,
  { checkpoint, ...files }: InputsOf<typeof trainGptOptions>,
  context: StudyContext,
): AsyncGenerator<StudyEvent, TrainGptRecord> {
  const { loadGptData } = await import("./gpt-data.js");
  const data = await loadGptData(options, files);
  const { width, layers, heads, position, batch, lr, steps, dropout, seed, resume } = options;
  const config: GptConfig = {
    vocabulary: data.vocabulary,
    context: data.context,
    width,
    layers,
    heads,
    position,
  };
  const on = describeBackend(await context.openBackend());
  const { beginGpt, countGpt, gptExamples, gptSteps, judgeGpt } = await import("./gpt-training.js");
  const { disposeTraining, NonFiniteError, saveCheckpoint } = await import("@gradlab/core");
  const { source, kind, dictionary, digest, charactersPerToken } = data;
  const characters = dictionary?.level === "characters" ? dictionary.tokens.join("") : null;
  const bytePairs = dictionary?.level === "byte-pairs" ? dictionary.tokens.length : null;
  const about = {
    config,
    data: { source, kind, bytePairs, characters, digest },
    training: { batch, lr, steps, dropout, seed },
  };
  const begun = resume
    ? await resumed(checkpoint!, about)
    : { training: beginGpt(config, options), history: [], unfinished: { loss: 0, steps: 0 } };
  const { training } = begun;
  const history = [...begun.history];
  let unfinished: GptNote["unfinished"] = begun.unfinished;
  const file = async (): Promise<StudyEvent> => {
    const note: GptNote = { ...about, history, unfinished };
    // Of a text it is a language model too, which `sample` and its kin open.
    const model = dictionary && { [noteName]: { kind: "gpt", spec: config, dictionary } };
    training.extra = { "train-gpt": note, ...model } as never;
    return { kind: "file", name: lastCheckpoint, bytes: await saveCheckpoint(training) };
  };
  try {
    const params = countGpt(training);
    yield { kind: "note", text: `GPT of ${layers} blocks, ${grouped(params)} parameters, on ${on}` };
    if (resume) yield { kind: "note", text: `goes on after step ${training.step}` };
    yield { kind: "log-start", after: resume ? training.step : null };
    const started = performance.now();
    for await (const { step, loss, ...more } of gptSteps(training, config, data, options, context.signal)) {
      unfinished = { loss: unfinished.loss + loss, steps: unfinished.steps + 1 };
      yield { kind: "log", entry: { kind: "step", step, loss, ...more } };
      const per = { count: batch, unit: "sequences" };
      yield { kind: "progress", done: step, total: steps, text: `loss ${loss.toFixed(4)}`, per };
      if (step % judgedEvery !== 0 && step !== steps) continue;
      const judged = await judgeGpt(training.state, config, data);
      history.push({ step, loss: unfinished.loss / unfinished.steps, ...judged });
      unfinished = { loss: 0, steps: 0 };
      yield { kind: "note", text: judgementLine(history.at(-1)!, steps) };
      if (checkpoint !== undefined) yield await file();
    }
    return {
      config,
      params,
      data: { source, kind, characters, bytePairs, charactersPerToken },
      steps: training.step,
      seconds: (performance.now() - started) / 1000,
      history,
      examples: await gptExamples(training.state, config, data, context.signal),
      checkpoint: checkpoint === undefined ? null : `${checkpoint.label}/${lastCheckpoint}`,
    };
  } catch (error) {
    if (context.signal.aborted && error === context.signal.reason) {
      if (checkpoint !== undefined) yield await file();
      const kept =
        checkpoint === undefined
          ? "nothing was kept ({checkpoint} DIR keeps it)"
          : `${checkpoint.label}/${lastCheckpoint} holds it ({resume} goes on)`;
      throw new StudyError("interrupted", `interrupted after step ${training.step}; ${kept}`);
    }
    if (!(error instanceof NonFiniteError)) throw error;
    const text = `the training diverged at step ${error.step + 1}; try an {lr} below ${lr}`;
    throw new StudyError("input", text, { cause: error });
  } finally {
    disposeTraining(training);
  }
}

/** The training in a folder's checkpoint, which must be the one that the options describe. */
async function resumed(
  folder: InputFiles,
  now: Pick<GptNote, "config" | "data" | "training">,
): Promise<Pick<GptNote, "history" | "unfinished"> & { readonly training: GptTraining }> {
  const { loadGpt } = await import("./gpt-training.js");
  const { disposeTraining, readCheckpointHeader } = await import("@gradlab/core");
  const label = `${folder.label}/${lastCheckpoint}`;
  const bytes = await folder.read(lastCheckpoint);
  return blame("input", label, () => {
    const note = (readCheckpointHeader(bytes).extra as { "train-gpt"?: GptNote } | null)?.["train-gpt"];
    if (note?.config === undefined || !Array.isArray(note.history)) {
      throw new RangeError("expected a checkpoint of gradlab train-gpt, got one of another training");
    }
    for (const part of ["data", "config", "training"] as const) {
      const known = note[part] as unknown as Readonly<Record<string, unknown>>;
      for (const [option, value] of Object.entries(now[part])) {
        // The same text by another path is the same text.
        if (option === "source" && now.data.kind === "text") continue;
        if (known[option] === value) continue;
        const isText = part === "data" && option !== "bytePairs";
        const name = isText ? `{${now.data.kind}}` : `{${option}}`;
        const [expected, got] = isText ? ["the one", "another"] : [known[option] ?? "none", value ?? "none"];
        throw new StudyError("usage", `${name}: expected ${expected} as in ${label}, got ${got}`);
      }
    }
    const training = loadGpt(bytes, now.config);
    try {
      return { training, history: note.history, unfinished: note.unfinished };
    } catch (error) {
      disposeTraining(training);
      throw error;
    }
  });
}

function judgementLine({ step, loss, testLoss, exact }: GptJudgement, steps: number): string {
  const right = exact === null ? "" : `, right to the last symbol ${percent(exact)}`;
  return `step ${`${step}`.padStart(`${steps}`.length)} of ${steps} · loss ${loss.toFixed(4)} · test loss ${testLoss.toFixed(4)}${right}`;
}

function tables({ config, params, data, steps, seconds, history, examples }: TrainGptRecord): Table[] {
  const last = history.at(-1);
  const judged =
    last === undefined
      ? "not judged"
      : last.exact === null
        ? `test loss ${last.testLoss.toFixed(4)} nats per ${data.bytePairs === null ? "character" : "token"}, perplexity ${Math.exp(last.testLoss).toFixed(2)}${perCharacter(last.testLoss, data)}`
        : `test loss ${last.testLoss.toFixed(4)}, ${percent(last.exact)} of 200 sequences right to the last symbol`;
  return [
    lines(
      `GPT of ${config.layers} blocks, width ${config.width}, ${config.heads} heads, ${grouped(params)} parameters: ${data.source}, ${steps} steps, ${duration(seconds)}`,
      judged,
    ),
    {
      columns: [{ title: "read" }, { title: "written" }, { title: "" }],
      rows: examples.map(({ read, written, known }) => [
        visible(read),
        visible(written),
        known === null ? "" : known === written ? "right" : `should be ${known}`,
      ]),
      notes: [],
    },
  ];
}

/** What can be compared with models of other tokens. */
function perCharacter(loss: number, { bytePairs, charactersPerToken }: TrainGptRecord["data"]): string {
  if (bytePairs === null || charactersPerToken === null) return "";
  return `; ${(loss / charactersPerToken).toFixed(4)} nats per character, ${charactersPerToken.toFixed(2)} of them in a token`;
}

/** A text in one line. */
const visible = (text: string) => text.replaceAll("\n", "↵").replaceAll("\t", "⇥");
