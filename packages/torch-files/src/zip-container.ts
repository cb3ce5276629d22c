import { type UnzipFileInfo, unzipSync } from "fflate";
import { runPickle } from "./pickle-machine.js";
import { quote, quoteSome } from "./show.js";
import type { TorchContainer } from "./torch-container.js";
import { TorchFileError } from "./torch-file-error.js";
import { storageOf, torchHooks } from "./torch-globals.js";
import type { TorchStorage } from "./torch-tensor.js";

/**
 * The form since PyTorch 1.6: a zip archive with one folder, in it the pickle `data.pkl`, one file `data/<key>` for
 * each storage, and (since 2.1) `byteorder`. PyTorch stores without compressing; an archive that was packed again is
 * read too, as long as it unpacks to no more than `maxByteLength`.
 *
 * @see https://github.com/pytorch/pytorch/blob/main/torch/serialization.py, `_save`
 */
export function openZip(bytes: Uint8Array, maxByteLength: number): TorchContainer {
  const files = listFiles(bytes);
  const pickles = [...files.keys()].filter((name) => /^[^/]*\/data\.pkl$/.test(name));
  if (pickles.length !== 1) {
    throw new TorchFileError(
      `readTorch: zip: expected one <folder>/data.pkl, got ${files.size === 0 ? "no file" : quoteSome([...files.keys()])}`,
    );
  }
  const root = pickles[0]!.slice(0, -"data.pkl".length);
  if (files.has(`${root}constants.pkl`)) {
    throw new TorchFileError(
      "readTorch: zip: expected a file of torch.save, got TorchScript (save the state_dict() of the model instead)",
    );
  }
  const extract = (names: readonly string[]) => extractFiles(bytes, files, names, maxByteLength);
  const names = [`${root}data.pkl`, `${root}byteorder`].filter((name) => files.has(name));
  const [pickle, byteOrder] = extract(names);
  const order = byteOrder === undefined ? "little" : String.fromCharCode(...byteOrder.subarray(0, 20));
  if (order !== "little") {
    throw new TorchFileError(`readTorch: byteorder: expected "little", got ${quote(order)}`);
  }
  const storages = new Map<string, TorchStorage>();
  const { value } = runPickle(
    pickle!,
    0,
    torchHooks((id) => {
      const storage = storageOf(id, storages);
      const file = files.get(`${root}data/${storage.key}`);
      const expected = storage.length * storage.elementSize;
      if (file?.originalSize !== expected) {
        throw new TorchFileError(
          `readTorch: storage ${quote(storage.key)}: expected ${expected} bytes, got ${file?.originalSize ?? "no file"}`,
        );
      }
      return storage;
    }),
  );
  return {
    format: "zip",
    value,
    load: (wanted) => {
      const keys = [...wanted].map(({ key }) => key);
      const contents = extract(keys.map((key) => `${root}data/${key}`));
      return new Map(keys.map((key, i) => [key, contents[i]!]));
    },
  };
}

/** Passes on what fflate throws for bytes that are no zip archive. */
function unzip(bytes: Uint8Array, filter: (file: UnzipFileInfo) => boolean): Record<string, Uint8Array> {
  try {
    return unzipSync(bytes, { filter });
  } catch (error) {
    if (error instanceof TorchFileError) throw error;
    throw new TorchFileError(`readTorch: zip: expected an archive, got ${(error as Error).message}`);
  }
}

/** The directory of the archive. A directory that runs past the end of the bytes yields an empty name, so it ends. */
function listFiles(bytes: Uint8Array): ReadonlyMap<string, UnzipFileInfo> {
  const files = new Map<string, UnzipFileInfo>();
  unzip(bytes, (file) => {
    const { name, size, originalSize, compression } = file;
    if (name === "" || files.has(name)) {
      const got = name === "" ? "an empty name" : `${quote(name)} twice`;
      throw new TorchFileError(`readTorch: zip: expected every file once, got ${got}`);
    }
    if (!(size <= bytes.length) || (compression === 0 && size !== originalSize)) {
      const got = `${quote(name)} of ${size} bytes for ${originalSize}`;
      throw new TorchFileError(`readTorch: zip: expected files within ${bytes.length} bytes, got ${got}`);
    }
    files.set(name, file);
    return false;
  });
  return files;
}

/** The contents of the named files, in their order, each in memory of its own. */
function extractFiles(
  bytes: Uint8Array,
  files: ReadonlyMap<string, UnzipFileInfo>,
  names: readonly string[],
  maxByteLength: number,
): Uint8Array[] {
  const total = names.reduce((sum, name) => sum + files.get(name)!.originalSize, 0);
  if (!(total <= maxByteLength)) {
    throw new TorchFileError(
      `readTorch: zip: expected at most ${maxByteLength} bytes unpacked, got ${total}`,
    );
  }
  const wanted = new Set(names);
  const contents = unzip(bytes, ({ name }) => wanted.has(name));
  return names.map((name) => {
    const content = contents[name];
    const expected = files.get(name)!.originalSize;
    if (content?.length !== expected) {
      throw new TorchFileError(
        `readTorch: zip: ${quote(name)}: expected ${expected} bytes, got ${content?.length ?? 0}`,
      );
    }
    return content;
  });
}
