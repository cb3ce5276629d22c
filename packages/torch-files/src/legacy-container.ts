import { runPickle } from "./pickle-machine.js";
import { kindOf, PickleDict, type PickleValue } from "./pickle-values.js";
import { quote } from "./show.js";
import type { TorchContainer } from "./torch-container.js";
import { TorchFileError } from "./torch-file-error.js";
import { storageOf, torchHooks } from "./torch-globals.js";
import { TorchStorage } from "./torch-tensor.js";

const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;

/** A 10-byte integer in a pickle, the magic number. */
const SIGNATURE = [0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

/** Whether bytes begin with a pickle of the magic number. */
export function isLegacy(bytes: Uint8Array): boolean {
  // The protocol is the writer's to choose (the second byte); from 4 on, a frame and its length in 8 bytes come first.
  const start = bytes[2] === 0x95 ? 11 : 2;
  return bytes[0] === 0x80 && SIGNATURE.every((byte, i) => bytes[start + i] === byte);
}

/**
 * The form before PyTorch 1.6: five pickles (magic number, protocol 1001, facts of the machine, what was saved, the
 * keys of the storages), then for each key the number of elements in 8 bytes and the elements, little-endian.
 *
 * @see https://github.com/pytorch/pytorch/blob/main/torch/serialization.py, `_legacy_save`
 */
export function openLegacy(bytes: Uint8Array): TorchContainer {
  const plain = torchHooks((id) => {
    throw new TorchFileError(`readTorch: header: expected plain values, got the id ${kindOf(id)}`);
  });
  const magic = runPickle(bytes, 0, plain);
  const protocol = runPickle(bytes, magic.end, plain);
  const machine = runPickle(bytes, protocol.end, plain);
  if (magic.value !== MAGIC || protocol.value !== PROTOCOL) {
    const got = `${kindOf(magic.value)} and ${kindOf(protocol.value)}`;
    throw new TorchFileError(
      `readTorch: header: expected the magic number and protocol ${PROTOCOL}, got ${got}`,
    );
  }
  const isLittle = machine.value instanceof PickleDict ? machine.value.entries.get("little_endian") : null;
  if (isLittle !== true) {
    throw new TorchFileError(
      `readTorch: header: little_endian: expected True, got ${isLittle === undefined ? "none" : kindOf(isLittle)}`,
    );
  }
  const storages = new Map<string, TorchStorage>();
  const saved = runPickle(
    bytes,
    machine.end,
    torchHooks((id) => {
      const storage = storageOf(id, storages);
      return viewOf(storage, Array.isArray(id) ? (id[5] ?? null) : null);
    }),
  );
  const keys = runPickle(bytes, saved.end, plain);
  const contents = locate(bytes, keys.end, keys.value, storages);
  return {
    format: "legacy",
    value: saved.value,
    load: (wanted) =>
      new Map(
        [...wanted].map(({ key, elementSize }) => {
          const content = contents.get(key)!;
          return [key, content.byteOffset % elementSize === 0 ? content : content.slice()];
        }),
      ),
  };
}

/** A part of a storage: `(key of the view, first element, number of elements)`, as PyTorch before 0.4 wrote it. */
function viewOf(storage: TorchStorage, view: PickleValue): TorchStorage {
  if (view === null) return storage;
  const [, start, length] = Array.isArray(view) ? (view as readonly (PickleValue | undefined)[]) : [];
  const isCount = (count: unknown): count is number => Number.isSafeInteger(count) && (count as number) >= 0;
  if (!isCount(start) || !isCount(length) || start + length > storage.length) {
    const where = `readTorch: storage ${quote(storage.key)}`;
    throw new TorchFileError(`${where}: view: expected a part of ${storage.length} elements, got another`);
  }
  return new TorchStorage(storage.key, storage.dtype, length, start);
}

/** Where the bytes of each storage are; they fill the rest of the file exactly. */
function locate(
  bytes: Uint8Array,
  start: number,
  keys: PickleValue,
  storages: ReadonlyMap<string, TorchStorage>,
): ReadonlyMap<string, Uint8Array> {
  if (!Array.isArray(keys)) {
    throw new TorchFileError(`readTorch: keys of the storages: expected a list, got ${kindOf(keys)}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const contents = new Map<string, Uint8Array>();
  let at = start;
  for (const key of keys as readonly PickleValue[]) {
    const storage = typeof key === "string" ? storages.get(key) : undefined;
    if (storage === undefined || contents.has(storage.key)) {
      const got = typeof key === "string" ? quote(key) : kindOf(key);
      throw new TorchFileError(
        `readTorch: keys of the storages: expected those of the tensors, each once, got ${got}`,
      );
    }
    const where = `readTorch: storage ${quote(storage.key)}`;
    if (bytes.length - at < 8) {
      throw new TorchFileError(`${where}: expected 8 bytes of length, got ${bytes.length - at}`);
    }
    const length = view.getBigUint64(at, true);
    if (length !== BigInt(storage.length)) {
      throw new TorchFileError(`${where}: expected ${storage.length} elements, got ${length}`);
    }
    const end = at + 8 + storage.length * storage.elementSize;
    if (end > bytes.length) {
      throw new TorchFileError(`${where}: expected ${end - at - 8} bytes, got ${bytes.length - at - 8}`);
    }
    contents.set(storage.key, bytes.subarray(at + 8, end));
    at = end;
  }
  if (contents.size !== storages.size || at !== bytes.length) {
    const got = `${contents.size} and ${bytes.length - at} bytes`;
    throw new TorchFileError(
      `readTorch: storages: expected ${storages.size} and nothing behind them, got ${got}`,
    );
  }
  return contents;
}
