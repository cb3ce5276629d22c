import { Tensor } from "@tensorflow/tfjs-core";
import { childrenOf, entriesOf, type ParamsOf } from "./params.js";

/**
 * A record of the same structure, with `f(tensor, path)` in the place of each tensor. `f` is called in the order of
 * the paths, whatever the order in which the record was filled.
 *
 * @param params Borrowed.
 * @param f Gives a tensor of the same rank; what it makes belongs to the caller.
 * @throws {TypeError | RangeError} as `flattenParams` does, before the first call of `f`.
 */
export function mapParams<T extends ParamsOf<T>>(params: T, f: (tensor: Tensor, path: string) => Tensor): T {
  const results = new Map(
    entriesOf("mapParams", params).map(([path, tensor]) => [path, f(tensor, path)] as const),
  );
  return rebuild(params, "", results) as T;
}

function rebuild(node: unknown, path: string, results: ReadonlyMap<string, Tensor>): unknown {
  if (node === undefined) return undefined;
  if (node instanceof Tensor) return results.get(path);
  const children = childrenOf("mapParams", node, path).map(([name, child]) => {
    return [name, rebuild(child, path === "" ? name : `${path}.${name}`, results)] as const;
  });
  return Array.isArray(node) ? children.map(([, child]) => child) : Object.fromEntries(children);
}
