import { expect, test } from "vitest";
import { crc32c, tensorBoardEvents } from "../src/logs/tensor-board.js";

const ascii = (text: string) => new TextEncoder().encode(text);

test("the checksum is Castagnoli's: the values of RFC 3720 and of its check string", () => {
  expect(crc32c(ascii("123456789"))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
});

/** Takes a file of records apart, and refuses one whose checksums are wrong. */
function recordsOf(file: Uint8Array): Uint8Array[] {
  const view = new DataView(file.buffer, file.byteOffset);
  const masked = (data: Uint8Array) => {
    const crc = crc32c(data);
    return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
  };
  const records: Uint8Array[] = [];
  for (let at = 0; at < file.length; ) {
    const length = Number(view.getBigUint64(at, true));
    expect(view.getUint32(at + 8, true)).toBe(masked(file.subarray(at, at + 8)));
    const data = file.subarray(at + 12, at + 12 + length);
    expect(view.getUint32(at + 12 + length, true)).toBe(masked(data));
    records.push(data);
    at += 16 + length;
  }
  return records;
}

/** The fields of a message of protocol buffers: number, and value or bytes. */
function fieldsOf(data: Uint8Array): [number, number | Uint8Array][] {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const fields: [number, number | Uint8Array][] = [];
  let at = 0;
  const varint = () => {
    let [value, factor] = [0, 1];
    for (; data[at]! >= 128; at++, factor *= 128) value += (data[at]! - 128) * factor;
    return value + data[at++]! * factor;
  };
  while (at < data.length) {
    const key = varint();
    const [field, wire] = [Math.floor(key / 8), key % 8];
    if (wire === 0) fields.push([field, varint()]);
    else {
      const length = { 1: 8, 5: 4 }[wire] ?? varint();
      const value = { 1: () => view.getFloat64(at, true), 5: () => view.getFloat32(at, true) }[wire];
      fields.push([field, value?.() ?? data.subarray(at, at + length)]);
      at += length;
    }
  }
  return fields;
}

test("an event file has its version first and then every scalar with its step and time", () => {
  const file = tensorBoardEvents([
    { step: 1, time: 1_700_000_000.25, scalars: { loss: 2.5, "learning rate": 0.5 } },
    { step: 3_000_000_000, time: 1_700_000_001, scalars: { loss: -1 } },
  ]);
  const [first, ...events] = recordsOf(file).map((data) => new Map(fieldsOf(data)));
  expect(first!.get(3)).toEqual(ascii("brain.Event:2"));
  const scalars = events.map((event) =>
    fieldsOf(event.get(5) as Uint8Array).map(([, value]) => {
      const fields = new Map(fieldsOf(value as Uint8Array));
      return [new TextDecoder().decode(fields.get(1) as Uint8Array), fields.get(2)];
    }),
  );
  expect(events.map((event) => [event.get(2), event.get(1)])).toEqual([
    [1, 1_700_000_000.25],
    [3_000_000_000, 1_700_000_001],
  ]);
  expect(scalars).toEqual([[["loss", 2.5], ["learning rate", 0.5]], [["loss", -1]]]); // biome-ignore format: two events
});
