import { isInput, type OptionTable } from "./option.js";
import { labelName } from "./option-names.js";
import { defaultOf } from "./study-address.js";

/** A field of a page's form. */
export interface FormField {
  readonly option: string;
  readonly label: string;
  readonly help: string;
  readonly control: "number" | "numbers" | "select" | "checkbox" | "text" | "files";
  readonly value: unknown;
  /** Of numbers. */
  readonly min?: number;
  readonly max?: number;
  readonly step?: 1 | "any";
  readonly unit?: string;
  readonly choices?: readonly string[];
  readonly multiple?: boolean;
}

const controls = {
  integer: "number",
  number: "number",
  integers: "numbers",
  numbers: "numbers",
  choice: "select",
  flag: "checkbox",
  text: "text",
  file: "files",
  picture: "files",
  pictures: "files",
  folder: "files",
} as const;

/** The form that the options of a study are, in their order. */
export function studyForm(table: OptionTable): FormField[] {
  return Object.entries(table).map(([name, option]): FormField => {
    const field = {
      option: name,
      label: labelName(name),
      help: option.help,
      control: controls[option.kind],
      value: defaultOf(option),
      ...(option.unit !== undefined && { unit: option.unit }),
    };
    if (isInput(option)) return { ...field, multiple: option.kind !== "picture" };
    switch (option.kind) {
      case "choice":
        return { ...field, choices: option.choices };
      case "integer":
      case "number":
      case "integers":
      case "numbers": {
        // A form has closed ranges; what is open is refused when it is read.
        const [min, max] = [option.least ?? option.above, option.most ?? option.below];
        const step = option.kind === "integer" || option.kind === "integers" ? 1 : "any";
        return { ...field, ...(min !== undefined && { min }), ...(max !== undefined && { max }), step };
      }
      default:
        return field;
    }
  });
}
