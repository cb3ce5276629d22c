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

/** With metadata that is set (PyTorch since 2.0) the elements stand for their negative or conjugate: not read. */
const asTensor: Call = ([storage, offset, size, stride, , , metadata]) => {
  if (
    !(storage instanceof TorchStorage) ||
    offset === undefined ||
    size === undefined ||
    stride === undefined
  )
    return undefined;
  const isView = metadata instanceof PickleDict && [...metadata.entries.values()].includes(true);
  return isView
    ? new OpaqueValue("a tensor of negated or conjugated elements")
    : new TorchTensor(storage, offset, size, stride);
};

const isTensor = (value: PickleValue | undefined): value is TorchTensor | OpaqueValue =>
  value instanceof TorchTensor || (value instanceof OpaqueValue && value.kind.includes("tensor"));

const asParameter: Call = ([tensor]) => (isTensor(tensor) ? tensor : undefined);

/** `_rebuild_from_type_v2(function, type, arguments, state)`: a tensor with attributes, of which nothing is kept. */
const asTypedTensor: Call = ([rebuild, , args]) => {
  if (!(rebuild instanceof PickleGlobal) || !Array.isArray(args)) return undefined;
  const value = calls.get(rebuild.name)?.(args as readonly PickleValue[]);
  return isTensor(value) ? value : undefined;
};

const opaque =
  (kind: string): Call =>
  () =>
    new OpaqueValue(kind);

/**
 * All that a checkpoint may call, and what is made of it here; `undefined` where the arguments do not fit. A state dict
 * takes the first three; the rest stands beside it in checkpoints of trainings.
 */
const calls: ReadonlyMap<string, Call> = new Map<string, Call>([
  ["collections.OrderedDict", asDict],
  ["torch._utils._rebuild_tensor_v2", asTensor],
  ["torch._utils._rebuild_parameter", asParameter],
  ["torch._utils._rebuild_parameter_with_state", asParameter],
  ["torch._utils._rebuild_tensor", asTensor],
  ["torch.Size", ([sizes]) => sizes],
  ["torch._tensor._rebuild_from_type_v2", (args) => asTypedTensor(args)],
  ["collections.Counter", asDict],
  ["collections.defaultdict", () => new PickleDict()],
  ["torch.device", opaque("a device")],
  ...[
    ["_rebuild_qtensor", "a quantized tensor"],
    ["_rebuild_sparse_tensor", "a sparse tensor"],
    ["_rebuild_sparse_csr_tensor", "a sparse tensor"],
    ["_rebuild_nested_tensor", "a nested tensor"],
    ["_rebuild_meta_tensor_no_storage", "a tensor without elements"],
    ["_rebuild_device_tensor_from_numpy", "a tensor of another device"],
    ["_rebuild_tensor_v3", "a tensor of a dtype that is not read"],
    ["_rebuild_wrapper_subclass", "a tensor of a class of its own"],
  ].map(([name, kind]): [string, Call] => [`torch._utils.${name}`, opaque(kind!)]),
  ["torch.serialization._get_layout", opaque("a layout")],
  // What trainings keep beside their tensors. Calling one of these makes nothing: it is only given its kind.
  ...["numpy.core.multiarray", "numpy._core.multiarray"].flatMap((module): [string, Call][] => [
    [`${module}.scalar`, opaque("a NumPy scalar")],
    [`${module}._reconstruct`, opaque("a NumPy array")],
  ]),
  ["numpy.core.numeric._frombuffer", opaque("a NumPy array")],
  ["numpy._core.numeric._frombuffer", opaque("a NumPy array")],
  ["numpy.dtype", opaque("a NumPy dtype")],
  ["numpy.ndarray", opaque("a NumPy array")],
  ...["generator", "bit_generator", "randomstate"].map((name): [string, Call] => [
    `numpy.random._pickle.__${name}_ctor`,
    opaque("a random generator"),
  ]),
  ["_codecs.encode", opaque("bytes")],
  ["datetime.datetime", opaque("a date")],
  ["datetime.date", opaque("a date")],
  ["datetime.time", opaque("a time")],
  ["datetime.timedelta", opaque("a time span")],
  ["datetime.timezone", opaque("a time zone")],
  ["uuid.UUID", opaque("a UUID")],
  ["decimal.Decimal", opaque("a decimal number")],
  ["fractions.Fraction", opaque("a fraction")],
  ["argparse.Namespace", opaque("a namespace")],
  ["types.SimpleNamespace", opaque("a namespace")],
  ["collections.deque", () => []],
  ...["Path", "PurePath", "PosixPath", "PurePosixPath", "WindowsPath", "PureWindowsPath"].flatMap(
    (name): [string, Call][] => [
      [`pathlib.${name}`, opaque("a path")],
      [`pathlib._local.${name}`, opaque("a path")],
    ],
  ),
  ...["builtins", "__builtin__"].flatMap((module): [string, Call][] =>
    ["set", "frozenset", "complex", "bytes", "bytearray", "slice", "range"].map((name) => [
      `${module}.${name}`,
      opaque(name.startsWith("byte") ? name : `a ${name}`),
    ]),
  ),
]);

/** Types that stand in arguments and are never called. */
const typeNames: ReadonlySet<string> = new Set([
  "torch.Tensor",
  "torch.nn.parameter.Parameter",
  "torch.nn.parameter.Buffer",
  "torch._tensor.Tensor",
  ...["strided", "sparse_coo", "sparse_csr", "contiguous_format", "channels_last", "preserve_format"].map(
    (name) => `torch.${name}`,
  ),
  ...["tensor", "channel"].flatMap((per) => [`torch.per_${per}_affine`, `torch.per_${per}_symmetric`]),
  ...["builtins", "__builtin__"].flatMap((module) =>
    ["int", "float", "bool", "str", "list", "dict", "tuple"].map((name) => `${module}.${name}`),
  ),
]);

/** The globals that a checkpoint of PyTorch may name; every other one is an error that names it. */
export function torchHooks(persistentLoad: PickleHooks["persistentLoad"]): PickleHooks {
  return {
    findGlobal: (name) => {
      if ([calls, storageDtypes, dtypeNames, typeNames].some((known) => known.has(name)))
        return new PickleGlobal(name);
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
