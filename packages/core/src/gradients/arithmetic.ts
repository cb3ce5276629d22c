import {
  add,
  cast,
  div,
  equal,
  floor,
  type GradConfig,
  greater,
  log,
  logicalAnd,
  mul,
  neg,
  onesLike,
  pow,
  scalar,
  square,
  sub,
  type Tensor,
  where,
} from "@tensorflow/tfjs-core";
import { unbroadcast } from "./unbroadcast.js";

/** The gradients of both inputs before the sum over copies. */
type Differentiate = (dy: Tensor, a: Tensor, b: Tensor) => { a: () => Tensor; b: () => Tensor };

const float = (x: Tensor): Tensor => (x.dtype === "float32" ? x : cast(x, "float32"));

function binaryGradient(kernelName: string, differentiate: Differentiate): GradConfig {
  return {
    kernelName,
    inputsToSave: ["a", "b"],
    gradFunc: (dy, saved) => {
      const [a, b] = saved as [Tensor, Tensor];
      const parts = differentiate(dy as Tensor, float(a), float(b));
      return { a: () => unbroadcast(parts.a(), a.shape), b: () => unbroadcast(parts.b(), b.shape) };
    },
  };
}

/**
 * The gradients of arithmetic on two inputs, each summed over the copies that broadcasting made.
 *
 * Unlike tfjs-core, for empty tensors that are broadcast with others, and at `x⁰` of `x = 0`, where tfjs-core gives NaN.
 */
export const arithmeticGradients: readonly GradConfig[] = [
  binaryGradient("Add", (dy) => ({ a: () => dy, b: () => dy })),
  binaryGradient("Sub", (dy) => ({ a: () => dy, b: () => neg(dy) })),
  binaryGradient("Multiply", (dy, a, b) => ({ a: () => mul(dy, b), b: () => mul(dy, a) })),
  binaryGradient("RealDiv", (dy, a, b) => ({
    a: () => div(dy, b),
    b: () => neg(div(mul(dy, a), square(b))),
  })),
  binaryGradient("SquaredDifference", (dy, a, b) => {
    const da = () => mul(dy, mul(sub(a, b), 2));
    return { a: da, b: () => neg(da()) };
  }),
  binaryGradient("Pow", (dy, a, b) => ({
    a: () => {
      const constant = logicalAnd(equal(a, 0), equal(b, 0));
      return mul(dy, mul(b, pow(a, where(constant, scalar(1), sub(b, 1)))));
    },
    b: () => {
      const positive = greater(a, 0);
      const logarithm = log(where(positive, a, onesLike(a)));
      return mul(dy, mul(pow(a, b), logarithm));
    },
  })),
  binaryGradient("Atan2", (dy, a, b) => {
    const norm = () => add(square(a), square(b));
    return { a: () => mul(dy, div(b, norm())), b: () => neg(mul(dy, div(a, norm()))) };
  }),
  binaryGradient("Mod", (dy, a, b) => ({ a: () => dy, b: () => neg(mul(dy, floor(div(a, b)))) })),
];
