import { isInput, type OptionTable } from "./option.js";
import { flagName } from "./option-names.js";
import { defaultOf } from "./study-address.js";

/**
 * The command line that repeats a study: what is not a default. Of files of the user's own nobody knows the path:
 * FILE stands for one, unless `paths` has it.
 *
 * @param given Which files the study was given.
 */
export function studyCommandLine(
  { name, options: table }: { readonly name: string; readonly options: OptionTable },
  options: Readonly<Record<string, unknown>>,
  given: Readonly<Record<string, boolean | string | undefined>> = {},
): string {
  const positional: string[] = [];
  const flags = Object.entries(table).flatMap(([option, declared]) => {
    if (isInput(declared)) {
      const file = given[option];
      if (file === undefined || file === false) return [];
      const word = file === true ? "FILE" : shellWord(file);
      if (!declared.positional) return [`${flagName(option)} ${word}`];
      positional.push(word);
      return [];
    }
    const value = options[option];
    if (value === undefined || `${value}` === `${defaultOf(declared)}`) return [];
    return [value === true ? flagName(option) : `${flagName(option)} ${shellWord(`${value}`)}`];
  });
  return ["gradlab", name, ...flags, ...positional].join(" ");
}

/** A word as a shell takes it. */
export function shellWord(text: string): string {
  return /^[\w./,:=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
