import {
  add,
  concat,
  mul,
  scalar,
  sigmoid,
  split,
  square,
  sub,
  type Tensor2D,
  tanh,
} from "@tensorflow/tfjs-core";
import type { RecurrentRule } from "./recurrent-rule.js";

/**
 * An LSTM: `i, f, g, o` in this order along the columns, as in PyTorch; `c' = σ(f) c + σ(i) tanh(g)` and
 * `h' = σ(o) tanh(c')`.
 *
 * @see Hochreiter and Schmidhuber 1997, with the forget gate of Gers, Schmidhuber, Cummins 2000,
 *   https://doi.org/10.1162/089976600300015015
 */
export const lstmRule: RecurrentRule = {
  gates: 4,
  parts: 2,
  recurrentBias: false,
  saves: 5,
  step(fromInput, fromState, [, c]) {
    const [zi, zf, zg, zo] = split(add(fromInput, fromState), 4, 1) as Tensor2D[];
    const [i, f, g, o] = [sigmoid(zi!), sigmoid(zf!), tanh(zg!), sigmoid(zo!)];
    const next = add(mul(f, c!), mul(i, g)) as Tensor2D;
    const squashed = tanh(next);
    return { after: [mul(o, squashed) as Tensor2D, next], saved: [i, f, g, o, squashed] as Tensor2D[] };
  },
  backward([dh, dcAfter], [i, f, g, o, squashed], [, c]) {
    const one = scalar(1);
    const slope = (gate: Tensor2D) => mul(gate, sub(one, gate));
    const dc = add(dcAfter!, mul(mul(dh!, o!), sub(one, square(squashed!))));
    const d = concat(
      [
        mul(mul(dc, g!), slope(i!)),
        mul(mul(dc, c!), slope(f!)),
        mul(mul(dc, i!), sub(one, square(g!))),
        mul(mul(dh!, squashed!), slope(o!)),
      ] as Tensor2D[],
      1,
    );
    return { dInput: d, dState: d, dBefore: [null, mul(dc, f!) as Tensor2D] };
  },
};
