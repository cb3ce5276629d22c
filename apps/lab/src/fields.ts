import { type FormField, isInput, type OptionTable, parseOption, studyForm } from "@gradlab/studies";
import type { GivenFiles } from "./worker/messages.js";

/** A form as it is filled in: texts as they were typed, so that a wrong one stays to be mended. */
export interface Filled {
  readonly texts: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, GivenFiles>>;
}

/** What a form says: options, and an error beside each field that cannot be read. */
export interface Reading {
  readonly options: Readonly<Record<string, unknown>>;
  readonly errors: Readonly<Record<string, string>>;
}

/** The form of a study with some options filled in. */
export function filledWith(table: OptionTable, options: Readonly<Record<string, unknown>>): Filled {
  const texts = Object.entries(table).flatMap(([name, option]) =>
    isInput(option) || options[name] === undefined ? [] : [[name, textOf(options[name])] as const],
  );
  return { texts: Object.fromEntries(texts), files: {} };
}

export function read(table: OptionTable, { texts }: Filled): Reading {
  const options: Record<string, unknown> = {};
  const errors: Record<string, string> = {};
  for (const [name, option] of Object.entries(table)) {
    if (isInput(option)) continue;
    const text = texts[name] ?? "";
    if (text === "") {
      if (option.kind === "flag") options[name] = false;
      else if (option.kind === "text" && option.required) errors[name] = "Expected a text.";
      // A text with a default is there, and may be nothing.
      else if (option.kind === "text" && "default" in option) options[name] = "";
      else if ("default" in option) errors[name] = "Expected a value.";
      continue;
    }
    try {
      options[name] = parseOption(option, text);
    } catch (error) {
      errors[name] = `Expected ${(error as Error).message}.`;
    }
  }
  return { options, errors };
}

export const fieldsOf = (table: OptionTable): readonly FormField[] => studyForm(table);

const textOf = (value: unknown): string => (Array.isArray(value) ? value.join(",") : `${value}`);
