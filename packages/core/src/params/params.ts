import { Tensor } from "@tensorflow/tfjs-core";
import { typeMismatch } from "../expect-argument.js";

/**
 * The parameters of a model: a nested record of tensors. Records may hold lists (one entry per layer), and an
 * optional tensor may be `undefined`.
 *
 * A tensor's path names it: the names and indices that lead to it, joined by dots (`"layers.0.bias"`). The paths are
 * the structure: neither the order in which a record was filled nor the kind of its containers matters.
 */
export interface Params {
  readonly [name: string]: Tensor | Params | ParamsList;
}

export interface ParamsList extends ReadonlyArray<Tensor | Params | ParamsList> {}

/** Holds for a type `T` all of whose leaves are tensors: `T extends ParamsOf<T>` takes interfaces too. */
export type ParamsOf<T> = { readonly [K in keyof T]: ParamsNode<T[K]> };

type ParamsNode<T> = T extends Tensor | Params | ParamsList | undefined
  ? T
  : T extends object
    ? ParamsOf<T>
    : never;

/** The tensors of a record in the order of their paths. */
export function entriesOf(where: string, params: unknown): [string, Tensor][] {
  const entries: [string, Tensor][] = [];
  visit(where, params, "", (path, tensor) => entries.push([path, tensor]));
  // By code units, which no locale changes; paths are unique.
  return entries.sort(([a], [b]) => (a < b ? -1 : 1));
}

function visit(
  where: string,
  node: unknown,
  path: string,
  found: (path: string, tensor: Tensor) => void,
): void {
  for (const [name, child] of childrenOf(where, node, path)) {
    expectName(where, path, name);
    const at = path === "" ? name : `${path}.${name}`;
    if (child instanceof Tensor) found(at, child);
    else if (child !== undefined) visit(where, child, at, found);
  }
}

/** The entries of a plain record or a list; anything else is no part of a parameter record. */
export function childrenOf(where: string, node: unknown, path: string): [string, unknown][] {
  if (typeof node === "object" && node !== null) {
    const prototype = Object.getPrototypeOf(node);
    if (Array.isArray(node) || prototype === Object.prototype || prototype === null) {
      return Object.entries(node);
    }
  }
  throw typeMismatch(
    path === "" ? where : `${where}: ${path}`,
    path === "" ? "a record of tensors" : "a tensor or a record of tensors",
    node,
  );
}

/** A path must come apart into its names again. */
export function expectName(where: string, path: string, name: string): void {
  if (name === "" || name === "__proto__" || name.includes(".")) {
    throw new RangeError(
      `${where}: ${path === "" ? "names" : path}: expected names without dots, neither "" nor "__proto__", got ${JSON.stringify(name)}`,
    );
  }
}
