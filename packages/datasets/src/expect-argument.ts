/**
 * Checks of arguments at the public boundary. Each message reads
 * `<function>: <argument>: expected <what>, got <value>`: a `TypeError` for a value of the wrong kind,
 * a `RangeError` for one out of range.
 */

function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value);
  const { length } = value as { readonly length?: unknown };
  return typeof length === "number"
    ? `an array of length ${length}`
    : `an object (${value.constructor?.name})`;
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

/** `low <= value <= high`. */
export function expectWithin(where: string, value: unknown, low: number, high: number): void {
  const number = value as number;
  if (!Number.isFinite(value) || number < low || number > high) {
    const limit = high === Number.MAX_VALUE ? `at least ${low}` : `in [${low}, ${high}]`;
    throw numberMismatch(where, `a number ${limit}`, value);
  }
}

export function expectFinite(where: string, value: unknown): void {
  if (!Number.isFinite(value)) throw numberMismatch(where, "a finite number", value);
}

/** A number above 0, in single precision too. */
export function expectPositive(where: string, value: unknown): void {
  if (!Number.isFinite(value) || !(Math.fround(value as number) > 0)) {
    throw numberMismatch(where, "a positive number", value);
  }
}

export function expectInteger(
  where: string,
  value: unknown,
  min: number,
  max = Number.MAX_SAFE_INTEGER,
): void {
  if (!Number.isSafeInteger(value) || (value as number) < min || (value as number) > max) {
    const limit = max === Number.MAX_SAFE_INTEGER ? `at least ${min}` : `in [${min}, ${max}]`;
    throw numberMismatch(where, `an integer ${limit}`, value);
  }
}

export function expectOneOf<T extends string | number>(
  where: string,
  value: unknown,
  values: readonly T[],
): void {
  if (!values.includes(value as T)) {
    throw rangeMismatch(where, `one of ${values.map((one) => JSON.stringify(one)).join(", ")}`, value);
  }
}
