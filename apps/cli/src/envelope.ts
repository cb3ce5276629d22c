import type { CandidateName } from "@gradlab/backend-select";
import type { BackendRequest, CommonOptions } from "./command.js";
import type { OpenedBackend } from "./open-backend.js";
import { versions } from "./versions.js";

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
