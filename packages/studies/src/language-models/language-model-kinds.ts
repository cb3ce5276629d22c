import type { InputFiles, InputOption } from "../declaration/option.js";
import { blame, StudyError } from "../declaration/study-error.js";
import { lastCheckpoint } from "../networks/checkpoint.js";
import type { LanguageModel, LanguageModelKind } from "./language-model.js";
import { languageModelNote } from "./language-model-note.js";

/** The kinds of language models, by the name in their checkpoints. A kind of your own is a file and a line here. */
const languageModelKinds: Readonly<Record<string, () => Promise<LanguageModelKind>>> = {
  gpt: async () => (await import("./gpt-kind.js")).gptKind,
  "rnn-lm": async () => (await import("./recurrent-kind.js")).recurrentKind,
};

/** Names the model in every study that uses one. */
export const modelOption = {
  kind: "file",
  inFolder: lastCheckpoint,
  help: "a checkpoint of gradlab train-lm or train-gpt --text, or its folder",
} as const satisfies InputOption;

/** The model in a checkpoint. The backend must be there. */
export async function openLanguageModel(file: InputFiles | undefined): Promise<LanguageModel> {
  if (file === undefined) throw new StudyError("usage", "{model}: expected a checkpoint, got none");
  const bytes = await file.read(file.names[0]!);
  const note = blame("input", file.label, () => languageModelNote(bytes));
  const kind = languageModelKinds[note.kind];
  if (kind === undefined) {
    const known = Object.keys(languageModelKinds).join(", ");
    throw new StudyError("input", `${file.label}: expected a model of the kind ${known}, got ${note.kind}`);
  }
  const { open } = await kind();
  return blame("input", file.label, () => open(bytes, note));
}
