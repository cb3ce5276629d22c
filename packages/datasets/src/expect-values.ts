import { numberMismatch, rangeMismatch } from "./expect-argument.js";

/** `low <= value <= high`. */
export function expectWithin(where: string, value: unknown, low: number, high: number): void {
  const number = value as number;
  if (!Number.isFinite(value) || number < low || number > high) {
    const limit = high === Number.MAX_VALUE ? `at least ${low}` : `in [${low}, ${high}]`;
    throw numberMismatch(where, `a number ${limit}`, value);
  }
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
