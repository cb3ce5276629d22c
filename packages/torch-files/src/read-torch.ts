import type { RawTensor } from "@gradlab/safetensors";
import { asBytes } from "./as-bytes.js";
import { isLegacy, openLegacy } from "./legacy-container.js";
import { otherFile } from "./other-file.js";
import { kindOf, PickleDict, type PickleValue } from "./pickle-values.js";
import { quote, quoteSome } from "./show.js";
import { TorchFileError } from "./torch-file-error.js";
import { placeTensor, rawTensor, type TorchStorage, TorchTensor } from "./torch-tensor.js";
import { openZip } from "./zip-container.js";

export interface ReadTorchOptions {
  /**
   * The keys that lead to the dict of tensors: `"state_dict"`, `["ema", "model"]` or `"ema.model"`, or `[]` for what was
   * saved itself. Without it, as long as a dict has an entry `state_dict`, `model_state_dict`, `model`, `module`, `net`,
   * `weights` or `params` that is a dict too, that one (the first of this list) is opened.
   */
  readonly key?: string | readonly string[];
  /**
   * Opens the weights that were averaged in training: the entry `state_dict_ema`, `model_ema_state_dict`, `model_ema`,
   * `ema_state_dict`, `ema_model`, `ema` or `params_ema`, and what it wraps. `key` leads to the dict that has it.
   */
  readonly ema?: boolean;
  /**
   * The most bytes that the archive may unpack to, and that the tensors may hold together: 16 times the file and 1 MiB
   * unless given. What `torch.save` writes is not compressed, so that only tensors which share a storage add up to more
   * than the file.
   */
  readonly maxByteLength?: number;
}

/** The content of a file that `torch.save` wrote. */
export interface TorchFile {
  /** The tensors by name, in the order of the dict. A Map, so that no name (`__proto__`) is special. */
  readonly tensors: Map<string, RawTensor>;
  /** The entries of that dict that are no tensors of numbers, with what they are: `"a NumPy scalar"`. */
  readonly ignored: ReadonlyMap<string, string>;
  /** The keys that led to the dict. */
  readonly key: readonly string[];
  /** A zip archive (since PyTorch 1.6) or the form before. */
  readonly format: "zip" | "legacy";
}

const wrappers = ["state_dict", "model_state_dict", "model", "module", "net", "weights", "params"] as const;
const averages = [
  "state_dict_ema", "model_ema_state_dict", "model_ema", "ema_state_dict", "ema_model", "ema", "params_ema",
] as const; // biome-ignore format: a list
const DEEPEST = 4;

/**
 * Reads the dict of tensors of a file that PyTorch's `torch.save` wrote (`.pth`, `.pt`), in today's zip form or the
 * one before PyTorch 1.6. Parameters, strided, offset, shared, empty and zero-dimensional tensors come out row-major;
 * every dtype of safetensors is read.
 *
 * A pickle is a program. Nothing of it is executed: of its operations only those that build plain values are known, of
 * the names that it can call only those of tensors and containers, each of which is a case of a table. Every other name
 * (`os.system`, or the class of a model saved whole) is an error that names it. Time and memory are bounded by the
 * length of the file and `maxByteLength`; checksums are not compared.
 *
 * @param bytes The whole file. A tensor may share memory with it and with the other tensors of its storage.
 * @throws {TorchFileError} when the file is not valid or holds what is not read; the message names the tensor.
 * @throws {RangeError} when there is no dict under `key`, or `maxByteLength` is no positive number.
 * @throws {TypeError} when `bytes` is neither a `Uint8Array` nor an `ArrayBuffer`.
 * @see https://pytorch.org/docs/stable/notes/serialization.html
 */
export function readTorch(
  bytes: Uint8Array | ArrayBufferLike,
  { key, ema = false, maxByteLength }: ReadTorchOptions = {},
): TorchFile {
  const file = asBytes("readTorch", bytes);
  const limit = limitOf(file, maxByteLength);
  const { format, value, load } = open(file, limit);
  const { dict, path } = chosenDict(value, key, ema);
  const ignored = new Map<string, string>();
  const placed = [...dict.entries].flatMap(([name, entry]) => {
    if (typeof name === "string" && entry instanceof TorchTensor && entry.isReadable)
      return [placeTensor(name, entry)];
    ignored.set(typeof name === "string" ? name : kindOf(name), kindOf(entry));
    return [];
  });
  if (placed.length === 0) {
    const got = dict.entries.size === 0 ? "an empty one" : `one of ${quoteSome([...ignored.keys()])}`;
    throw new TorchFileError(
      `readTorch: expected a dict of tensors, got ${got} (the option key opens another)`,
    );
  }
  const total = placed.reduce((sum, { byteLength }) => sum + byteLength, 0);
  if (!(total <= limit)) {
    throw new TorchFileError(`readTorch: tensors: expected at most ${limit} bytes together, got ${total}`);
  }
  const storages = new Map<string, TorchStorage>(placed.map(({ storage }) => [storage.key, storage]));
  const contents = load(storages.values());
  const tensors = new Map(
    placed.map((tensor) => [tensor.name, rawTensor(tensor, contents.get(tensor.storage.key)!)]),
  );
  return { tensors, ignored, key: path, format };
}

