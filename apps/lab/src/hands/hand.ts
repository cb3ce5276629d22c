import type { TemplateResult } from "lit";
import type { Failed, GivenFiles, RunOutcome } from "../worker/messages.js";

/** What a page gives to hands of its own. */
export interface HandContext {
  /** What the page shows; null before its study has run here. */
  readonly record: object | null;
  /** Of that record; those of the form where there is none. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly files: Readonly<Record<string, GivenFiles>>;
  /** Writes options and files into the form and runs the study. */
  readonly choose: (
    options: Readonly<Record<string, unknown>>,
    files?: Readonly<Record<string, GivenFiles | null>>,
  ) => void;
  /** Runs the study with other options beside what is shown; null where a run is under way. */
  readonly peek: (options: Readonly<Record<string, unknown>>) => Promise<object | null>;
  /** Runs another study beside what is shown; null where a run is under way. */
  readonly ask: (
    study: string,
    options: Readonly<Record<string, unknown>>,
    files: Readonly<Record<string, GivenFiles>>,
  ) => Promise<RunOutcome | Failed | null>;
  /** The network that a study has trained in this page, or when the lab was built. */
  readonly trained: (study: string) => Promise<GivenFiles>;
  readonly changed: () => void;
}

/** What a page has beside the form, to be touched: it stays while the page does. */
export interface Hand {
  view(context: HandContext): TemplateResult | string;
  leave(): void;
}
