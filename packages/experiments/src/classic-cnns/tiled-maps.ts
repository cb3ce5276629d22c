import type { Picture } from "@gradlab/studies";

/** The channels of a layer for one image. */
export interface TiledMap {
  /** `[channels, height, width]`. */
  readonly shape: readonly [channels: number, height: number, width: number];
  /** From 0 up. */
  readonly values: Float32Array;
  /** What is shown as white. */
  readonly white: number;
}

/** Channels beside and below each other, as near to a square as can be, with a line between them. */
export function tiledMaps({ shape: [channels, height, width], values, white }: TiledMap): Picture {
  const across = Math.ceil(Math.sqrt(channels));
  const down = Math.ceil(channels / across);
  const picture = { width: across * (width + 1) - 1, height: down * (height + 1) - 1 };
  const data = new Uint8Array(3 * picture.width * picture.height).fill(255);
  for (const [i, value] of values.entries()) {
    const channel = Math.floor(i / (height * width));
    const y = Math.floor(channel / across) * (height + 1) + (Math.floor(i / width) % height);
    const x = (channel % across) * (width + 1) + (i % width);
    const grey = Math.round(255 * Math.min(1, Math.max(0, value / white)));
    data.fill(grey, 3 * (y * picture.width + x), 3 * (y * picture.width + x) + 3);
  }
  return { ...picture, data };
}
