import type { PickleHooks } from "./pickle-machine.js";
import { kindOf, OpaqueValue, PickleDict, PickleGlobal, type PickleValue } from "./pickle-values.js";
import { quote } from "./show.js";
import { TorchFileError } from "./torch-file-error.js";
import { dtypeNames, storageDtypes, TorchStorage, TorchTensor } from "./torch-tensor.js";

type Call = (args: readonly PickleValue[]) => PickleValue | undefined;

/** From nothing, from a dict, or from pairs, as Python 2 wrote an `OrderedDict`. */
const asDict: Call = ([content]) => {
  if (content instanceof PickleDict) return content;
  const dict = new PickleDict();
  for (const pair of content === undefined ? [] : Array.isArray(content) ? content : [null]) {
    if (!Array.isArray(pair) || pair.length !== 2 || dict.entries.has(pair[0])) return undefined;
    dict.entries.set(pair[0], pair[1]);
  }
  return dict;
};

/** Refused with metadata that is set (PyTorch since 2.0): elements that stand for their negative or conjugate. */
const asTensor: Call = ([storage, offset, size, stride, , , metadata]) => {
  const isView = metadata instanceof PickleDict && [...metadata.entries.values()].includes(true);
  return storage instanceof TorchStorage &&
    offset !== undefined &&
    size !== undefined &&
    stride !== undefined &&
    !isView
    ? new TorchTensor(storage, offset, size, stride)
    : undefined;
};

const asParameter: Call = ([tensor]) => (tensor instanceof TorchTensor ? tensor : undefined);

/**
 * All that a checkpoint may call, and what is made of it here; `undefined` where the arguments do not fit.
 * A state dict takes the first three; the rest stands beside it in checkpoints of trainings.
 */
const calls: ReadonlyMap<string, Call> = new Map<string, Call>([
  ["collections.OrderedDict", asDict],
  ["torch._utils._rebuild_tensor_v2", asTensor],
  ["torch._utils._rebuild_parameter", asParameter],
  ["torch._utils._rebuild_parameter_with_state", asParameter],
  ["torch._utils._rebuild_tensor", asTensor],
  ["torch.Size", ([sizes]) => sizes],
  ["collections.Counter", asDict],
  ["torch.device", () => new OpaqueValue("a device")],
  ["__builtin__.set", () => new OpaqueValue("a set")],
  ["builtins.set", () => new OpaqueValue("a set")],
]);

/** The globals that a checkpoint of PyTorch may name; every other one is an error that names it. */
export function torchHooks(persistentLoad: PickleHooks["persistentLoad"]): PickleHooks {
  return {
    findGlobal: (name) => {
      if (calls.has(name) || storageDtypes.has(name) || dtypeNames.has(name)) return new PickleGlobal(name);
      throw new TorchFileError(
        `readTorch: pickle: expected tensors and plain values, got the global ${quote(name)}, which is not read ` +
          "(of a whole model, save its state_dict())",
      );
    },
    call: ({ name }, args) => {
      const value = calls.get(name)?.(args);
      if (value !== undefined) return value;
      const got = args.slice(0, 8).map(kindOf).join(", ");
      throw new TorchFileError(`readTorch: pickle: ${name}: expected its usual arguments, got (${got})`);
    },
    persistentLoad,
  };
}

/**
 * The storage of a persistent id `("storage", class, key, location, number of elements, …)`; one object for each key.
 *
 * @param known The storages met before; gets this one.
 */
export function storageOf(id: PickleValue, known: Map<string, TorchStorage>): TorchStorage {
  if (!Array.isArray(id) || id[0] !== "storage") {
    const got = Array.isArray(id) && typeof id[0] === "string" ? quote(id[0]) : kindOf(id);
    throw new TorchFileError(`readTorch: pickle: persistent id: expected a storage, got ${got}`);
  }
  const [, type, key, , length] = id as readonly (PickleValue | undefined)[];
  const dtype = type instanceof PickleGlobal ? storageDtypes.get(type.name) : undefined;
  if (dtype === undefined || typeof key !== "string" || !Number.isSafeInteger(length) || Number(length) < 0) {
    const got = id.slice(1, 5).map(kindOf).join(", ");
    throw new TorchFileError(
      `readTorch: pickle: storage: expected its class, key, location and length, got ${got}`,
    );
  }
  const storage = known.get(key) ?? new TorchStorage(key, dtype, Number(length));
  if (storage.dtype !== dtype || storage.length !== length) {
    const before = `${storage.length} elements of ${storage.dtype} as before`;
    throw new TorchFileError(
      `readTorch: storage ${quote(key)}: expected ${before}, got ${length} of ${dtype}`,
    );
  }
  known.set(key, storage);
  return storage;
}
