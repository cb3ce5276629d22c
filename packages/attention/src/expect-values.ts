import { numberMismatch } from "./expect-argument.js";

/** A number for which `holds`; `expected` says in words what that means. */
export function expectNumber(
  where: string,
  value: unknown,
  expected: string,
  holds: (value: number) => boolean,
): void {
  if (typeof value !== "number" || !holds(value)) throw numberMismatch(where, expected, value);
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
