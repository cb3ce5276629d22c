import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { CandidateName, CandidateReport } from "@gradlab/backend-select";
import type { Command } from "commander";
import { type CommonOptions, defineCommand, type Envelope, envelope } from "../command.js";
import type { Check, Experiment, Figure, Laboratory } from "../experiments/experiment.js";
import { Failure, messageOf } from "../failure.js";
import { prepareFolder, writeOutputs } from "../files.js";
import { openLaboratory } from "../laboratory.js";
import { allowsSoftwareGpu, describeBackend, type OpenedBackend, openBackend } from "../open-backend.js";
import { figureDocument } from "../pictures.js";
import { reportHtml } from "../report/report-html.js";
import { type Paint, painter, type Terminal, textTable } from "../terminal.js";

interface Flags extends CommonOptions {
  readonly list?: boolean;
  readonly only?: readonly string[];
  readonly data?: string;
  readonly out: string;
}

/** What the report says of one experiment. */
interface ExperimentResult {
  readonly id: string;
  readonly title: string;
  readonly package: string;
  /** Where its tensors lived; null where it computed without. */
  readonly backend: CandidateName | null;
  readonly seconds: number;
  readonly checks: readonly Check[];
}

/** `report.json`. */
export interface Report extends Envelope {
  /** What came of every backend, where one was needed. */
  readonly candidates: readonly CandidateReport[];
  readonly experiments: readonly ExperimentResult[];
}

