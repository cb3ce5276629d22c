import { extname } from "node:path";
import type { Command } from "commander";
import { exampleChecks, gradientChecks } from "../backprop-checks.js";
import { type CommonOptions, countFrom, defineCommand, envelope, numberFrom } from "../command.js";
import { Failure } from "../failure.js";
import { writeOutput } from "../files.js";
import { painter, type Terminal, textTable } from "../terminal.js";

interface Flags extends CommonOptions {
  readonly cases: number;
  readonly tolerance: number;
}

export function backpropCheckCommand(terminal: Terminal): Command {
  return defineCommand(
    "backprop-check",
    "the gradient of a two-layer network by hand, against three other ways",
    {
      flag: "--out <file>",
      help: "write the result: .json",
    },
  )
    .option("--cases <n>", "random networks to compare on", countFrom(1), 100)
    .option("--tolerance <n>", "of central differences, relative", numberFrom({ least: 0 }), 1e-8)
    .addHelpText(
      "after",
      "\nExamples:\n  gradlab backprop-check\n  gradlab backprop-check --cases 500 --seed 3 --json",
    )
    .action((flags: Flags) => run(flags, terminal));
}

async function run(flags: Flags, terminal: Terminal): Promise<void> {
  const { out } = flags;
  if (out !== undefined && extname(out) !== ".json") {
    throw new Failure("usage", `--out: expected a name that ends in .json, got ${JSON.stringify(out)}`);
  }
  const checks = [...exampleChecks(), ...gradientChecks(flags)];
  const result = { ...envelope("backprop-check", flags, []), checks };
  if (out !== undefined) {
    await writeOutput(out, `${JSON.stringify(result, null, 2)}\n`);
    if (!flags.quiet) terminal.log(`wrote ${out}\n`);
  }
  const right = "right" as const;
  const paint = painter(terminal.colors.stdout && flags.color);
  const show = (value: unknown) =>
    JSON.stringify(value, (_, entry) => (typeof entry === "number" ? Number(entry.toPrecision(5)) : entry));
  terminal.write(
    flags.json
      ? `${JSON.stringify(result, null, 2)}\n`
      : `${textTable(
          [
            { title: "value" },
            { title: "known" },
            { title: "computed" },
            { title: "tolerance", align: right },
            { title: "verdict" },
          ],
          checks.map(({ name, known, got, tolerance, ok }) => [
            name,
            show(known),
            show(got),
            `${tolerance}`,
            ok ? "agrees" : "DIFFERS",
          ]),
          paint,
        )}\n`,
  );
  const failed = checks.filter(({ ok }) => !ok);
  if (failed.length > 0) {
    throw new Failure(
      "check",
      `${failed.length} ${failed.length === 1 ? "value differs" : "values differ"}: ${failed.map(({ name }) => name).join("; ")}`,
    );
  }
}