/** A tensor of a file, wherever in it. */
export interface ListedTensor {
  /** The keys that lead to it; places in a list are numbers. */
  readonly path: readonly string[];
  /** That of safetensors, or PyTorch's name of one that is not read. */
  readonly dtype: string;
  readonly shape: readonly number[];
}

/** The most levels of dicts and lists that are looked through. */
const DEEPEST_LIST = 32;

/**
 * Every tensor of a file of `torch.save`, in whatever dicts and lists: its names, dtypes and shapes. A dict that is met
 * twice is listed once.
 *
 * @param bytes The whole file.
 * @throws {TorchFileError} when the file is not valid.
 */
export function listTorchTensors(
  bytes: Uint8Array | ArrayBufferLike,
  { maxByteLength }: Pick<ReadTorchOptions, "maxByteLength"> = {},
): ListedTensor[] {
  const file = asBytes("readTorch", bytes);
  const { value } = open(file, limitOf(file, maxByteLength));
  const listed: ListedTensor[] = [];
  const seen = new Set<PickleValue>();
  const visit = (one: PickleValue, path: readonly string[]): void => {
    if (one instanceof TorchTensor) {
      const { shape } = placeTensor(path.join("."), one);
      listed.push({ path, dtype: one.storage.dtype, shape });
      return;
    }
    const isList = Array.isArray(one);
    if (path.length > DEEPEST_LIST || seen.has(one) || !(isList || one instanceof PickleDict)) return;
    seen.add(one);
    const entries = isList
      ? [...(one as readonly PickleValue[]).entries()]
      : [...(one as PickleDict).entries];
    for (const [name, inner] of entries) {
      visit(inner, [
        ...path,
        typeof name === "string" || typeof name === "number" ? `${name}` : kindOf(name),
      ]);
    }
  };
  visit(value, []);
  return listed;
}

function limitOf(file: Uint8Array, maxByteLength: number | undefined): number {
  const limit = maxByteLength ?? 16 * file.length + 2 ** 20;
  if (typeof limit !== "number" || !(limit > 0)) {
    throw new RangeError(`readTorch: maxByteLength: expected a number greater than 0, got ${limit}`);
  }
  return limit;
}

/** Whether bytes begin like a file of `torch.save`, of either form; a zip archive of any kind counts. */
export function looksLikeTorch(bytes: Uint8Array): boolean {
  return isZip(bytes) || isLegacy(bytes);
}

const isZip = (bytes: Uint8Array) => [0x50, 0x4b, 3, 4].every((byte, i) => bytes[i] === byte);

function open(file: Uint8Array, limit: number) {
  if (isZip(file)) return openZip(file, limit);
  if (isLegacy(file)) return openLegacy(file);
  throw new TorchFileError(
    `readTorch: bytes: expected a zip archive or the legacy form of torch.save, got ${otherFile(file)}`,
  );
}

interface Opened {
  readonly dict: PickleDict;
  readonly path: string[];
}

function chosenDict(value: PickleValue, key: ReadTorchOptions["key"], ema: boolean): Opened {
  if (key !== undefined && !ema) return follow(value, typeof key === "string" ? [key] : key);
  if (!ema) return unwrap(value);
  const outer = follow(value, key === undefined ? [] : typeof key === "string" ? [key] : key);
  const found = averages.find((name) => outer.dict.entries.get(name) instanceof PickleDict);
  if (found === undefined) {
    const got = namesOf(outer.dict);
    throw new RangeError(`readTorch: ema: expected one of ${averages.join(", ")}, got ${got}`);
  }
  const inner = unwrap(outer.dict.entries.get(found)!);
  return { dict: inner.dict, path: [...outer.path, found, ...inner.path] };
}

const namesOf = (dict: PickleDict) =>
  quoteSome([...dict.entries.keys()].map((name) => (typeof name === "string" ? name : kindOf(name))));

function unwrap(value: PickleValue): Opened {
  const path: string[] = [];
  let dict = expectDict(value, path);
  while (path.length < DEEPEST) {
    const key = wrappers.find((name) => dict.entries.get(name) instanceof PickleDict);
    if (key === undefined) break;
    path.push(key);
    dict = dict.entries.get(key) as PickleDict;
  }
  return { dict, path };
}

function follow(value: PickleValue, keys: readonly string[]): Opened {
  const path: string[] = [];
  let dict = expectDict(value, path);
  const left = [...keys];
  for (let key = left.shift(); key !== undefined; key = left.shift()) {
    const name = beginOf(dict, key);
    if (name === undefined) {
      throw new RangeError(`readTorch: key: expected one of ${namesOf(dict)}, got ${quote(key)}`);
    }
    if (name !== key) left.unshift(key.slice(name.length + 1));
    path.push(name);
    dict = expectDict(dict.entries.get(name)!, path);
  }
  return { dict, path };
}

/** The key itself, or the longest of its beginnings up to a dot that the dict has. */
function beginOf(dict: PickleDict, key: string): string | undefined {
  for (let end = key.length; end > 0; end = key.lastIndexOf(".", end - 1)) {
    if (dict.entries.has(key.slice(0, end))) return key.slice(0, end);
  }
  return undefined;
}

function expectDict(value: PickleValue, path: readonly string[]): PickleDict {
  if (value instanceof PickleDict) return value;
  const where = path.length === 0 ? "" : ` under ${quote(path.join("."))}`;
  throw new TorchFileError(`readTorch: expected a dict of tensors${where}, got ${kindOf(value)}`);
}
