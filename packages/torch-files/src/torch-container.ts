import type { PickleValue } from "./pickle-values.js";
import type { TorchStorage } from "./torch-tensor.js";

/** A file of either form, its pickle read and its storages at hand. */
export interface TorchContainer {
  readonly format: "zip" | "legacy";
  /** What was saved. */
  readonly value: PickleValue;
  /** The bytes of these storages, by key: aligned in memory, and of the lengths that the pickle states. */
  readonly load: (storages: Iterable<TorchStorage>) => ReadonlyMap<string, Uint8Array>;
}
