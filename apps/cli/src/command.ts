import type { CandidateName } from "@gradlab/backend-select";
import { Command, InvalidArgumentError, Option } from "commander";
import type { OpenedBackend } from "./open-backend.js";
import { versions } from "./versions.js";

/** Flags that every command takes. */
export interface CommonOptions {
  readonly json: boolean;
  readonly out?: string;
  readonly seed: number;
  readonly backend: BackendRequest;
  readonly allowSoftwareGpu: boolean;
  readonly quiet: boolean;
  readonly color: boolean;
  readonly verbose: boolean;
}

/** Written out here so that help and errors need no backend. */
const backendCandidates: readonly CandidateName[] = [
  "tfjs-node-gpu",
  "tfjs-node",
  "webgpu",
  "webgl",
  "wasm",
  "cpu",
];
type BackendRequest = "auto" | CandidateName;

/**
 * A command with the flags that every command takes; `out` says what `--out` means for it, `backend` what `--backend`
 * does: unless given, that the command computes without tensors and never loads one.
 */
export function defineCommand(
  name: string,
  summary: string,
  out: { flag: string; help: string },
  backend = "ignored by this command, which computes without tensors",
): Command {
  return new Command(name)
    .description(summary)
    .helpOption("-h, --help", "show this help")
    .option("--json", "print the result as JSON", false)
    .option(out.flag, out.help)
    .option("--seed <n>", "seed of everything random", countFrom(0), 0)
    .addOption(
      new Option("--backend <name>", backend).choices(["auto", ...backendCandidates]).default("auto"),
    )
    .option(
      "--allow-software-gpu",
      "accept a GPU that is emulated on the processor (or GRADLAB_ALLOW_SOFTWARE_GPU=1)",
      false,
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
    /** What was loaded; null where the command needed none. */
    readonly actual: CandidateName | null;
    readonly device: string | null;
    readonly software: boolean | null;
  };
  readonly versions: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
}

/** What stands around a result; `opened` is the backend that was loaded for it, if one was. */
export function envelope(
  command: string,
  options: CommonOptions,
  warnings: readonly string[],
  opened: OpenedBackend | null = null,
): Envelope {
  const { json: _json, seed, backend, quiet: _quiet, color: _color, verbose: _verbose, ...own } = options;
  return {
    schemaVersion: 1,
    command,
    options: own,
    seed,
    backend: {
      requested: backend,
      actual: opened?.name ?? null,
      device: opened?.device ?? null,
      software: opened?.software ?? null,
    },
    versions: versions(),
    warnings,
  };
}
