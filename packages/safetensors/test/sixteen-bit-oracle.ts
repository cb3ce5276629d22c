/**
 * The values of a 16-bit float format, by exact arithmetic in float64, which holds each of them and each midpoint of
 * two neighbours without error. No bit of a float is looked at, so that it shares nothing with the code under test.
 */
export interface Format {
  readonly exponentBits: number;
  readonly fractionBits: number;
}

/** The value of a pattern: (-1)^s · 2^(e - bias) · (1 + f / 2^p), the subnormals, ±Infinity or NaN. */
export function exactValue(pattern: number, { exponentBits, fractionBits }: Format): number {
  const sign = pattern >= 2 ** 15 ? -1 : 1;
  const magnitude = pattern % 2 ** 15;
  const exponent = Math.floor(magnitude / 2 ** fractionBits);
  const fraction = magnitude % 2 ** fractionBits;
  const bias = 2 ** (exponentBits - 1) - 1;
  if (exponent === 2 ** exponentBits - 1) return fraction === 0 ? sign * Infinity : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** (1 - bias - fractionBits);
  return sign * (2 ** fractionBits + fraction) * 2 ** (exponent - bias - fractionBits);
}

/**
 * For every pair of neighbouring magnitudes: the lower one, the float32 just below the midpoint, the midpoint and the
 * float32 just above it, each with the pattern it must round to. Infinity counts as the value that would follow the
 * largest finite one. Rounding is monotonic, so that these inputs decide it for all the others.
 */
export function roundingCases(format: Format): { value: number; pattern: number }[] {
  const infinity = (2 ** format.exponentBits - 1) * 2 ** format.fractionBits;
  const cases: { value: number; pattern: number }[] = [{ value: Infinity, pattern: infinity }];
  for (let lower = 0; lower < infinity; lower++) {
    const low = exactValue(lower, format);
    const isLast = lower + 1 === infinity;
    const high = isLast ? 2 * low - exactValue(lower - 1, format) : exactValue(lower + 1, format);
    const middle = low + (high - low) / 2;
    const even = lower % 2 === 0 ? lower : lower + 1;
    cases.push({ value: low, pattern: lower });
    cases.push({ value: middle, pattern: even });
    cases.push({ value: nextFloat32(middle, -1), pattern: lower });
    cases.push({ value: nextFloat32(middle, 1), pattern: lower + 1 });
  }
  return cases.flatMap(({ value, pattern }) => [
    { value, pattern },
    { value: -value, pattern: pattern + 2 ** 15 },
  ]);
}

/** The float32 next to a positive float32, above (1) or below (-1). */
function nextFloat32(value: number, direction: 1 | -1): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  view.setUint32(0, view.getUint32(0) + direction);
  return view.getFloat32(0);
}
