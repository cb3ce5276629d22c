import type { DecodeOptions, InputFiles, Picture } from "@gradlab/studies";
import type { GivenFiles } from "./messages.js";

/** Files that the page gave, as a study reads them. */
export function inputFiles({ label, names, files }: GivenFiles): InputFiles {
  const contents = new Map(files.map(([name, content]) => [name, asBlob(content)]));
  const blobOf = (name: string): Blob => {
    const found = contents.get(name) ?? contents.get(name.slice(name.lastIndexOf("/") + 1));
    if (found === undefined) throw new Error(`${name}: no such file among those that were given`);
    return found;
  };
  const bytesOf = async (blob: Blob) => new Uint8Array(await blob.arrayBuffer());
  return {
    label,
    names,
    read: async (name) => bytesOf(blobOf(name)),
    start: async (name, length) => bytesOf(blobOf(name).slice(0, length)),
    decode: async (name, options) => decode(blobOf(name), name, options),
  };
}

const asBlob = (content: Blob | Uint8Array): Blob =>
  content instanceof Blob ? content : new Blob([content as Uint8Array<ArrayBuffer>]);

function shrunk(
  [height, width]: readonly [number, number],
  most = Number.POSITIVE_INFINITY,
): [number, number] {
  const shrink = Math.min(1, most / Math.max(height, width));
  return [Math.max(1, Math.round(height * shrink)), Math.max(1, Math.round(width * shrink))];
}

async function decode(blob: Blob, name: string, { size, most, jpeg }: DecodeOptions = {}): Promise<Picture> {
  const bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none" }).catch((error: unknown) => {
    throw new Error(`${name}: no picture that this browser can read`, { cause: error });
  });
  try {
    const [height, width] = size === undefined ? [bitmap.height, bitmap.width] : shrunk(size, most);
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext("2d", { willReadFrequently: true })!;
    context.imageSmoothingQuality = "high";
    // On white, as the command has it; scaled to cover, then cut at the centre.
    context.fillStyle = "white";
    context.fillRect(0, 0, width, height);
    const scale = Math.max(width / bitmap.width, height / bitmap.height);
    const [w, h] = [bitmap.width * scale, bitmap.height * scale];
    context.drawImage(bitmap, (width - w) / 2, (height - h) / 2, w, h);
    const { data: rgba } = context.getImageData(0, 0, width, height);
    const data = new Uint8Array(3 * width * height);
    for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
      data.set(rgba.subarray(from, from + 3), to);
    }
    if (jpeg !== true) return { width, height, data };
    const shown = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.9 });
    return { width, height, data, jpeg: new Uint8Array(await shown.arrayBuffer()) };
  } finally {
    bitmap.close();
  }
}
