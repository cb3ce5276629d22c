import { extname, join } from "node:path";
import { stackFigures, svgText } from "@gradlab/figures";
import {
  describeBackend,
  type Figure,
  flagName,
  type InputFiles,
  type InputOption,
  isInput,
  type OptionTable,
  recordJson,
  type Study,
  studyFlags,
} from "@gradlab/studies";
import { Argument, type Command, InvalidArgumentError, Option } from "commander";
import { type CommonOptions, defineCommand } from "./command.js";
import { type Envelope, envelope } from "./envelope.js";
import { Failure } from "./failure.js";
import { prepareFolder, writeOutput, writeOutputs } from "./files.js";
import { fileInput, filesInput, folderInput } from "./input-files.js";
import { keepFolder } from "./kept-folder.js";
import { diagnose, type OpenedBackend, openBackend } from "./open-backend.js";
import { figureDocument, renderPng } from "./pictures.js";
import { startListener } from "./study-listener.js";
import { painter, type Terminal, tablesText } from "./terminal.js";

/** What a command does beside its study; nothing, for most. */
export interface StudyCommandOptions {
  /** What `--out` means, where it is a folder and no file of the result. */
  readonly folder?: {
    readonly help: string;
    /** What is written there, by name. */
    readonly files: (result: Result, figures: readonly Figure[]) => NamedFiles | Promise<NamedFiles>;
  };
  /** It has a log: `--log <file>`. */
  readonly log?: true;
  /** After the result is shown: throws where it is a failure. */
  readonly after?: (record: object, flags: CommonOptions) => void;
}

/** Contents by the names of their files. */
type NamedFiles = readonly (readonly [name: string, content: string | Uint8Array])[];

/** What a study came to, and what stands around it in JSON. */
interface Result {
  readonly study: Study;
  readonly record: object;
  readonly around: Envelope;
}

/** The command that a study is: its flags, its files, its text, its JSON and its figures. */
export function studyCommand(study: Study, terminal: Terminal, own: StudyCommandOptions = {}): Command {
  const { folder, log, after } = own;
  const command = defineCommand(
    study.name,
    study.help,
    folder ? { flag: "--out <dir>", help: folder.help } : { flag: "--out <file>", help: outHelp(study) },
    study.tensors ?? undefined,
  );
  for (const [name, option] of Object.entries(study.options)) {
    if (!isInput(option) || !option.positional) continue;
    command.addArgument(new Argument(option.optional ? `[${name}...]` : `<${name}...>`, option.help));
  }
  addFlags(command, study.options);
  if (log) command.option("--log <file>", "write a line of JSON per step and per epoch");
  const examples = study.examples.map((line) => `\n  gradlab ${line}`).join("");
  const about = study.about === undefined ? "" : `\n${study.about}\n`;
  command.addHelpText("after", `${about}\nExamples:${examples}`);
  return command.action(async (...given: unknown[]) => {
    // The command itself comes last, its flags before it, and what stands without a flag first.
    const flags = given.at(-2) as Flags;
    if (!folder) checkOut(study, flags);
    const filled = folder && flags.out !== undefined ? [flags.out] : [];
    const result = await runStudy(study, flags, given.slice(0, -2), { terminal, filled });
    if (flags.out !== undefined) {
      const written = folder
        ? await writeFolder(flags.out, result, folder.files)
        : await writeResult(flags.out, result);
      if (!flags.quiet) terminal.log(`wrote ${namesOf(written)}\n`);
    }
    show(result, flags, terminal);
    after?.(result.record, flags);
    const verdict = study.verdict?.(result.record) ?? null;
    if (verdict !== null) throw new Failure("check", verdict);
  });
}

/** A picture for every image is too much to read. */
function namesOf(written: readonly string[]): string {
  if (written.length <= 6) return written.join(", ");
  return `${written.slice(0, 3).join(", ")} and ${written.length - 3} more files`;
}

