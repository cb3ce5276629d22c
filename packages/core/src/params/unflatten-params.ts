import type { Tensor } from "@tensorflow/tfjs-core";
import { expectName, type Params, type ParamsList } from "./params.js";

type Branch = Map<string, Branch | Tensor>;

/**
 * The record that `flattenParams` took apart. A level whose names are exactly 0, 1, …, n - 1 becomes a list.
 *
 * @param entries Pairs of path and tensor in any order; the tensors are not copied.
 * @throws {RangeError} when a path comes twice, leads through a tensor, or has a name that cannot be one.
 */
export function unflattenParams(entries: Iterable<readonly [path: string, tensor: Tensor]>): Params {
  const root: Branch = new Map();
  for (const [path, tensor] of entries) {
    const names = path.split(".");
    for (const name of names) expectName("unflattenParams", path, name);
    let branch = root;
    for (const name of names.slice(0, -1)) {
      const next = branch.get(name) ?? new Map<string, Branch | Tensor>();
      if (!(next instanceof Map)) throw conflict(path);
      branch.set(name, next);
      branch = next;
    }
    const last = names.at(-1)!;
    if (branch.has(last)) throw conflict(path);
    branch.set(last, tensor);
  }
  // The root stays a record, so that a record of one list differs from the list.
  return record(root);
}

function conflict(path: string): RangeError {
  return new RangeError(
    `unflattenParams: ${path}: expected one tensor per path and none on the way, got two`,
  );
}

function record(branch: Branch): Params {
  return Object.fromEntries([...branch].map(([name, child]) => [name, build(child)]));
}

function build(node: Branch | Tensor): Tensor | Params | ParamsList {
  if (!(node instanceof Map)) return node;
  const indices = Array.from({ length: node.size }, (_, i) => `${i}`);
  return indices.every((index) => node.has(index))
    ? indices.map((index) => build(node.get(index)!))
    : record(node);
}
