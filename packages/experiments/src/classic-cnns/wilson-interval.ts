/**
 * Between which shares the true one lies with 95 %, where `hits` of `count` were seen: those p with
 * `|hits/count − p| ≤ 1.96 √(p (1 − p) / count)`.
 *
 * @see Wilson 1927, "Probable inference, the law of succession, and statistical inference", JASA 22, p. 209
 */
export function wilsonInterval(hits: number, count: number): readonly [low: number, high: number] {
  const z = 1.959964;
  const share = hits / count;
  const middle = share + (z * z) / (2 * count);
  const reach = z * Math.sqrt((share * (1 - share)) / count + (z * z) / (4 * count * count));
  const whole = 1 + (z * z) / count;
  return [Math.max(0, (middle - reach) / whole), Math.min(1, (middle + reach) / whole)];
}