export interface ShownResult {
  readonly experiment: Experiment;
  readonly result: ExperimentResult;
  readonly figures: readonly Figure[];
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
  const chosen = choose(experiments, flags.only);
  if (flags.list) {
    const list = chosen.map(({ id, title }) => ({ id, title, package: packageOf(id) }));
    terminal.write(
      flags.json
        ? `${JSON.stringify({ ...envelope("reproduce", flags, []), experiments: list }, null, 2)}\n`
        : `${list.map(({ id, title }) => `${id}  ${title}`).join("\n")}\n`,
    );
    return;
  }
  const { out = "out" } = flags;
  const warnings: string[] = [];
  // Progress stands on a line that ends with its verdict; what comes between starts a new one.
  let openLine = false;
  const say = (text: string, { startsLine = true } = {}) => {
    if (flags.quiet) return;
    terminal.log(`${openLine && startsLine ? "\n" : ""}${text}`);
    openLine = !text.endsWith("\n");
  };
  const warn = (warning: string) => {
    if (warnings.includes(warning)) return;
    warnings.push(warning);
    say(`${paint("yellow", "warning:")} ${warning}\n`);
  };
  const paint = painter(terminal.colors.stderr && flags.color);
  const data = await dataFolder(flags.data, terminal.env.GRADLAB_DATA, warn);
  await prepareFolder(out);
  const needed = chosen.some(({ usesBackend }) => usesBackend);
  const opened = needed ? await openBackend(flags, terminal) : null;
  if (opened !== null) say(`${paint("dim", "backend")} ${describeBackend(opened)}\n`);
  const laboratory = openLaboratory({
    seed: flags.seed,
    document: await figureDocument(),
    signal: terminal.signal,
    backend: opened,
    data,
    warn,
  });
  const shown: ShownResult[] = [];
  for (const [i, experiment] of chosen.entries()) {
    terminal.signal.throwIfAborted();
    const started = performance.now();
    say(`${paint("dim", `[${i + 1}/${chosen.length}]`)} ${experiment.id} … `);
    const outcome = await runExperiment(experiment, laboratory).catch((error: unknown) => {
      say("failed\n", { startsLine: false });
      throw error;
    });
    const seconds = Math.round(performance.now() - started) / 1000;
    const failed = outcome.checks.filter(({ ok }) => !ok).length;
    const verdict = failed === 0 ? paint("green", "agrees") : paint("red", `${failed} disagree`);
    say(`${verdict} ${paint("dim", `${seconds.toFixed(1)} s`)}\n`, { startsLine: false });
    shown.push({
      experiment,
      result: {
        id: experiment.id,
        title: experiment.title,
        package: packageOf(experiment.id),
        backend: experiment.usesBackend ? opened!.name : null,
        seconds,
        checks: outcome.checks,
      },
      figures: outcome.figures,
    });
  }
  const report: Report = {
    ...envelope("reproduce", { ...flags, out }, warnings, opened),
    candidates: opened?.candidates ?? [],
    experiments: shown.map(({ result }) => result),
  };
  const html = join(out, "report.html");
  await writeOutputs([
    [
      html,
      reportHtml(report, shown, commandLine({ ...flags, data }, out, allowsSoftwareGpu(flags, terminal.env))),
    ],
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

/** The command that repeats the run. */
function commandLine(
  { only, data, seed, backend }: Pick<Flags, "only" | "seed" | "backend"> & { data: string | undefined },
  out: string,
  softwareGpu: boolean,
): string {
  const word = (text: string) => (/^[\w./,:=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
  return [
    "gradlab reproduce",
    only && `--only ${word(only.join(","))}`,
    data !== undefined && `--data ${word(data)}`,
    seed !== 0 && `--seed ${seed}`,
    backend !== "auto" && `--backend ${backend}`,
    softwareGpu && "--allow-software-gpu",
    `--out ${word(out)}`,
  ]
    .filter(Boolean)
    .join(" ");
}

const packageOf = (id: string) => id.slice(0, id.indexOf("/"));

function choose(
  experiments: readonly Experiment[],
  only: readonly string[] | undefined,
): readonly Experiment[] {
  if (only === undefined) return experiments;
  for (const wanted of only) {
    if (!experiments.some(({ id }) => id === wanted || packageOf(id) === wanted)) {
      const known = experiments.map(({ id }) => id).join(", ");
      throw new Failure("usage", `--only: expected one of ${known}, got ${JSON.stringify(wanted)}`);
    }
  }
  return experiments.filter(({ id }) => only.includes(id) || only.includes(packageOf(id)));
}

async function dataFolder(
  flag: string | undefined,
  variable: string | undefined,
  warn: (warning: string) => void,
): Promise<string | undefined> {
  const folder = flag ?? (variable === "" ? undefined : variable);
  if (folder === undefined) return undefined;
  try {
    await readdir(folder);
    return folder;
  } catch (error) {
    const what = flag === undefined ? "GRADLAB_DATA" : "--data";
    const { code } = error as NodeJS.ErrnoException;
    const message = `${what}: ${folder}: ${code === "ENOENT" ? "no such folder" : code === "ENOTDIR" ? "not a folder" : messageOf(error)}`;
    // A folder that was asked for must be there; one that the environment offers may be missing.
    if (flag !== undefined) throw new Failure("runtime", message, { cause: error });
    warn(`${message}; using generated input`);
    return undefined;
  }
}

async function runExperiment(experiment: Experiment, laboratory: Laboratory) {
  try {
    return await experiment.run(laboratory);
  } catch (error) {
    if (error instanceof Failure || laboratory.signal.aborted) throw error;
    throw new Failure("runtime", `${experiment.id}: ${messageOf(error)}`, { cause: error });
  }
}

function summary(
  shown: readonly ShownResult[],
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
  const table = textTable(
    [
      { title: "experiment" },
      { title: "values", align: "right" },
      { title: "verdict" },
      { title: "backend" },
      { title: "time", align: "right" },
    ],
    rows,
    paint,
  );
  const all = shown.flatMap(({ result }) => result.checks);
  const agreeing = all.filter(({ ok }) => ok).length;
  const line = `${agreeing} of ${all.length} known values reproduced`;
  const where = opened === null ? "" : `backend: ${describeBackend(opened)}\n`;
  return `${table}\n\n${paint(agreeing === all.length ? "green" : "red", line)}\n${where}report: ${html}\n`;
}
