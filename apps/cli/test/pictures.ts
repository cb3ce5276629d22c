import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import sharp from "sharp";

/** Writes a grey PNG whose pixels are `value(y, x)`, 0 … 255. */
export async function writeGrey(
  file: string,
  size: number,
  value: (y: number, x: number) => number,
): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const pixels = Uint8Array.from({ length: size * size }, (_, i) => value(Math.floor(i / size), i % size));
  await sharp(pixels, { raw: { width: size, height: size, channels: 1 } })
    .png()
    .toFile(file);
}
