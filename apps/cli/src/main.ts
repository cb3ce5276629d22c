import { experiments as allExperiments, type Experiment } from "@gradlab/experiments";
import {
  type AttackRecord,
  attack,
  doctor,
  studies,
  type TrainCnnRecord,
  trainCnn,
  trainGpt,
  trainLm,
} from "@gradlab/studies";
import { Command, CommanderError } from "commander";
import { attackFiles } from "./attack-files.js";
import { reproduceCommand } from "./commands/reproduce.js";

import { type ExitName, exitCodes, Failure, failureOf, messageOf } from "./failure.js";
import { expectSelected } from "./open-backend.js";
import { type StudyCommandOptions, studyCommand } from "./study-command.js";
import { painter, type Terminal } from "./terminal.js";
import { trainingHtml } from "./training-html.js";
import { version } from "./versions.js";

/**
 * Runs the command line and returns the exit code. Results go to
 * `terminal.write`, everything else to `terminal.log`.
 */
export async function main(
  argv: readonly string[],
  terminal: Terminal,
  experiments: readonly Experiment[] = allExperiments,
): Promise<number> {
  // An error must be JSON even where the flags could not be parsed.
  const json = argv.includes("--json");
  const verbose = argv.includes("--verbose");
  const color = !argv.includes("--no-color");
  const program = new Command("gradlab")
    .description("Inspect, train, explain and attack neural networks.")
    .version(version, "--version", "show the version")
    .helpOption("-h, --help", "show this help")
    .helpCommand(false)
    .showSuggestionAfterError(true)
    .addHelpText(
      "after",
      `
Examples:
  gradlab reproduce --out results
  gradlab receptive-field --net alexnet-227 --input 227 --origin one
  gradlab doctor

Exit codes: 0 done, 1 files or data, 2 wrong usage, 3 a check did not hold,
4 no usable backend, 130 interrupted.`,
    );
  for (const study of studies) program.addCommand(studyCommand(study, terminal, ownParts.get(study.name)));
  program.addCommand(reproduceCommand(terminal, experiments));
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({
      writeOut: terminal.write,
      writeErr: () => undefined, // errors are reported below, in one form
      getOutHasColors: () => terminal.colors.stdout,
    });
  }
  if (argv.length === 0) {
    terminal.write(program.helpInformation());
    return exitCodes.done;
  }
  try {
    await program.parseAsync(asFlags(argv), { from: "user" });
    return exitCodes.done;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.done;
    const failure = failureOf(error);
    const exit = exitOf(failure, terminal.signal);
    report(failure, exit, { json, verbose, color }, terminal);
    return exitCodes[exit];
  }
}

/** What commands do beside their study. */
const ownParts = new Map<string, StudyCommandOptions>([
  [doctor.name, { after: expectSelected }],
  [trainLm.name, { log: true }],
  [trainGpt.name, { log: true }],
  [
    attack.name,
    {
      folder: {
        help: "write result.json, contact-sheet.svg and .png, and every adversarial image and amplified difference as PNG there",
        files: ({ record }, figures) => attackFiles(record as AttackRecord, figures),
      },
    },
  ],
  [
    trainCnn.name,
    {
      log: true,
      folder: {
        help: "write index.html, result.json and figures there: learning curves, confusion matrix, histograms and maps by layer",
        files: ({ around, record }, figures) => [
          ["index.html", trainingHtml(around, record as TrainCnnRecord, figures)],
        ],
      },
    },
  ],
]);

function exitOf(error: unknown, signal: AbortSignal): ExitName {
  if (error instanceof CommanderError) return "usage";
  if (error instanceof Failure) return error.exit;
  return signal.aborted ? "interrupted" : "runtime";
}

function report(
  error: unknown,
  exit: ExitName,
  { json, verbose, color }: { json: boolean; verbose: boolean; color: boolean },
  terminal: Terminal,
): void {
  const message = messageOf(error)
    .replace(/^error: /, "")
    .replaceAll("\n", " ")
    .trim()
    .replace(/^(.{1000}).+$/, "$1 …");
  const stack = verbose && error instanceof Error ? error.stack : undefined;
  if (json) {
    const body = {
      schemaVersion: 1,
      error: { kind: exit, exitCode: exitCodes[exit], message, ...(stack && { stack }) },
    };
    terminal.log(`${JSON.stringify(body)}\n`);
    return;
  }
  const paint = painter(terminal.colors.stderr && color);
  terminal.log(`${paint("red", "gradlab:")} ${message}\n${stack ? `${stack}\n` : ""}`);
}

/** `help`, `help summary`, `version` and `-v` as the flags that they mean. */
function asFlags([first, ...rest]: readonly string[]): string[] {
  if (first === "help") return [...rest, "--help"];
  if (rest.length === 0 && (first === "version" || first === "-v")) return ["--version"];
  return first === undefined ? rest : [first, ...rest];
}
