import { type TensorContainer, tidy } from "@tensorflow/tfjs-core";

/** `tidy` for records of ours, which its types take for no containers of tensors: what `f` returns stays. */
export function scoped<T>(f: () => T): T {
  return tidy(f as () => TensorContainer) as T;
}
