import { joined } from "../networks/network-source.js";

/** Scalars at a step, by tag. */
export interface ScalarEvent {
  readonly step: number;
  /** Seconds since 1970. */
  readonly time: number;
  readonly scalars: Readonly<Record<string, number>>;
}

/**
 * An event file as TensorBoard reads it: records with checksums, each an `Event` of tensorflow's protocol buffers. Of
 * these only what scalars take is written: time, step, tags and simple values.
 *
 * @returns The bytes of a file; its name must have `tfevents` in it.
 * @see https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/util/event.proto and
 *   https://www.tensorflow.org/tutorials/load_data/tfrecord (the records)
 */
export function tensorBoardEvents(events: readonly ScalarEvent[]): Uint8Array {
  const first = message([double(1, events[0]?.time ?? 0), text(3, "brain.Event:2")]);
  const rest = events.map(({ step, time, scalars }) => {
    const values = Object.entries(scalars).map(([tag, value]) =>
      bytes(1, message([text(1, tag), float(2, value)])),
    );
    return message([double(1, time), varintField(2, step), bytes(5, message(values))]);
  });
  return joined([first, ...rest].map(record));
}

/** Length, its checksum, the data, its checksum. */
function record(data: Uint8Array): Uint8Array {
  const length = new Uint8Array(8);
  new DataView(length.buffer).setUint32(0, data.length, true);
  return joined([length, checksum(length), data, checksum(data)]);
}

function checksum(data: Uint8Array): Uint8Array {
  const crc = crc32c(data);
  const masked = (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
  const result = new Uint8Array(4);
  new DataView(result.buffer).setUint32(0, masked, true);
  return result;
}

/** The cyclic redundancy check of Castagnoli, bit by bit. */
export function crc32c(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

const message = (fields: readonly Uint8Array[]) => joined(fields);
const key = (field: number, wire: number) => varint(8 * field + wire);
const varintField = (field: number, value: number) => joined([key(field, 0), varint(value)]);
const bytes = (field: number, data: Uint8Array) => joined([key(field, 2), varint(data.length), data]);
const text = (field: number, value: string) => bytes(field, new TextEncoder().encode(value));

function double(field: number, value: number): Uint8Array {
  const data = new Uint8Array(8);
  new DataView(data.buffer).setFloat64(0, value, true);
  return joined([key(field, 1), data]);
}

function float(field: number, value: number): Uint8Array {
  const data = new Uint8Array(4);
  new DataView(data.buffer).setFloat32(0, value, true);
  return joined([key(field, 5), data]);
}

/** Seven bits a byte, the lowest first. */
function varint(value: number): Uint8Array {
  const result: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) result.push((rest % 128) + 128);
  return Uint8Array.of(...result, rest);
}
