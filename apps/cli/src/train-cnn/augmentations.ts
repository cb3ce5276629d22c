import type { Augmentation } from "@gradlab/datasets";

/** What `--augment` names. */
export const augmentations = {
  none: undefined,
} as const satisfies Readonly<Record<string, Augmentation | undefined>>;

export type AugmentationName = keyof typeof augmentations;
