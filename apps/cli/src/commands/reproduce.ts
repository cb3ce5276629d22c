import { join } from "node:path";
import {
  chooseExperiments,
  type Experiment,
  packageOf,
  type Report,
  type Reproduced,
  type ReproduceEvent,
  type Reproduction,
  reportHtml,
  reproduce,
} from "@gradlab/experiments";
import { describeBackend, type InputFiles, messageOf, shellWord } from "@gradlab/studies";
import type { Command } from "commander";
import { type CommonOptions, defineCommand } from "../command.js";
import { envelope } from "../envelope.js";
import { Failure } from "../failure.js";
import { prepareFolder, writeOutputs } from "../files.js";
import { folderInput } from "../input-files.js";
import { allowsSoftwareGpu, type OpenedBackend, openBackend } from "../open-backend.js";
import { figureDocument } from "../pictures.js";
import { type Paint, painter, type Terminal, tablesText } from "../terminal.js";

interface Flags extends CommonOptions {
  readonly list?: boolean;
  readonly only?: readonly string[];
  readonly data?: string;
  readonly out: string;
}

export function reproduceCommand(terminal: Terminal, experiments: readonly Experiment[]): Command {
  return defineCommand(
    "reproduce",
    "compute known results again, compare, and write a report",
    {
      flag: "--out <dir>",
      help: "folder for report.html and report.json (default: out)",
    },
    "where tensors live: the best that passes its self-test, or this one; loaded if an experiment needs one",
  )
    .option("--list", "name the experiments and stop")
    .option("--only <ids>", "run these experiments, or those of a package (comma-separated)", (text) =>
      text.split(",").map((id) => id.trim()),
    )
    .option("--data <dir>", "folder with real data: images/, … (default: $GRADLAB_DATA)")
    .addHelpText(
      "after",
      "\nExamples:\n  gradlab reproduce\n  gradlab reproduce --only receptive-field/alexnet-227 --out results --json",
    )
    .action((flags: Flags) => run(flags, terminal, experiments));
}

async function run(flags: Flags, terminal: Terminal, experiments: readonly Experiment[]): Promise<void> {
  const chosen = chooseExperiments(experiments, flags.only);
  if (flags.list) {
    const list = chosen.map(({ id, title }) => ({ id, title, package: packageOf(id) }));
    terminal.write(
      flags.json
        ? `${JSON.stringify({ ...envelope("reproduce", flags, []), experiments: list }, null, 2)}\n`
        : `${list.map(({ id, title }) => `${id}  ${title}`).join("\n")}\n`,
    );
    return;
  }
  const { out = "out", seed } = flags;
  const printer = startPrinter(flags, terminal);
  const data = await dataFolder(flags.data, terminal.env.GRADLAB_DATA, printer.warn);
  await prepareFolder(out);
  const needed = chosen.some(({ usesBackend }) => usesBackend);
  const opened = needed ? await openBackend(flags, terminal) : null;
  if (opened !== null) printer.say(`${printer.paint("dim", "backend")} ${describeBackend(opened)}\n`);
  const context = { signal: terminal.signal, openBackend: async () => opened! };
  const { shown, leftOut } = await printed(
    reproduce(chosen, { seed }, data === null ? {} : { data }, context),
    printer,
  );
  const report: Report = {
    ...envelope("reproduce", { ...flags, out }, printer.warnings, opened),
    candidates: opened?.candidates ?? [],
    experiments: shown.map(({ result }) => result),
    leftOut,
  };
  const html = join(out, "report.html");
  const softwareGpu = allowsSoftwareGpu(flags, terminal.env);
  const command = commandLine({ ...flags, data: data?.label }, out, softwareGpu);
  const document = await figureDocument();
  await writeOutputs([
    [html, reportHtml(report, shown, { command, document })],
    [join(out, "report.json"), `${JSON.stringify(report, null, 2)}\n`],
  ]);
  terminal.write(
    flags.json
      ? `${JSON.stringify(report, null, 2)}\n`
      : summary(shown, opened, html, painter(terminal.colors.stdout && flags.color)),
  );
  const failed = report.experiments.flatMap(({ id, checks }) =>
    checks.flatMap(({ ok, name }) => (ok ? [] : [`${id}: ${name}`])),
  );
  if (failed.length > 0) {
    throw new Failure(
      "check",
      `${failed.length} ${failed.length === 1 ? "value disagrees" : "values disagree"}: ${failed.join("; ")}`,
    );
  }
}

