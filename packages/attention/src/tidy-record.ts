import { type TensorContainer, tidy } from "@tensorflow/tfjs-core";

/** `tidy` for results whose types are interfaces. */
export function tidyRecord<T extends object>(work: () => T): T {
  return tidy(work as unknown as () => TensorContainer) as unknown as T;
}
