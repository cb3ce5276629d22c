import { type Augmentation, compose, randomCrop, randomFlip, randomTransform } from "@gradlab/datasets";

/**
 * What `--augment` names: `crop` moves an image by up to 4 pixels, `flip` mirrors half of them, `flip-crop` (usual for
 * CIFAR-10) does both, `affine` turns by up to 10 degrees, moves and scales by up to a tenth.
 */
export const augmentations: Readonly<Record<AugmentationName, Augmentation | undefined>> = {
  none: undefined,
  crop: randomCrop({ padding: 4 }),
  flip: randomFlip(),
  "flip-crop": compose(randomFlip(), randomCrop({ padding: 4 })),
  affine: randomTransform({ degrees: 10, translate: 0.1, scale: [0.9, 1.1] }),
};

export type AugmentationName = "none" | "crop" | "flip" | "flip-crop" | "affine";
