/**
 * Checks of arguments at the public boundary. Each message reads
 * `<function>: <argument>: expected <what>, got <value>`: a `TypeError` for a value of the wrong kind,
 * a `RangeError` for one out of range.
 */

/** How a value is shown in a message: short, and with its kind where that is the mistake. */
function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value);
  return Array.isArray(value)
    ? `an array of length ${value.length}`
    : `an object (${value.constructor?.name ?? "no class"})`;
}

export function typeMismatch(where: string, expected: string, got: unknown): TypeError {
  return new TypeError(`${where}: expected ${expected}, got ${show(got)}`);
}

export function rangeMismatch(where: string, expected: string, got: unknown): RangeError {
  return new RangeError(`${where}: expected ${expected}, got ${show(got)}`);
}

/** A number for which `holds`; `expected` says in words what that means. */
export function expectNumber(
  where: string,
  value: unknown,
  expected: string,
  holds: (value: number) => boolean,
): void {
  if (typeof value !== "number") throw typeMismatch(where, expected, value);
  if (!holds(value)) throw rangeMismatch(where, expected, value);
}

export function expectFinite(where: string, value: unknown): void {
  expectNumber(where, value, "a finite number", Number.isFinite);
}

export function expectAtLeast0(where: string, value: unknown): void {
  expectNumber(where, value, "a finite number, at least 0", (x) => Number.isFinite(x) && x >= 0);
}

export function expectPositive(where: string, value: unknown): void {
  expectNumber(where, value, "a finite number, greater than 0", (x) => Number.isFinite(x) && x > 0);
}

/** A number in [0, 1), or in [0, 1] where `one` is allowed. */
export function expectFraction(where: string, value: unknown, one = false): void {
  const expected = `a number in [0, 1${one ? "]" : ")"}`;
  expectNumber(where, value, expected, (x) => x >= 0 && (x < 1 || (one && x === 1)));
}

export function expectInteger(where: string, value: unknown, min: number): void {
  expectNumber(where, value, `an integer, at least ${min}`, (x) => Number.isSafeInteger(x) && x >= min);
}
