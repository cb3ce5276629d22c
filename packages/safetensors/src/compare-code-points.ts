/**
 * Orders strings by code point, which is also the order of their UTF-8 bytes and of the reference writer.
 * Unlike `<`, which compares UTF-16 units and so puts U+10000 before U+FF00.
 */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = rank(a.charCodeAt(i)) - rank(b.charCodeAt(i));
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Moves the surrogates (D800 to DFFF), which stand for code points above FFFF, behind the other units. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
