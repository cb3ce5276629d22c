import { Command, InvalidArgumentError, Option } from "commander";
import { versions } from "./versions.js";

/** Flags that every command takes. */
export interface CommonOptions {
  readonly json: boolean;
  readonly out?: string;
  readonly seed: number;
  readonly backend: BackendRequest;
  readonly quiet: boolean;
  readonly color: boolean;
  readonly verbose: boolean;
}

const backendCandidates = ["tfjs-node-gpu", "tfjs-node", "webgpu", "webgl", "wasm", "cpu"] as const;
type BackendRequest = "auto" | (typeof backendCandidates)[number];

/** A command with the flags that every command takes; `out` says what `--out` means for it. */
export function defineCommand(name: string, summary: string, out: { flag: string; help: string }): Command {
  return new Command(name)
    .description(summary)
    .helpOption("-h, --help", "show this help")
    .option("--json", "print the result as JSON", false)
    .option(out.flag, out.help)
    .option("--seed <n>", "seed of everything random", countFrom(0), 0)
    .addOption(
      new Option("--backend <name>", "where tensors live")
        .choices(["auto", ...backendCandidates])
        .default("auto"),
    )
    .option("--quiet", "no progress, no warnings", false)
    .option("--no-color", "no colours")
    .option("--verbose", "show the stack trace of an error", false);
}

/** An integer flag of at least `least`. */
export function countFrom(least: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!Number.isSafeInteger(value) || value < least) {
      throw new InvalidArgumentError(`Expected an integer of at least ${least}.`);
    }
    return value;
  };
}

/** A number flag above 0, or at least 0, and at most (or below) a limit. */
export function numberFrom({ above, least, most, below }: NumberRange): (text: string) => number {
  const from = above === undefined ? `at least ${least}` : `above ${above}`;
  const to = most !== undefined ? ` and at most ${most}` : below !== undefined ? ` and below ${below}` : "";
  return (text) => {
    const value = text.trim() === "" ? Number.NaN : Number(text);
    const inside =
      (above === undefined || value > above) &&
      (least === undefined || value >= least) &&
      (most === undefined || value <= most) &&
      (below === undefined || value < below);
    if (!Number.isFinite(value) || !inside) {
      throw new InvalidArgumentError(`Expected a number ${from}${to}.`);
    }
    return value;
  };
}

interface NumberRange {
  readonly above?: number;
  readonly least?: number;
  readonly most?: number;
  readonly below?: number;
}

/** A flag with one integer or several separated by commas: `224` or `224,320`. */
export function countsFrom(least: number): (text: string) => number[] {
  const one = countFrom(least);
  return (text) => text.split(",").map((part) => one(part.trim()));
}

/** A flag with numbers above 0, separated by commas. */
export function positiveNumbers(text: string): number[] {
  return text.split(",").map(numberFrom({ above: 0 }));
}

/** What stands around every JSON result. */
export interface Envelope {
  readonly schemaVersion: 1;
  readonly command: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly seed: number;
  readonly backend: {
    readonly requested: BackendRequest;
    readonly actual: string | null;
    readonly device: string | null;
    readonly software: boolean | null;
  };
  readonly versions: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
}

/** The envelope of a command that loads no backend. */
export function envelope(command: string, options: CommonOptions, warnings: readonly string[]): Envelope {
  const { json: _json, seed, backend, quiet: _quiet, color: _color, verbose: _verbose, ...own } = options;
  return {
    schemaVersion: 1,
    command,
    options: own,
    seed,
    backend: { requested: backend, actual: null, device: null, software: null },
    versions: versions(),
    warnings,
  };
}
