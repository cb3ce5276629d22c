import { extname } from "node:path";
import type { CandidateReport } from "@gradlab/backend-select";
import type { Command } from "commander";
import { type CommonOptions, defineCommand, envelope } from "../command.js";
import { Failure } from "../failure.js";
import { writeOutput } from "../files.js";
import { inFlags, loadSelection, noBackend, selectOptions } from "../open-backend.js";
import { type Paint, painter, type Terminal, textTable } from "../terminal.js";

interface Flags extends CommonOptions {
  readonly benchmark: boolean;
}

export function doctorCommand(terminal: Terminal): Command {
  return defineCommand(
    "doctor",
    "which backends work on this machine, and why the others do not",
    {
      flag: "--out <file>",
      help: "write the result: .json",
    },
    "try this one alone",
  )
    .option(
      "--benchmark",
      "prefer the fastest at training a small network, instead of the usual order",
      false,
    )
    .addHelpText(
      "after",
      `
Every backend must load, compute and differentiate what it is asked to before it counts as usable. The time is what
that took; with --benchmark, the step is one of a small network. Exit code 4 when none is usable.

Examples:
  gradlab doctor
  gradlab doctor --backend webgpu --allow-software-gpu
  gradlab doctor --json --out backends.json`,
    )
    .action((flags: Flags) => run(flags, terminal));
}

async function run(flags: Flags, terminal: Terminal): Promise<void> {
  const { out, benchmark } = flags;
  if (out !== undefined && extname(out) !== ".json") {
    throw new Failure("usage", `--out: expected a name that ends in .json, got ${JSON.stringify(out)}`);
  }
  const { doctor } = await loadSelection();
  const { candidates: tried, advice } = await doctor({ ...selectOptions(flags, terminal), benchmark });
  const candidates = inFlags(tried);
  const selected = candidates.find(({ status }) => status === "selected");
  const opened = selected === undefined ? null : { ...selected, candidates };
  const result = { ...envelope("doctor", flags, [], opened), candidates, advice };
  if (out !== undefined) {
    await writeOutput(out, `${JSON.stringify(result, null, 2)}\n`);
    if (!flags.quiet) terminal.log(`wrote ${out}\n`);
  }
  terminal.write(
    flags.json
      ? `${JSON.stringify(result, null, 2)}\n`
      : describe(candidates, advice, painter(terminal.colors.stdout && flags.color)),
  );
  if (selected === undefined) throw noBackend(flags, candidates);
}

function describe(candidates: readonly CandidateReport[], advice: readonly string[], paint: Paint): string {
  const timed = candidates.some(({ stepMilliseconds }) => stepMilliseconds !== undefined);
  const table = textTable(
    [
      { title: "backend" },
      { title: "status" },
      { title: "time", align: "right" },
      ...(timed ? [{ title: "step", align: "right" as const }] : []),
      { title: "device" },
      { title: "reason" },
    ],
    candidates.map(({ name, status, milliseconds, stepMilliseconds, device, software, reason }) => [
      name,
      status,
      milliseconds === null ? "–" : `${Math.round(milliseconds)} ms`,
      ...(timed ? [stepMilliseconds === undefined ? "–" : `${stepMilliseconds.toFixed(1)} ms`] : []),
      device === null ? "–" : `${device}${software ? " (software)" : ""}`,
      reason ?? "",
    ]),
    paint,
  );
  const lines = advice.map((line) => `- ${line}`);
  return `${[table, ...(lines.length === 0 ? [] : ["", paint("bold", "For a better one:"), ...lines])].join("\n")}\n`;
}
