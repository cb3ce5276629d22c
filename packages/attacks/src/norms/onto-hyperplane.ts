import type { Box, NormName } from "./norm.js";

/**
 * The least change d of a point, in a norm, that brings it onto the hyperplane `⟨w, z⟩ = b` inside the box; where the
 * box does not reach it, as far as the box lets it.
 *
 * In every norm, numbers are moved as far as one parameter says and the box allows: all equally far for L∞, in
 * proportion to `|w|` for L2, one after the other by `|w|` for L1.
 *
 * @see Croce, Hein 2020, §2.2, https://arxiv.org/abs/1907.02044
 */
export function ontoHyperplane(
  norm: Exclude<NormName, "l0">,
  point: ArrayLike<number>,
  w: ArrayLike<number>,
  b: number,
  { lower, upper }: Pick<Box, "lower" | "upper">,
): Float64Array {
  const n = point.length;
  let missing = b;
  for (let i = 0; i < n; i++) missing -= w[i]! * point[i]!;
  const side = missing < 0 ? -1 : 1;
  const weights = new Float64Array(n);
  const room = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    // Numbers that hardly count are left alone.
    weights[i] = Math.abs(w[i]!) < 1e-8 ? 0 : Math.abs(w[i]!);
    const goesUp = side * w[i]! > 0;
    room[i] = Math.max(0, goesUp ? upper[i]! - point[i]! : point[i]! - lower[i]!);
  }
  const lengths = (norm === "l1" ? oneByOne : together[norm])(weights, room, Math.abs(missing));
  return lengths.map((length, i) => side * Math.sign(w[i]!) * length);
}

type Lengths = (weights: Float64Array, room: Float64Array, missing: number) => Float64Array;

const together: Readonly<Record<"linf" | "l2", Lengths>> = {
  linf: (weights, room, missing) =>
    filled(
      weights.map((w) => (w > 0 ? 1 : 0)),
      weights,
      room,
      missing,
    ),
  l2: (weights, room, missing) => filled(weights, weights, room, missing),
};

/** `min(t · rate, room)` with the t at which `Σ weight · length` is what is missing. */
function filled(
  rates: Float64Array,
  weights: Float64Array,
  room: Float64Array,
  missing: number,
): Float64Array {
  const reached = (t: number) => {
    let sum = 0;
    for (let i = 0; i < rates.length; i++) sum += weights[i]! * Math.min(t * rates[i]!, room[i]!);
    return sum;
  };
  let most = 0;
  for (let i = 0; i < rates.length; i++) if (rates[i]! > 0) most = Math.max(most, room[i]! / rates[i]!);
  if (reached(most) <= missing) return rates.map((rate, i) => Math.min(most * rate, room[i]!));
  let [low, high] = [0, most];
  for (let k = 0; k < 60 && low < high; k++) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (reached(middle) < missing) low = middle;
    else high = middle;
  }
  // Between two bends the sum is linear: the rest is solved.
  let [fixed, slope] = [0, 0];
  for (let i = 0; i < rates.length; i++) {
    if (low * rates[i]! >= room[i]!) fixed += weights[i]! * room[i]!;
    else slope += weights[i]! * rates[i]!;
  }
  const t = slope > 0 ? Math.min(Math.max((missing - fixed) / slope, low), high) : high;
  return rates.map((rate, i) => Math.min(t * rate, room[i]!));
}

const oneByOne: Lengths = (weights, room, missing) => {
  const lengths = new Float64Array(weights.length);
  const order = Array.from(weights.keys()).filter((i) => weights[i]! > 0);
  order.sort((a, b) => weights[b]! - weights[a]! || a - b);
  let rest = missing;
  for (const i of order) {
    if (rest <= 0) break;
    lengths[i] = Math.min(room[i]!, rest / weights[i]!);
    rest -= weights[i]! * lengths[i]!;
  }
  return lengths;
};
