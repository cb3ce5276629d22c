import type { TemplateResult } from "lit";
import type { GivenFiles } from "../worker/messages.js";

/** What a page gives to hands of its own. */
export interface HandContext {
  readonly record: object;
  readonly options: Readonly<Record<string, unknown>>;
  readonly files: Readonly<Record<string, GivenFiles>>;
  /** Writes options into the form and runs the study. */
  readonly choose: (options: Readonly<Record<string, unknown>>) => void;
  /** Runs the study with other options beside what is shown; null where a run is under way. */
  readonly peek: (options: Readonly<Record<string, unknown>>) => Promise<object | null>;
  readonly changed: () => void;
}

/** What a page has beside the form, to be touched: it stays while the page does. */
export interface Hand {
  view(context: HandContext): TemplateResult | string;
  leave(): void;
}
