import type { NumberOption, NumbersOption, Option, Range } from "./option.js";

/**
 * A text as the value of an option: of a flag of the command line, of a field of a form, of a page's address.
 *
 * @throws {RangeError} that says what was expected: `a number above 0 and at most 1`.
 */
export function parseOption(option: Option, text: string): number | readonly number[] | string | boolean {
  switch (option.kind) {
    case "integer":
    case "number":
      return numberOf(option, text);
    case "integers":
    case "numbers":
      return text.split(",").map((part) => numberOf(option, part.trim()));
    case "choice":
      if (option.choices.includes(text)) return text;
      throw new RangeError(`one of ${option.choices.join(", ")}`);
    case "flag":
      if (text === "true" || text === "false") return text === "true";
      throw new RangeError("true or false");
    default:
      return text;
  }
}

/** What a number must be, in words: `a number above 0 and at most 1`. */
export function expectedNumber({ kind, ...range }: NumberOption | NumbersOption): string {
  const { above, least, most, below } = range;
  const bounds = [
    ...(above === undefined ? [] : [`above ${above}`]),
    ...(least === undefined ? [] : [`${isInteger(kind) ? "of " : ""}at least ${least}`]),
    ...(most === undefined ? [] : [`at most ${most}`]),
    ...(below === undefined ? [] : [`below ${below}`]),
  ];
  return [isInteger(kind) ? "an integer" : "a number", bounds.join(" and ")].join(" ").trim();
}

/** The number in the range that is nearest to one that need not be in it. */
export function clamped(
  range: Range & { readonly kind: NumberOption["kind"] },
  value: number,
): number | null {
  const { above, least, most, below } = range;
  const inside = Math.min(Math.max(value, least ?? value), most ?? value);
  const number = range.kind === "integer" ? Math.round(inside) : inside;
  const isOutside = (above !== undefined && number <= above) || (below !== undefined && number >= below);
  return Number.isFinite(number) && !isOutside ? number : null;
}

const isInteger = (kind: Option["kind"]) => kind === "integer" || kind === "integers";

function numberOf(option: NumberOption | NumbersOption, text: string): number {
  const { above, least, most, below } = option;
  const isWritten = isInteger(option.kind) ? /^\d+$/.test(text) : text.trim() !== "";
  const value = isWritten ? Number(text) : Number.NaN;
  const holds =
    (isInteger(option.kind) ? Number.isSafeInteger(value) : Number.isFinite(value)) &&
    (above === undefined || value > above) &&
    (least === undefined || value >= least) &&
    (most === undefined || value <= most) &&
    (below === undefined || value < below);
  if (!holds) throw new RangeError(expectedNumber(option));
  return value;
}