/** Refuses endings that nothing is written in, and pictures for a figure that nobody asked for. */
function checkOut(study: Study, flags: Flags): void {
  const endings = endingsOf(study);
  const ending = flags.out === undefined ? null : extname(flags.out);
  if (ending !== null && !endings.includes(ending)) {
    const names =
      endings.length === 1 ? endings[0] : `${endings.slice(0, -1).join(", ")} or ${endings.at(-1)}`;
    throw new Failure(
      "usage",
      `--out: expected a name that ends in ${names}, got ${JSON.stringify(flags.out)}`,
    );
  }
  for (const [name, option] of Object.entries(study.options)) {
    if (!isInput(option) || !option.drawn || flags[name] === undefined) continue;
    if (ending === ".svg" || ending === ".png") continue;
    throw new Failure("usage", `${flagName(name)}: expected --out FILE.svg or FILE.png beside it, got none`);
  }
}

function addFlags(command: Command, options: OptionTable): void {
  for (const flag of studyFlags(options)) {
    // Every command has it.
    if (flag.option === "seed") continue;
    const option = new Option(flag.flags, flag.help);
    if (flag.choices !== null) option.choices(flag.choices);
    else if (flag.flags.includes("<")) {
      option.argParser((text) => {
        try {
          return flag.parse(text);
        } catch (error) {
          throw new InvalidArgumentError(`Expected ${(error as Error).message}.`);
        }
      });
    }
    if (flag.default !== undefined) option.default(flag.default);
    if (flag.required) option.makeOptionMandatory();
    command.addOption(option);
  }
}

type Flags = CommonOptions & Readonly<Record<string, unknown>>;

/** Runs a study with what the flags say, and says what it says meanwhile. */
async function runStudy(
  study: Study,
  flags: Flags,
  positional: readonly unknown[],
  { terminal, filled }: { readonly terminal: Terminal; readonly filled: readonly string[] },
): Promise<Result> {
  const { options, paths } = sorted(study, flags, positional);
  study.check?.(options, Object.fromEntries([...paths].map(([name, path]) => [name, [path].flat()[0]!])));
  const say = (line: string) => {
    if (!flags.quiet) terminal.log(`${line}\n`);
  };
  const keep = await keepFolder(keptPath(study, paths), say);
  try {
    const inputs = await readInputs(study, paths);
    const unready = [...filled.map((folder) => () => prepareFolder(folder)), keep.prepare];
    return await runWith(study, { options, inputs, flags, unready }, terminal, keep.path);
  } finally {
    await keep.release();
  }
}

interface Given {
  readonly options: Record<string, unknown>;
  readonly inputs: Record<string, InputFiles>;
  readonly flags: Flags;
  /** A folder that cannot be written is told when the work begins, not when it ends. */
  readonly unready: (() => Promise<void>)[];
}

async function runWith(
  study: Study,
  { options, inputs, flags, unready }: Given,
  terminal: Terminal,
  keep: string | null,
): Promise<Result> {
  let opened: OpenedBackend | null = null;
  const events = study.run(options, inputs, {
    signal: terminal.signal,
    openBackend: async () => {
      opened ??= await openBackend(flags, terminal);
      return opened;
    },
    diagnose: async ({ benchmark }) => {
      const diagnosis = await diagnose(flags, terminal, benchmark);
      const selected = diagnosis.candidates.find(({ status }) => status === "selected");
      if (selected !== undefined) opened = { ...selected, candidates: diagnosis.candidates };
      return diagnosis;
    },
  });
  const listener = startListener(flags, terminal, keep);
  try {
    for (let next = await events.next(); ; next = await events.next()) {
      if (next.done) {
        const around = envelope(study.name, flags, listener.warnings, opened);
        return { study, record: next.value, around };
      }
      for (const prepare of unready.splice(0)) await prepare();
      await listener.hear(next.value);
    }
  } finally {
    await listener.end();
  }
}

