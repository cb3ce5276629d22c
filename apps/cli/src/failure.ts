import { flagName, StudyError, type StudyErrorKind, withOptionNames } from "@gradlab/studies";

/** Exit codes of the command. */
export const exitCodes = {
  done: 0,
  /** Files and what stands in them, data, run time. */
  runtime: 1,
  /** Text of the command line: flags, names, spec, shapes. */
  usage: 2,
  /** A check did not hold. */
  check: 3,
  /** No usable backend. */
  backend: 4,
  interrupted: 130,
} as const;

export type ExitName = keyof typeof exitCodes;

const exits: Readonly<Record<StudyErrorKind, ExitName>> = {
  usage: "usage",
  input: "runtime",
  check: "check",
  interrupted: "interrupted",
};

/** A failure that the user can act on: one line that says what and where, and the exit code. */
export class Failure extends Error {
  readonly exit: ExitName;

  constructor(exit: ExitName, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "Failure";
    this.exit = exit;
  }
}

/** An error of a study as one of the command: options are flags here. Others stay what they are. */
export function failureOf(error: unknown): unknown {
  if (!(error instanceof StudyError)) return error;
  return new Failure(exits[error.kind], withOptionNames(error.text, flagName), { cause: error });
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
