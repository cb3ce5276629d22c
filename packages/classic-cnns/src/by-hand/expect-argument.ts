/**
 * Checks of arguments at the public boundary. Each message reads
 * `<function>: <argument>: expected <what>, got <value>`: a `TypeError` for a value of the wrong kind,
 * a `RangeError` for one out of range.
 */

function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value !== "object" || value === null) return String(value);
  return Array.isArray(value) ? `an array of length ${value.length}` : "an object";
}

export function typeMismatch(where: string, expected: string, got: unknown): TypeError {
  return new TypeError(`${where}: expected ${expected}, got ${show(got)}`);
}

export function rangeMismatch(where: string, expected: string, got: unknown): RangeError {
  return new RangeError(`${where}: expected ${expected}, got ${show(got)}`);
}

function numberMismatch(where: string, expected: string, got: unknown): TypeError | RangeError {
  return (typeof got === "number" ? rangeMismatch : typeMismatch)(where, expected, got);
}

export function expectFinite(where: string, value: unknown): void {
  if (!Number.isFinite(value)) throw numberMismatch(where, "a finite number", value);
}

export function expectPositive(where: string, value: unknown): void {
  if (!Number.isFinite(value) || (value as number) <= 0) {
    throw numberMismatch(where, "a positive number", value);
  }
}

export function expectInteger(where: string, value: unknown, min: number): void {
  if (!Number.isSafeInteger(value) || (value as number) < min) {
    throw numberMismatch(where, `an integer, at least ${min}`, value);
  }
}

export function expectOneOf(where: string, value: unknown, names: readonly string[]): void {
  if (typeof value !== "string" || !names.includes(value)) {
    throw rangeMismatch(where, `one of ${names.map((name) => JSON.stringify(name)).join(", ")}`, value);
  }
}

/** An array of numbers of a given length, or of any but 0. */
export function expectNumbers(where: string, values: readonly number[], length?: number): void {
  const expected = length === undefined ? "at least one number" : `${length} numbers`;
  if (!Array.isArray(values)) throw typeMismatch(where, `an array of ${expected}`, values);
  if (length === undefined ? values.length === 0 : values.length !== length) {
    throw rangeMismatch(where, `an array of ${expected}`, values);
  }
  for (const [i, value] of values.entries()) expectFinite(`${where}[${i}]`, value);
}