/** What the flags say to a study: options, and the paths of its files. */
function sorted(study: Study, flags: Flags, positional: readonly unknown[]) {
  const options: Record<string, unknown> = {};
  const paths = new Map<string, string | readonly string[]>();
  for (const [name, option] of Object.entries(study.options)) {
    const value = isInput(option) && option.positional ? positional[0] : flags[name];
    if (value === undefined || (isInput(option) && value === option.none)) continue;
    // What stands without a flag and may be left out was.
    if (Array.isArray(value) && value.length === 0) continue;
    if (isInput(option)) paths.set(name, value as string | readonly string[]);
    else options[name] = value;
  }
  return { options, paths };
}

async function readInputs(
  study: Study,
  paths: ReadonlyMap<string, string | readonly string[]>,
): Promise<Record<string, InputFiles>> {
  const inputs: Record<string, InputFiles> = {};
  for (const [name, given] of paths) {
    const option = study.options[name] as InputOption;
    const path = given as string;
    if (option.kind === "folder") inputs[name] = await folderInput(path, option.kept ? null : flagName(name));
    else if (option.kind === "pictures") inputs[name] = filesInput(given as readonly string[]);
    else inputs[name] = await fileInput(path, option.inFolder);
  }
  return inputs;
}

/** Where files that a study keeps go. */
function keptPath(
  study: Study,
  paths: ReadonlyMap<string, string | readonly string[]>,
): readonly [option: string, path: string] | null {
  const found = [...paths].find(([name]) => (study.options[name] as InputOption).kept);
  return found === undefined ? null : [found[0], found[1] as string];
}

/** Writes what `--out` asks for, in the form that its ending says. */
async function writeResult(out: string, result: Result): Promise<string[]> {
  const { study, record } = result;
  const ending = extname(out);
  if (ending === ".csv" && study.csv) await writeOutput(out, study.csv(record));
  else if (ending === ".json") await writeOutput(out, jsonOf(result));
  else {
    const document = await figureDocument();
    const figures = study.figures!(record, { document }).map(({ svg }) => svg);
    const svg = svgText(figures.length === 1 ? figures[0]! : stackFigures(figures, { document }));
    await writeOutput(out, ending === ".png" ? await renderPng(svg) : svg);
  }
  return [out];
}

async function writeFolder(
  out: string,
  result: Result,
  filesOf: NonNullable<StudyCommandOptions["folder"]>["files"],
): Promise<string[]> {
  const figures = result.study.figures!(result.record, { document: await figureDocument() });
  const files = [
    ["result.json", jsonOf(result)] as const,
    ...figures.map(({ name, svg }) => [`${name}.svg`, svgText(svg)] as const),
    ...(await filesOf(result, figures)),
  ].map(([name, content]) => [join(out, name), content] as const);
  await writeOutputs(files);
  return files.map(([file]) => file);
}

const jsonOf = ({ around, record }: Result) =>
  `${JSON.stringify({ ...around, ...recordJson(record) }, null, 2)}\n`;

function show(result: Result, flags: Flags, terminal: Terminal): void {
  const { study, record, around } = result;
  const { actual, device, software } = around.backend;
  const on = actual === null ? undefined : describeBackend({ name: actual, device, software });
  const paint = painter(terminal.colors.stdout && flags.color);
  terminal.write(flags.json ? jsonOf(result) : tablesText(study.tables(record, on), paint, terminal.columns));
}

function endingsOf({ drawn, csv }: Study): string[] {
  return [...(drawn === null ? [] : [".svg", ".png"]), ".json", ...(csv ? [".csv"] : [])];
}

function outHelp({ drawn, csv }: Study): string {
  if (drawn !== null) return `write a figure: .svg or .png (${drawn}), or the result: .json`;
  return csv ? "write the table: .json or .csv" : "write the result: .json";
}
