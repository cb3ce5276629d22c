import { numberMismatch, rangeMismatch, typeMismatch } from "./expect-argument.js";

export function expectInteger(where: string, value: unknown, min: number): void {
  if (Number.isSafeInteger(value) && (value as number) >= min) return;
  throw numberMismatch(where, `an integer, at least ${min}`, value);
}

/** A number in [0, 1), or in [0, 1] where `one` is allowed. */
export function expectFraction(where: string, value: unknown, one = false): void {
  const number = value as number;
  if (Number.isFinite(value) && number >= 0 && (number < 1 || (one && number === 1))) return;
  throw numberMismatch(where, `a number in [0, 1${one ? "]" : ")"}`, value);
}

export function expectOneOf(where: string, value: unknown, values: readonly string[]): void {
  if (values.includes(value as string)) return;
  const expected = `one of ${values.map((one) => JSON.stringify(one)).join(", ")}`;
  throw (typeof value === "string" ? rangeMismatch : typeMismatch)(where, expected, value);
}
