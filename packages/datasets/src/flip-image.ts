import { expectImage, type Image } from "./image.js";

/** The image seen in a mirror: left and right exchanged. @returns A new image. */
export function flipImage(image: Image): Image {
  expectImage("flipImage: image", image);
  const [height, width, channels] = image.shape;
  const data = new Float32Array(image.data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const to = (y * width + x) * channels;
      const from = (y * width + width - 1 - x) * channels;
      for (let c = 0; c < channels; c++) data[to + c] = image.data[from + c]!;
    }
  }
  return { data, shape: image.shape };
}
