import { relu, type Tensor } from "@tensorflow/tfjs-core";
import { rangeMismatch } from "./expect-argument.js";
import { gelu } from "./gelu.js";

/** What stands between the layers of a feed-forward part; `gelu-tanh` is GPT-2's. */
export type Activation = "relu" | "gelu" | "gelu-tanh";

const activations: Readonly<Record<Activation, (x: Tensor) => Tensor>> = {
  relu,
  gelu: (x) => gelu(x),
  "gelu-tanh": (x) => gelu(x, "tanh"),
};

export function activationOf(where: string, name: Activation): (x: Tensor) => Tensor {
  if (!Object.hasOwn(activations, name)) {
    throw rangeMismatch(`${where}: activation`, `one of ${Object.keys(activations).join(", ")}`, name);
  }
  return activations[name];
}