/** Progress on stderr, and the warnings that belong to the report. */
interface Printer {
  readonly paint: Paint;
  readonly say: (text: string, options?: { readonly startsLine: boolean }) => void;
  readonly warn: (warning: string) => void;
  readonly warnings: readonly string[];
}

function startPrinter(flags: Flags, terminal: Terminal): Printer {
  const paint = painter(terminal.colors.stderr && flags.color);
  const warnings: string[] = [];
  // Progress stands on a line that ends with its verdict; what comes between starts a new one.
  let openLine = false;
  const say: Printer["say"] = (text, { startsLine } = { startsLine: true }) => {
    if (flags.quiet) return;
    terminal.log(`${openLine && startsLine ? "\n" : ""}${text}`);
    openLine = !text.endsWith("\n");
  };
  const warn = (warning: string) => {
    if (warnings.includes(warning)) return;
    warnings.push(warning);
    say(`${paint("yellow", "warning:")} ${warning}\n`);
  };
  return { paint, say, warn, warnings };
}

/** Prints what is said of experiments as they run; returns what came of all of them. */
async function printed(
  events: AsyncGenerator<ReproduceEvent, Reproduction>,
  { paint, say, warn }: Printer,
): Promise<Reproduction> {
  const end = { startsLine: false };
  let isRunning = false;
  try {
    for (let next = await events.next(); ; next = await events.next()) {
      if (next.done) return next.value;
      const event = next.value;
      if (event.kind === "warning") warn(event.text);
      if (event.kind === "started" || event.kind === "finished") isRunning = event.kind === "started";
      if (event.kind === "started") {
        say(`${paint("dim", `[${event.index + 1}/${event.of}]`)} ${event.experiment.id} … `);
      }
      if (event.kind === "finished") {
        const { checks, seconds } = event.reproduced.result;
        const failed = checks.filter(({ ok }) => !ok).length;
        const verdict = failed === 0 ? paint("green", "agrees") : paint("red", `${failed} disagree`);
        say(`${verdict} ${paint("dim", `${seconds.toFixed(1)} s`)}\n`, end);
      }
    }
  } catch (error) {
    if (isRunning) say("failed\n", end);
    throw error;
  }
}

/** The command that repeats the run. */
function commandLine(
  { only, data, seed, backend }: Pick<Flags, "only" | "seed" | "backend"> & { data: string | undefined },
  out: string,
  softwareGpu: boolean,
): string {
  return [
    "gradlab reproduce",
    only && `--only ${shellWord(only.join(","))}`,
    data !== undefined && `--data ${shellWord(data)}`,
    seed !== 0 && `--seed ${seed}`,
    backend !== "auto" && `--backend ${backend}`,
    softwareGpu && "--allow-software-gpu",
    `--out ${shellWord(out)}`,
  ]
    .filter(Boolean)
    .join(" ");
}

async function dataFolder(
  flag: string | undefined,
  variable: string | undefined,
  warn: (warning: string) => void,
): Promise<InputFiles | null> {
  // A folder that was asked for must be there; one that the environment offers may be missing.
  if (flag !== undefined) return folderInput(flag, "--data");
  if (variable === undefined || variable === "") return null;
  try {
    return await folderInput(variable, "GRADLAB_DATA");
  } catch (error) {
    warn(`${messageOf(error)}; using generated input`);
    return null;
  }
}

function summary(
  shown: readonly Reproduced[],
  opened: OpenedBackend | null,
  html: string,
  paint: Paint,
): string {
  const rows = shown.map(({ result: { id, checks, backend, seconds } }) => {
    const agreeing = checks.filter(({ ok }) => ok).length;
    return [
      id,
      `${agreeing} of ${checks.length}`,
      agreeing === checks.length ? "agrees" : "DISAGREES",
      backend ?? "–",
      `${seconds.toFixed(1)} s`,
    ];
  });
  const columns = [
    { title: "experiment" },
    { title: "values", align: "right" as const },
    { title: "verdict" },
    { title: "backend" },
    { title: "time", align: "right" as const },
  ];
  const table = tablesText([{ columns, rows, notes: [] }], paint);
  const all = shown.flatMap(({ result }) => result.checks);
  const agreeing = all.filter(({ ok }) => ok).length;
  const line = `${agreeing} of ${all.length} known values reproduced`;
  const where = opened === null ? "" : `backend: ${describeBackend(opened)}\n`;
  return `${table}\n${paint(agreeing === all.length ? "green" : "red", line)}\n${where}report: ${html}\n`;
}
