import { zlibSync } from "fflate";
import type { ImageSource } from "./units-over-image.js";

/** A picture: red, green, blue, 0 … 255, row by row; of a photograph also the JPEG that it is shown by. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
  /** The same picture as a JPEG file: what a photograph is shown by, where it is there. */
  readonly jpeg?: Uint8Array;
}

/**
 * A picture inside a `data:` URL: its JPEG, or a PNG of exactly these pixels.
 *
 * @throws {RangeError} when there are not three bytes for each pixel.
 */
export function imageSource({ width, height, data, jpeg }: Picture): ImageSource {
  if (data.length !== 3 * width * height) {
    const expected = `${3 * width * height} bytes for ${width} x ${height} pixels`;
    throw new RangeError(`imageSource: data: expected ${expected}, got ${data.length}`);
  }
  const [type, bytes] = jpeg === undefined ? ["png", pngFile({ width, height, data })] : ["jpeg", jpeg];
  return { href: `data:image/${type};base64,${base64(bytes)}`, width, height };
}

/**
 * A PNG file of exactly these pixels.
 *
 * @see PNG (Third Edition), W3C 2025, https://www.w3.org/TR/png-3/
 */
export function pngFile({ width, height, data }: Picture): Uint8Array {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, 2], 8); // eight bits of red, green and blue
  return joined([
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    chunk("IHDR", header),
    chunk("IDAT", zlibSync(filtered(width, height, data), { level: 9 })),
    chunk("IEND", new Uint8Array(0)),
  ]);
}

/** Every row behind the filter that leaves the smallest numbers: none, or the difference to the left, up or both. */
function filtered(width: number, height: number, data: Uint8Array): Uint8Array {
  const length = 3 * width;
  const result = new Uint8Array(height * (length + 1));
  const row = new Uint8Array(length);
  for (let y = 0; y < height; y++) {
    let least = Number.POSITIVE_INFINITY;
    for (const [filter, predict] of predictions.entries()) {
      let sum = 0;
      for (let i = 0; i < length; i++) {
        const at = y * length + i;
        const left = i < 3 ? 0 : data[at - 3]!;
        const up = y === 0 ? 0 : data[at - length]!;
        const corner = i < 3 || y === 0 ? 0 : data[at - length - 3]!;
        const rest = (data[at]! - predict(left, up, corner)) & 255;
        row[i] = rest;
        sum += rest < 128 ? rest : 256 - rest;
      }
      if (sum >= least) continue;
      least = sum;
      result[y * (length + 1)] = filter;
      result.set(row, y * (length + 1) + 1);
    }
  }
  return result;
}

/** What a byte is predicted by in filters 0 … 4. */
const predictions: readonly ((left: number, up: number, corner: number) => number)[] = [
  () => 0,
  (left) => left,
  (_, up) => up,
  (left, up) => (left + up) >> 1,
  (left, up, corner) => {
    const [a, b, c] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
    return a <= b && a <= c ? left : b <= c ? up : corner;
  },
];

function chunk(type: string, data: Uint8Array): Uint8Array {
  const named = joined([Uint8Array.from(type, (letter) => letter.charCodeAt(0)), data]);
  const ends = new DataView(new ArrayBuffer(8));
  ends.setUint32(0, data.length);
  ends.setUint32(4, crc32(named));
  return joined([new Uint8Array(ends.buffer, 0, 4), named, new Uint8Array(ends.buffer, 4, 4)]);
}

const crcTable = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

function crc32(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (const byte of bytes) c = crcTable[(c ^ byte) & 255]! ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function base64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) {
    text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  }
  return btoa(text);
}
