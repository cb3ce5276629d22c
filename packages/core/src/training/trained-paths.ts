import type { Tensor } from "@tensorflow/tfjs-core";
import { entriesOf } from "../params/params.js";

/** What of a state is its parameters: what stands under `params`, or all of it where there is no such name. */
export type ParamsIn<S> = S extends { readonly params: infer P } ? P : S;

/** Whether a path is one of parameters: under `params` where the state has that name, any path where it has not. */
export function paramPaths(state: unknown): (path: string) => boolean {
  if (!Object.hasOwn(state as object, "params")) return () => true;
  return (path) => path === "params" || path.startsWith("params.");
}

/** The paths that are trained, in order: float32, parameters, and named by `trainable`. */
export function trainedPaths(
  where: string,
  state: unknown,
  trainable: (path: string, tensor: Tensor) => boolean,
): string[] {
  const isParam = paramPaths(state);
  const paths = entriesOf(where, state)
    .filter(([path, tensor]) => tensor.dtype === "float32" && isParam(path) && trainable(path, tensor))
    .map(([path]) => path);
  if (paths.length === 0) {
    throw new RangeError(`${where}: expected at least one float32 tensor to train, got none`);
  }
  return paths;
}
