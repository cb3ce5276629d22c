import { isInput, type NumberOption, type NumbersOption, type Option, type OptionTable } from "./option.js";
import { clamped, parseOption } from "./parse-option.js";

/** Of the form of addresses; a page that finds another says so and takes the defaults. */
export const addressVersion = 1;

/** The options as the part of an address behind `#`: version and what is not a default, in the order of the table. */
export function studyAddress(table: OptionTable, options: Readonly<Record<string, unknown>>): string {
  const parts = Object.entries(table).flatMap(([name, option]) => {
    const value = options[name];
    if (isInput(option) || value === undefined || isDefault(option, value)) return [];
    return [[name, textOf(value)] as [string, string]];
  });
  return new URLSearchParams([["v", `${addressVersion}`], ...parts]).toString();
}

/**
 * The options of an address: each of its type, numbers moved into their range, what cannot be read left at its default,
 * unknown keys ignored. Null where the version is not this one.
 */
export function addressOptions(table: OptionTable, address: string): Record<string, unknown> | null {
  const parts = new URLSearchParams(address.replace(/^#/, ""));
  const version = parts.get("v");
  if (version !== null && version !== `${addressVersion}`) return null;
  const options: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(table)) {
    const text = parts.get(name);
    const given = text === null || isInput(option) ? undefined : read(option, text);
    const value = given ?? defaultOf(option);
    if (value !== undefined) options[name] = value;
  }
  return options;
}

export function defaultOf(option: Option): unknown {
  if (option.kind === "flag") return false;
  return "default" in option ? option.default : undefined;
}

const textOf = (value: unknown) => (Array.isArray(value) ? value.join(",") : `${value}`);

const isDefault = (option: Option, value: unknown) => textOf(defaultOf(option)) === textOf(value);

function read(option: Option, text: string): unknown {
  switch (option.kind) {
    case "integer":
    case "number":
      return clampedOne(option, text);
    case "integers":
    case "numbers": {
      const kind = option.kind === "integers" ? "integer" : "number";
      const values = text.split(",").map((part) => clampedOne({ ...option, kind }, part));
      return values.includes(undefined) ? undefined : values;
    }
    default:
      try {
        return parseOption(option, text);
      } catch {
        return undefined;
      }
  }
}

function clampedOne(
  option: Omit<NumberOption | NumbersOption, "kind" | "default"> & { readonly kind: NumberOption["kind"] },
  text: string,
): number | undefined {
  if (text.trim() === "") return undefined;
  return clamped(option, Number(text)) ?? undefined;
}
