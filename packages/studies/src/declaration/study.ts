import type { Diagnosis } from "@gradlab/backend-select";
import type { InputFiles, InputsOf, OptionsOf, OptionTable } from "./option.js";

/** Where tensors live, as `backend-select` chose it. */
export interface Backend {
  readonly name: string;
  readonly device: string | null;
  /** True where the device is emulated on the processor. */
  readonly software: boolean | null;
}

/** What a study is lent by the app that runs it. */
export interface StudyContext {
  readonly signal: AbortSignal;
  /** Called when the first tensor is needed; the same backend every time. */
  readonly openBackend: () => Promise<Backend>;
  /** Tries all backends, as the app lets them be tried. */
  readonly diagnose: (options: { readonly benchmark: boolean }) => Promise<Diagnosis>;
}

/** What is said while a study runs. */
export type StudyEvent =
  | {
      readonly kind: "progress";
      readonly done: number;
      readonly total: number;
      /** What came of the step. */
      readonly text: string;
      /** What one step works through, for the rate: 50 images. */
      readonly per?: { readonly count: number; readonly unit: string };
    }
  /** A line that stays. */
  | { readonly kind: "note"; readonly text: string }
  /** A line that belongs to the result. */
  | { readonly kind: "warning"; readonly text: string }
  /** A file that is to be kept as soon as it is there. */
  | { readonly kind: "file"; readonly name: string; readonly bytes: Uint8Array }
  /** A line for a log, plain JSON; before the first, the step after which the log goes on, null for a new one. */
  | { readonly kind: "log"; readonly entry: object }
  | { readonly kind: "log-start"; readonly after: number | null };

/** Aligned columns, in texts that are ready to be read. */
export interface Table {
  readonly title?: string;
  /** None where there are only notes. */
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly string[])[];
  /** Lines below the rows. */
  readonly notes: readonly string[];
}

export interface Column {
  readonly title: string;
  readonly align?: "right";
  /** Where a terminal is too narrow, its texts lose their middle. */
  readonly shrinks?: true;
}

/** A picture of a result with the sentence that stands under it. */
export interface Figure {
  /** Of the file that it is written to, without ending. */
  readonly name: string;
  readonly caption: string;
  readonly svg: SVGSVGElement;
}

/**
 * What one can ask, declared once: the flags of the command, the form and the address of a page, and the line that
 * "copy command" gives, come from `options`. The record is plain JSON, with typed arrays beside it that JSON leaves out
 * (`recordJson`): the same options give the same record wherever it runs.
 */
export interface Study<R extends object = object> extends Declared {
  readonly options: OptionTable;
  /** Refuses options that do not go together, before any file is read; `given` has the labels of the files. */
  check?(options: OptionValues, given: Readonly<Record<string, string>>): void;
  run(
    options: OptionValues,
    inputs: Readonly<Record<string, InputFiles>>,
    context: StudyContext,
  ): AsyncGenerator<StudyEvent, R>;
  /** @param on The backend, where one was used: `wasm`. */
  tables(record: R, on?: string): readonly Table[];
  /** @throws {StudyError} where there is nothing to draw, which says what would help. */
  figures?(record: R, options: { readonly document: Document }): readonly Figure[];
  /** Comma-separated values, where the result is one table. */
  csv?(record: R): string;
  /** What is wrong with a result that should have come out otherwise; null where nothing is. */
  verdict?(record: R): string | null;
}

export type OptionValues = Readonly<Record<string, unknown>>;

interface Declared {
  readonly name: string;
  /** One line. */
  readonly help: string;
  /** What help has no room for. */
  readonly about?: string;
  /** Command lines, without the name of the program. */
  readonly examples: readonly string[];
  /** What the figures show, for the help of `--out`; null where there are none. */
  readonly drawn: string | null;
  /** What the backend is for, for help; null where nothing is computed with tensors. */
  readonly tensors: string | null;
}

/** The same with the types of its options, as it is written. */
interface Definition<T extends OptionTable, R extends object>
  extends Declared,
    Pick<Study<R>, "tables" | "figures" | "csv" | "verdict"> {
  readonly options: T;
  check?(options: OptionsOf<T>, given: Readonly<Partial<Record<keyof InputsOf<T>, string>>>): void;
  run(options: OptionsOf<T>, inputs: InputsOf<T>, context: StudyContext): AsyncGenerator<StudyEvent, R>;
}

/** Declares a study; its options give the types of what `run` gets. */
export function defineStudy<const T extends OptionTable, R extends object>(
  definition: Definition<T, R>,
): Study<R> {
  return definition as unknown as Study<R>;
}
