import { isInput } from "./option.js";
import { flagName } from "./option-names.js";
import { parseOption } from "./parse-option.js";
import type { Study } from "./study.js";
import { defaultOf } from "./study-address.js";

/**
 * The options of a study's first example that needs no file, with the defaults of the others; what is not an option of
 * the study (`--out`) is left out. Null where every example needs files.
 */
export function exampleOptions(study: Study): Record<string, unknown> | null {
  for (const line of study.examples) {
    const options = optionsOfLine(study, line);
    if (options !== null) return options;
  }
  return null;
}

function optionsOfLine({ name, options: table }: Study, line: string): Record<string, unknown> | null {
  const options: Record<string, unknown> = {};
  for (const [option, declared] of Object.entries(table)) {
    if (isInput(declared)) continue;
    const value = defaultOf(declared);
    if (value !== undefined) options[option] = value;
  }
  const [command, ...words] = wordsOf(line);
  if (command !== name) throw new Error(`exampleOptions: expected an example of ${name}, got ${line}`);
  for (let at = 0; at < words.length; at++) {
    const found = Object.entries(table).find(([option]) => flagName(option) === words[at]);
    if (found === undefined) {
      // A flag of the command, with what it takes; a word without a flag is a file.
      if (!words[at]!.startsWith("--")) return null;
      if (words[at + 1] !== undefined && !words[at + 1]!.startsWith("--")) at++;
      continue;
    }
    const [option, declared] = found;
    if (isInput(declared)) {
      // Where files are kept is no file that it needs.
      if (declared.kept) {
        at++;
        continue;
      }
      if (declared.none === undefined || words[at + 1] !== declared.none) return null;
      at++;
    } else if (declared.kind === "flag") {
      options[option] = true;
    } else {
      options[option] = parseOption(declared, words[++at]!);
    }
  }
  return options;
}

/** The words of a command line, as a shell takes them apart. */
const wordsOf = (line: string): string[] =>
  [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, bare]) => double ?? single ?? bare!,
  );
