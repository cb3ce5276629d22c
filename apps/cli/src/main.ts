import type { Experiment } from "@gradlab/experiments";
import { backpropCheck, doctor, gates, lms, receptiveField } from "@gradlab/studies";
import { Command, CommanderError } from "commander";
import { classifyCommand } from "./commands/classify.js";
import { reproduceCommand } from "./commands/reproduce.js";
import { summaryCommand } from "./commands/summary.js";
import { trainCnnCommand } from "./commands/train-cnn.js";
import { experiments as allExperiments } from "./experiments/registry.js";
import { type ExitName, exitCodes, Failure, failureOf, messageOf } from "./failure.js";
import { expectSelected } from "./open-backend.js";
import { studyCommand } from "./study-command.js";
import { painter, type Terminal } from "./terminal.js";
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
    .addCommand(studyCommand(receptiveField, terminal))
    .addCommand(summaryCommand(terminal))
    .addCommand(trainCnnCommand(terminal))
    .addCommand(classifyCommand(terminal))
    .addCommand(studyCommand(lms, terminal))
    .addCommand(studyCommand(gates, terminal))
    .addCommand(studyCommand(backpropCheck, terminal))
    .addCommand(reproduceCommand(terminal, experiments))
    .addCommand(studyCommand(doctor, terminal, { after: expectSelected }))
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
    await program.parseAsync(argv, { from: "user" });
    return exitCodes.done;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.done;
    const failure = failureOf(error);
    const exit = exitOf(failure, terminal.signal);
    report(failure, exit, { json, verbose, color }, terminal);
    return exitCodes[exit];
  }
}

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
