import { extname } from "node:path";
import { stackFigures, svgText } from "@gradlab/figures";
import {
  describeBackend,
  flagName,
  type InputFiles,
  isInput,
  type OptionTable,
  recordJson,
  type Study,
  studyFlags,
} from "@gradlab/studies";
import { Argument, type Command, InvalidArgumentError, Option } from "commander";
import { type CommonOptions, defineCommand, type Envelope, envelope } from "./command.js";
import { Failure } from "./failure.js";
import { writeOutput } from "./files.js";
import { filesInput, folderInput } from "./input-files.js";
import { inFlags, loadSelection, type OpenedBackend, openBackend, selectOptions } from "./open-backend.js";
import { figureDocument, renderPng } from "./pictures.js";
import { painter, type Terminal, tablesText } from "./terminal.js";

/** What a command does beside its study; nothing, for most. */
export interface StudyCommandOptions {
  /** What `--out` means, where it is no file of the result. */
  readonly out?: { readonly flag: string; readonly help: string };
  /** After the result is shown: throws where it is a failure. */
  readonly after?: (record: object, flags: CommonOptions) => void;
}

/** The command that a study is: its flags, its files, its text, its JSON and its figures. */
export function studyCommand(study: Study, terminal: Terminal, own: StudyCommandOptions = {}): Command {
  const endings = endingsOf(study);
  const command = defineCommand(
    study.name,
    study.help,
    own.out ?? { flag: "--out <file>", help: outHelp(study) },
    study.tensors ?? undefined,
  );
  for (const [name, option] of Object.entries(study.options)) {
    if (!isInput(option) || !option.positional) continue;
    command.addArgument(new Argument(`<${name}...>`, option.help));
  }
  addFlags(command, study.options);
  const examples = study.examples.map((line) => `\n  gradlab ${line}`).join("");
  const about = study.about === undefined ? "" : `\n${study.about}\n`;
  return command
    .addHelpText("after", `${about}\nExamples:${examples}`)
    .action(async (...given: unknown[]) => {
      // The command itself comes last, its flags before it, and what stands without a flag first.
      const flags = given.at(-2) as CommonOptions & Readonly<Record<string, unknown>>;
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
        throw new Failure(
          "usage",
          `${flagName(name)}: expected --out FILE.svg or FILE.png beside it, got none`,
        );
      }
      const { record, around } = await runStudy(study, flags, given.slice(0, -2), terminal);
      await showResult(study, record, around, flags, terminal);
      own.after?.(record, flags);
    });
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
  terminal: Terminal,
): Promise<{ record: object; around: Envelope }> {
  const options: Record<string, unknown> = {};
  const paths = new Map<string, string | readonly string[]>();
  for (const [name, option] of Object.entries(study.options)) {
    const value = isInput(option) && option.positional ? positional[0] : flags[name];
    if (value === undefined) continue;
    if (isInput(option)) paths.set(name, value as string | readonly string[]);
    else options[name] = value;
  }
  let opened: OpenedBackend | null = null;
  const warnings: string[] = [];
  const paint = painter(terminal.colors.stderr && flags.color);
  study.check?.(options, Object.fromEntries([...paths.keys()].map((name) => [name, true])));
  const inputs = await readInputs(study, paths);
  const events = study.run(options, inputs, {
    signal: terminal.signal,
    openBackend: async () => {
      opened ??= await openBackend(flags, terminal);
      return opened;
    },
    diagnose: async ({ benchmark }) => {
      const { doctor } = await loadSelection();
      const { candidates: tried, advice } = await doctor({ ...selectOptions(flags, terminal), benchmark });
      const candidates = inFlags(tried);
      const selected = candidates.find(({ status }) => status === "selected");
      if (selected !== undefined) opened = { ...selected, candidates };
      return { candidates, advice };
    },
  });
  for (let next = await events.next(); ; next = await events.next()) {
    if (next.done) return { record: next.value, around: envelope(study.name, flags, warnings, opened) };
    if (next.value.kind !== "warning") continue;
    warnings.push(next.value.text);
    if (!flags.quiet) terminal.log(`${paint("yellow", "warning:")} ${next.value.text}\n`);
  }
}

async function readInputs(
  study: Study,
  paths: ReadonlyMap<string, string | readonly string[]>,
): Promise<Record<string, InputFiles>> {
  const inputs: Record<string, InputFiles> = {};
  for (const [name, given] of paths) {
    const isFolder = study.options[name]!.kind === "folder";
    inputs[name] = isFolder ? await folderInput(given as string) : filesInput([given].flat());
  }
  return inputs;
}

/** Writes what `--out` asks for, prints the result, and fails where a check did not hold. */
async function showResult(
  study: Study,
  record: object,
  around: Envelope,
  flags: Flags,
  terminal: Terminal,
): Promise<void> {
  const json = `${JSON.stringify({ ...around, ...recordJson(record) }, null, 2)}\n`;
  const { out } = flags;
  if (out !== undefined) {
    await writeOutput(out, await content(study, record, extname(out), json));
    if (!flags.quiet) terminal.log(`wrote ${out}\n`);
  }
  const { actual, device, software } = around.backend;
  const on = actual === null ? undefined : describeBackend({ name: actual, device, software });
  const paint = painter(terminal.colors.stdout && flags.color);
  terminal.write(flags.json ? json : tablesText(study.tables(record, on), paint));
  const verdict = study.verdict?.(record) ?? null;
  if (verdict !== null) throw new Failure("check", verdict);
}

async function content(
  study: Study,
  record: object,
  ending: string,
  json: string,
): Promise<string | Uint8Array> {
  if (ending === ".csv" && study.csv) return study.csv(record);
  if (ending !== ".svg" && ending !== ".png") return json;
  const document = await figureDocument();
  const figures = study.figures!(record, { document }).map(({ svg }) => svg);
  const svg = svgText(figures.length === 1 ? figures[0]! : stackFigures(figures, { document }));
  return ending === ".png" ? renderPng(svg) : svg;
}

function endingsOf({ drawn, csv }: Study): string[] {
  return [...(drawn === null ? [] : [".svg", ".png"]), ".json", ...(csv ? [".csv"] : [])];
}

function outHelp({ drawn, csv }: Study): string {
  if (drawn !== null) return `write a figure: .svg or .png (${drawn}), or the result: .json`;
  return csv ? "write the table: .json or .csv" : "write the result: .json";
}
