import { isInput, type Option, type OptionTable } from "./option.js";
import { flagName } from "./option-names.js";
import { parseOption } from "./parse-option.js";
import { defaultOf } from "./study-address.js";

/** A flag of the command line, ready for a parser. */
export interface StudyFlag {
  readonly option: string;
  /** `--data-file <file>`, or `--measure`. */
  readonly flags: string;
  readonly help: string;
  readonly choices: readonly string[] | null;
  readonly default: unknown;
  readonly required: boolean;
  /**
   * @throws {RangeError} whose message is what was expected.
   */
  readonly parse: (text: string) => unknown;
}

const placeholders: Readonly<Record<Option["kind"], string>> = {
  integer: "<n>",
  number: "<n>",
  integers: "<n…>",
  numbers: "<n…>",
  choice: "<name>",
  flag: "",
  text: "<text>",
  file: "<file>",
  picture: "<file>",
  pictures: "<file...>",
  folder: "<dir>",
};

/** The flags that the options of a study are; what stands without a flag is left out. */
export function studyFlags(options: OptionTable): StudyFlag[] {
  return Object.entries(options).flatMap(([name, option]) => {
    if (isInput(option) && option.positional) return [];
    const placeholder = option.placeholder ?? placeholders[option.kind];
    return [
      {
        option: name,
        flags: `${flagName(name)} ${placeholder}`.trim(),
        help: option.help,
        choices: option.kind === "choice" ? option.choices : null,
        default: isInput(option) ? option.none : defaultOf(option),
        required: option.kind === "text" && option.required === true,
        parse: (text: string) => parseOption(option, text),
      },
    ];
  });
}
