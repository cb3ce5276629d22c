/**
 * Checks of arguments at the public boundary. Each message reads
 * `<function>: <argument>: expected <what>, got <value>`: a `TypeError` for a value of the wrong kind,
 * a `RangeError` for one out of range.
 *
 * The same text in every package that checks arguments; checks of one package alone stand beside it.
 */

/** How a value is shown in a message: short, and with its kind where that is the mistake. */
function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value);
  if (Array.isArray(value)) return `an array of length ${value.length}`;
  const { length } = value as { readonly length?: unknown };
  const kind = value.constructor?.name ?? "no class";
  return typeof length === "number" ? `${kind} of length ${length}` : `an object (${kind})`;
}

export function typeMismatch(where: string, expected: string, got: unknown): TypeError {
  return new TypeError(`${where}: expected ${expected}, got ${show(got)}`);
}

export function rangeMismatch(where: string, expected: string, got: unknown): RangeError {
  return new RangeError(`${where}: expected ${expected}, got ${show(got)}`);
}

/** The error for a value that should have been a certain number. */
export function numberMismatch(where: string, expected: string, got: unknown): TypeError | RangeError {
  return (typeof got === "number" ? rangeMismatch : typeMismatch)(where, expected, got);
}

export function expectFinite(where: string, value: unknown): void {
  if (!Number.isFinite(value)) throw numberMismatch(where, "a finite number", value);
}
