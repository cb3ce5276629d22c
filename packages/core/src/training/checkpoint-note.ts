import { type FullOptimizerConfig, fullConfig } from "../optimizers/optimizer-config.js";
import { type AverageOptions, averageOf } from "./average.js";
import { FORMAT_VERSION, METADATA_KEY } from "./checkpoint-format.js";
import { type Plateau, plateauFrom } from "./plateau.js";
import type { JsonValue } from "./training.js";

/** What a checkpoint holds beside its tensors. */
export interface CheckpointNote {
  readonly step: number;
  readonly config: FullOptimizerConfig;
  /** The paths that are trained, in order. */
  readonly trained: readonly string[];
  /** How many updates a path has had, where they are not `step`. */
  readonly counts: Readonly<Record<string, number>>;
  readonly averaging: AverageOptions | null;
  readonly plateau: Plateau | null;
  readonly extra: JsonValue;
}

/** The note in the metadata of a file, checked. */
export function parseNote(where: string, metadata: ReadonlyMap<string, string>): CheckpointNote {
  const at = `${where}: metadata "${METADATA_KEY}"`;
  const note = objectIn(at, metadata.get(METADATA_KEY));
  const { version, step, optimizer, trained, counts, average, plateau, extra = null } = note;
  if (version !== FORMAT_VERSION) {
    throw new RangeError(`${at}: version: expected ${FORMAT_VERSION}, got ${JSON.stringify(version)}`);
  }
  expectCount(`${at}: step`, step, Number.MAX_SAFE_INTEGER);
  if (!Array.isArray(trained) || !trained.every((path) => typeof path === "string")) {
    throw new RangeError(`${at}: trained: expected a list of paths, got ${JSON.stringify(trained)}`);
  }
  if (new Set(trained).size !== trained.length) {
    throw new RangeError(`${at}: trained: expected each path once, got ${JSON.stringify(trained)}`);
  }
  if (typeof counts !== "object" || counts === null || Array.isArray(counts)) {
    throw new RangeError(`${at}: counts: expected an object, got ${JSON.stringify(counts)}`);
  }
  for (const [path, count] of Object.entries(counts)) {
    expectCount(`${at}: counts: ${path}`, count, step as number);
    if (!trained.includes(path)) {
      throw new RangeError(`${at}: counts: ${path}: expected a path that is trained, got another`);
    }
  }
  return {
    step: step as number,
    config: inFile(() => fullConfig(`${at}: optimizer`, optimizer)),
    trained,
    counts: counts as Record<string, number>,
    averaging: inFile(() => (average === null ? null : averageOf(`${at}: average`, average))),
    plateau: inFile(() => (plateau === null ? null : plateauFrom(`${at}: plateau`, plateau))),
    extra: extra as JsonValue,
  };
}

function objectIn(at: string, text: string | undefined): Record<string, unknown> {
  if (text === undefined) throw new RangeError(`${at}: expected the state of a training, got none`);
  let note: unknown;
  try {
    note = JSON.parse(text);
  } catch {
    throw new RangeError(`${at}: expected JSON, got ${JSON.stringify(text.slice(0, 40))}`);
  }
  if (typeof note !== "object" || note === null || Array.isArray(note)) {
    throw new RangeError(`${at}: expected an object, got ${JSON.stringify(note).slice(0, 40)}`);
  }
  return note as Record<string, unknown>;
}

function expectCount(where: string, value: unknown, max: number): void {
  if (Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= max) return;
  const expected = max === Number.MAX_SAFE_INTEGER ? "an integer, at least 0" : `an integer in [0, ${max}]`;
  throw new RangeError(`${where}: expected ${expected}, got ${JSON.stringify(value)}`);
}

/** The bytes are at fault when a value of the file is wrong, so every error is a `RangeError`. */
function inFile<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new RangeError((error as Error).message);
  }
}
