import type { CandidateName } from "@gradlab/backend-select";
import { Command, InvalidArgumentError, Option } from "commander";

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
export type BackendRequest = "auto" | CandidateName;

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
function countFrom(least: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!Number.isSafeInteger(value) || value < least) {
      throw new InvalidArgumentError(`Expected an integer of at least ${least}.`);
    }
    return value;
  };
}
