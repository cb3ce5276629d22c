import { expectFinite, numberMismatch, rangeMismatch, typeMismatch } from "./expect-argument.js";

export function expectPositive(where: string, value: unknown): void {
  if (!Number.isFinite(value) || (value as number) <= 0) {
    throw numberMismatch(where, "a positive number", value);
  }
}

export function expectAtLeast0(where: string, value: unknown): void {
  if (!Number.isFinite(value) || (value as number) < 0) {
    throw numberMismatch(where, "a number, at least 0", value);
  }
}

/** `low < value < high`, or `value = high` too where `closed`. */
export function expectBetween(
  where: string,
  value: unknown,
  low: number,
  high: number,
  closed = false,
): void {
  const number = value as number;
  if (!Number.isFinite(value) || number <= low || (closed ? number > high : number >= high)) {
    throw numberMismatch(where, `a number in (${low}, ${high}${closed ? "]" : ")"}`, value);
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

export function expectOneOf(where: string, value: unknown, names: readonly string[]): void {
  if (typeof value !== "string" || !names.includes(value)) {
    throw rangeMismatch(where, `one of ${names.map((name) => JSON.stringify(name)).join(", ")}`, value);
  }
}

/**
 * The finite numbers of an array, as a `Float64Array`: the array itself where it is one, a copy where not.
 *
 * @param length The expected length; any but 0 unless given.
 */
export function toVector(where: string, values: ArrayLike<number>, length?: number): Float64Array {
  const expected = length === undefined ? "numbers" : `${length} numbers`;
  if (typeof values !== "object" || values === null || !Number.isSafeInteger(values.length)) {
    throw typeMismatch(where, `an array of ${expected}`, values);
  }
  if (length === undefined ? values.length === 0 : values.length !== length) {
    throw rangeMismatch(where, `an array of ${expected}`, values);
  }
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) expectFinite(`${where}[${i}]`, values[i]);
  }
  return values instanceof Float64Array ? values : Float64Array.from(values);
}
