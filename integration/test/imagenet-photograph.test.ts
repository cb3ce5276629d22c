import { readFileSync } from "node:fs";
import { preprocessImageNet } from "@gradlab/datasets";
import sharp from "sharp";
import { expect, test } from "vitest";

interface Crop {
  readonly sum: number;
  readonly pixels: readonly number[];
}

const golden: {
  readonly step: number;
  readonly photographs: readonly {
    readonly file: string;
    readonly size: readonly [height: number, width: number];
    readonly sum: number;
    readonly pil: Crop;
    readonly tensor: Crop;
  }[];
} = JSON.parse(readFileSync(new URL("golden/imagenet-photograph.json", import.meta.url), "utf8"));

const folder = process.env.GRADLAB_DATA;

const total = (values: ArrayLike<number>) => Array.from(values).reduce((sum, value) => sum + value, 0);

test.skipIf(!folder).each(golden.photographs)(
  "$file prepared for ImageNet is torchvision's, by PIL and by tensors, to one level of 255",
  async ({ file, size: [height, width], sum, pil, tensor }) => {
    const { data, info } = await sharp(`${folder}/images/${file}`)
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect([info.height, info.width, info.channels]).toEqual([height, width, 3]);
    // Two JPEG decoders may round differently; then the pictures compared are not the same to begin with.
    const isSameDecoder = total(data) === sum;
    const image = preprocessImageNet({ width, height, data }, { moments: null });
    expect(image.shape).toEqual([224, 224, 3]);
    const bytes = Array.from(image.data, (x) => Math.round(255 * x));
    const sampled = bytes.filter((_, i) => Math.floor(i / 3) % golden.step === 0);
    for (const [i, value] of tensor.pixels.entries()) {
      expect(Math.abs(sampled[i]! / 255 - value / 255)).toBeLessThanOrEqual(1 / 255 + 1e-9);
      expect(Math.abs(sampled[i]! / 255 - pil.pixels[i]! / 255)).toBeLessThanOrEqual(1 / 255 + 1e-9);
    }
    expect(sampled.length).toBe(tensor.pixels.length);
    if (isSameDecoder) {
      expect(sampled).toEqual(pil.pixels);
      expect(total(bytes)).toBe(pil.sum);
    }
  },
);
