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
 * A GRU: `r, z, n` in this order along the columns, as in PyTorch; `n = tanh(x_n + σ(r) h_n)` where `h_n` has a bias of
 * its own, and `h' = (1 - σ(z)) n + σ(z) h`.
 *
 * Unlike in the paper, `σ(r)` multiplies `h U` and not `h`, so that the recurrence is one product.
 *
 * @see Cho et al. 2014, §2.3, https://arxiv.org/abs/1406.1078
 */
export const gruRule: RecurrentRule = {
  gates: 3,
  parts: 1,
  recurrentBias: true,
  saves: 4,
  step(fromInput, fromState, [h]) {
    const [xr, xz, xn] = split(fromInput, 3, 1) as Tensor2D[];
    const [hr, hz, hn] = split(fromState, 3, 1) as Tensor2D[];
    const r = sigmoid(add(xr!, hr!));
    const z = sigmoid(add(xz!, hz!));
    const n = tanh(add(xn!, mul(r, hn!)));
    const next = add(n, mul(z, sub(h!, n)));
    return { after: [next as Tensor2D], saved: [r, z, n, hn!] as Tensor2D[] };
  },
  backward([dh], [r, z, n, hn], [h]) {
    const one = scalar(1);
    const slope = (gate: Tensor2D) => mul(gate, sub(one, gate));
    const dn = mul(mul(dh!, sub(one, z!)), sub(one, square(n!)));
    const dz = mul(mul(dh!, sub(h!, n!)), slope(z!));
    const dr = mul(mul(dn, hn!), slope(r!));
    return {
      dInput: concat([dr, dz, dn] as Tensor2D[], 1),
      dState: concat([dr, dz, mul(dn, r!)] as Tensor2D[], 1),
      dBefore: [mul(dh!, z!) as Tensor2D],
    };
  },
};
