import { expectFinite, numberMismatch, rangeMismatch, typeMismatch } from "./expect-argument.js";

export function expectPositive(where: string, value: unknown): void {
  if (!Number.isFinite(value) || (value as number) <= 0) {
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
    const limit = max === Number.MAX_SAFE_INTEGER ? `, at least ${min}` : ` in [${min}, ${max}]`;
    throw numberMismatch(where, `an integer${limit}`, value);
  }
}

export function expectOneOf(where: string, value: unknown, names: readonly string[]): void {
  if (typeof value !== "string" || !names.includes(value)) {
    throw rangeMismatch(where, `one of ${names.map((name) => JSON.stringify(name)).join(", ")}`, value);
  }
}

export function expectFunction(where: string, value: unknown): void {
  if (typeof value !== "function") throw typeMismatch(where, "a function", value);
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
