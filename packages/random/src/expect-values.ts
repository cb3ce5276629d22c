import { expectFinite, numberMismatch, rangeMismatch, typeMismatch } from "./expect-argument.js";

const MAX_UINT32 = 0xffff_ffff;

export function expectSafeInteger(
  where: string,
  value: unknown,
  min = -Number.MAX_SAFE_INTEGER,
  expected = min === 0 ? "a non-negative safe integer" : "a safe integer",
  max = Number.MAX_SAFE_INTEGER,
): void {
  if (!Number.isSafeInteger(value) || (value as number) < min || (value as number) > max) {
    throw numberMismatch(where, expected, value);
  }
}

export function expectAtLeast0(where: string, value: unknown): void {
  if (!Number.isFinite(value) || (value as number) < 0) {
    throw numberMismatch(where, "a finite number, at least 0", value);
  }
}

export function expectString(where: string, value: unknown): void {
  if (typeof value !== "string") throw typeMismatch(where, "a string", value);
}

export function expectArrayLike(where: string, value: unknown, expected: string): void {
  if (
    typeof value !== "object" ||
    value === null ||
    !Number.isSafeInteger((value as ArrayLike<unknown>).length)
  ) {
    throw typeMismatch(where, expected, value);
  }
}

export function expectUint32s(where: string, values: ArrayLike<number>, length: number): void {
  expectArrayLike(where, values, `${length} integers in [0, 2^32)`);
  if (values.length !== length) throw rangeMismatch(where, `${length} integers in [0, 2^32)`, values);
  for (let i = 0; i < length; i++) {
    expectSafeInteger(`${where}[${i}]`, values[i], 0, "an integer in [0, 2^32)", MAX_UINT32);
  }
}

export function expectFloatArray(where: string, value: unknown): void {
  if (!(value instanceof Float32Array || value instanceof Float64Array)) {
    throw typeMismatch(where, "a Float32Array or Float64Array", value);
  }
}

/** `low < high`, both finite, and so is `high - low`. */
export function expectInterval(where: string, low: unknown, high: unknown): void {
  if (Number.isFinite(low) && Number.isFinite(high) && (low as number) < (high as number)) {
    if (Number.isFinite((high as number) - (low as number))) return;
    throw rangeMismatch(`${where}: high`, `high - low to be finite (low is ${low})`, high);
  }
  expectFinite(`${where}: low`, low);
  throw numberMismatch(`${where}: high`, `a finite number greater than low (${low})`, high);
}
