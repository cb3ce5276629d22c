import { countErrors, type Madaline, type Matrix, respond } from "@gradlab/lms";

/**
 * Straight-through slopes of ½ Σ (y − t)² over all rows, for a net `[inputs, units, 1]` of sign units: the chain rule
 * with slope 1 for a sign whose sum lies in [−1, 1] and 0 elsewhere. Weight by weight, the first layer first.
 *
 * Not a gradient: that is 0 almost everywhere.
 *
 * @see Bengio, Léonard & Courville 2013, https://arxiv.org/abs/1308.3432
 */
export function signGradientByHand(net: Madaline, X: Matrix, t: readonly number[]): number[] {
  const [first, second] = [net.layers[0]!, net.layers[1]!];
  const width = net.sizes[0]! + 1;
  const gradient = new Array<number>(first.length + second.length).fill(0);
  for (let k = 0; k < X.rows; k++) {
    const x = X.data.subarray(k * X.columns, (k + 1) * X.columns);
    const { sums, outputs } = respond(net, x);
    const back = (outputs[1]![0]! - t[k]!) * slope(sums[1]![0]!);
    gradient[first.length]! += back;
    for (const [unit, y] of outputs[0]!.entries()) {
      gradient[first.length + 1 + unit]! += back * y;
      const hidden = back * second[1 + unit]! * slope(sums[0]![unit]!);
      for (let i = 0; i < width; i++) gradient[unit * width + i]! += hidden * x[i]!;
    }
  }
  return gradient;
}

const slope = (sum: number) => (Math.abs(sum) <= 1 ? 1 : 0);

/** Steps along minus the straight-through slopes of all rows, until no row is wrong. */
export function trainStraightThrough(
  start: Madaline,
  X: Matrix,
  t: readonly number[],
  { rate, epochs }: { readonly rate: number; readonly epochs: number },
): { readonly net: Madaline; readonly errors: readonly number[] } {
  const net = { sizes: start.sizes, layers: start.layers.map((layer) => layer.slice()) };
  const targets = t.map((one) => [one]);
  const errors = [countErrors(net, X, targets)];
  for (let epoch = 0; epoch < epochs && errors.at(-1)! > 0; epoch++) {
    let at = 0;
    const gradient = signGradientByHand(net, X, t);
    for (const layer of net.layers) {
      for (const i of layer.keys()) layer[i]! -= rate * gradient[at++]!;
    }
    errors.push(countErrors(net, X, targets));
  }
  return { net, errors };
}
