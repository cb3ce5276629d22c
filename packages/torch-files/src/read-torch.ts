import type { RawTensor } from "@gradlab/safetensors";
import { asBytes } from "./as-bytes.js";
import { isLegacy, openLegacy } from "./legacy-container.js";
import { kindOf, PickleDict, type PickleValue } from "./pickle-values.js";
import { quote, quoteSome } from "./show.js";
import { TorchFileError } from "./torch-file-error.js";
import { placeTensor, rawTensor, type TorchStorage, TorchTensor } from "./torch-tensor.js";
import { openZip } from "./zip-container.js";

export interface ReadTorchOptions {
  /**
   * The keys that lead to the dict of tensors: `"state_dict"`, `["ema", "model"]`, or `[]` for what was saved itself.
   * Without it, as long as a dict has an entry `state_dict`, `model_state_dict`, `model`, `net` or `weights` that is a
   * dict too, that one (the first of this list) is opened.
   */
  readonly key?: string | readonly string[];
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
  /** The entries of that dict that are no tensors. */
  readonly ignored: readonly string[];
  /** The keys that led to the dict. */
  readonly key: readonly string[];
  /** A zip archive (since PyTorch 1.6) or the form before. */
  readonly format: "zip" | "legacy";
}

const wrappers = ["state_dict", "model_state_dict", "model", "net", "weights"] as const;
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
  { key, maxByteLength }: ReadTorchOptions = {},
): TorchFile {
  const file = asBytes("readTorch", bytes);
  const limit = maxByteLength ?? 16 * file.length + 2 ** 20;
  if (typeof limit !== "number" || !(limit > 0)) {
    throw new RangeError(`readTorch: maxByteLength: expected a number greater than 0, got ${limit}`);
  }
  const { format, value, load } = open(file, limit);
  const { dict, path } =
    key === undefined ? unwrap(value) : follow(value, typeof key === "string" ? [key] : key);
  const ignored: string[] = [];
  const placed = [...dict.entries].flatMap(([name, entry]) => {
    if (typeof name === "string" && entry instanceof TorchTensor) return [placeTensor(name, entry)];
    ignored.push(typeof name === "string" ? name : kindOf(name));
    return [];
  });
  if (placed.length === 0) {
    const got = dict.entries.size === 0 ? "an empty one" : `one of ${quoteSome(ignored)}`;
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

/** Whether bytes begin like a file of `torch.save`, of either form; a zip archive of any kind counts. */
export function looksLikeTorch(bytes: Uint8Array): boolean {
  return isZip(bytes) || isLegacy(bytes);
}

const isZip = (bytes: Uint8Array) => [0x50, 0x4b, 3, 4].every((byte, i) => bytes[i] === byte);

function open(file: Uint8Array, limit: number) {
  if (isZip(file)) return openZip(file, limit);
  if (isLegacy(file)) return openLegacy(file);
  const got = [...file.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  throw new TorchFileError(
    `readTorch: bytes: expected a zip archive or the legacy form of torch.save, got ${got || "no byte"}`,
  );
}

function unwrap(value: PickleValue): { dict: PickleDict; path: string[] } {
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

function follow(value: PickleValue, keys: readonly string[]): { dict: PickleDict; path: string[] } {
  const path: string[] = [];
  let dict = expectDict(value, path);
  for (const key of keys) {
    const next = dict.entries.get(key);
    if (next === undefined) {
      const known = quoteSome(
        [...dict.entries.keys()].map((name) => `${typeof name === "string" ? name : kindOf(name)}`),
      );
      throw new RangeError(`readTorch: key: expected one of ${known}, got ${quote(key)}`);
    }
    path.push(key);
    dict = expectDict(next, path);
  }
  return { dict, path };
}

function expectDict(value: PickleValue, path: readonly string[]): PickleDict {
  if (value instanceof PickleDict) return value;
  const where = path.length === 0 ? "" : ` under ${quote(path.join("."))}`;
  throw new TorchFileError(`readTorch: expected a dict of tensors${where}, got ${kindOf(value)}`);
}
