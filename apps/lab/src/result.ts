import type { RunOutcome } from "./worker/messages.js";

/** A result that is looked at, with the settings that gave it. */
export interface Result {
  readonly outcome: RunOutcome;
  readonly options: Readonly<Record<string, unknown>>;
  readonly command: string;
}
