import { zipSync } from "fflate";

/** Assembles pickles and files of torch.save by hand, from the description of the formats and not from this package. */

export type Part = number | string | Uint8Array | readonly Part[];

/** Operations (numbers are bytes, strings ASCII) to bytes. */
export function bytesOf(...parts: readonly Part[]): Uint8Array {
  return Uint8Array.from(
    parts.flatMap(function flat(part: Part): number[] {
      if (typeof part === "number") return [part];
      if (typeof part === "string") return [...new TextEncoder().encode(part)];
      return part instanceof Uint8Array ? [...part] : part.flatMap(flat);
    }),
  );
}

const little = (value: number | bigint, count: number) =>
  Array.from({ length: count }, (_, i) => Number((BigInt(value) >> BigInt(8 * i)) & 0xffn));

export const uint32 = (value: number) => little(value, 4);
const uint64 = (value: number | bigint) => little(value, 8);
export const text = (value: string): Part => {
  const bytes = new TextEncoder().encode(value);
  return ["X", ...uint32(bytes.length), bytes];
};
/** An integer of any size up to 2^63. */
export const int = (value: number | bigint): Part =>
  typeof value === "number" && Math.abs(value) < 2 ** 31
    ? ["J", ...little(value, 4)]
    : [0x8a, 9, ...little(value, 9)];
export const global = (module: string, name: string): Part => `c${module}\n${name}\n`;
export const tuple = (...items: Part[]): Part => ["(", ...items, "t"];
export const call = (module: string, name: string, ...args: Part[]): Part => [
  global(module, name),
  tuple(...args),
  "R",
];
export const dict = (...entries: (readonly [Part, Part])[]): Part => ["}(", ...entries.flat(), "u"];
export const pickle = (...parts: Part[]): Uint8Array => bytesOf(0x80, 2, ...parts, ".");

export const storage = (key: string, length: number, type = "FloatStorage", ...more: Part[]): Part => [
  tuple(text("storage"), global("torch", type), text(key), text("cpu"), int(length), ...more),
  "Q",
];

/** A tensor in a storage. */
export function tensor(
  place: Part,
  shape: readonly (number | bigint)[],
  stride: readonly (number | bigint)[],
  offset: number | bigint = 0,
): Part {
  const hooks = call("collections", "OrderedDict");
  const sizes = [shape, stride].map((values) => tuple(...values.map(int)));
  return call("torch._utils", "_rebuild_tensor_v2", place, int(offset), ...sizes, [0x89], hooks);
}

/** A zip archive; stored unless `level` says otherwise. */
export function zipFile(
  data: Uint8Array,
  storages: Readonly<Record<string, Uint8Array>> = {},
  { level = 0, files = {} }: { level?: 0 | 9; files?: Readonly<Record<string, Uint8Array>> } = {},
): Uint8Array {
  const entries = Object.entries(storages).map(([key, bytes]) => [`a/data/${key}`, bytes] as const);
  return zipSync({ "a/data.pkl": data, ...Object.fromEntries(entries), ...files }, { level });
}

/** A file of the form before PyTorch 1.6. */
export function legacyFile(
  data: Uint8Array,
  storages: readonly (readonly [key: string, length: number | bigint, bytes: Uint8Array])[],
  { magic = 0x1950a86a20f9469cfc6cn, protocol = 1001, littleEndian = true } = {},
): Uint8Array {
  return bytesOf(
    pickle([0x8a, 10, ...little(magic, 10)]),
    pickle(int(protocol)),
    pickle(dict([text("protocol_version"), int(1001)], [text("little_endian"), littleEndian ? 0x88 : 0x89])),
    data,
    pickle("](", ...storages.map(([key]) => text(key)), "e"),
    ...storages.map(([, length, bytes]) => [...uint64(length), bytes]),
  );
}
