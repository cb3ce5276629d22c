/**
 * A file of weights is a safetensors file: the tensors as `params.<path>` and `statistics.<path>` in the layout that
 * they have here, and this entry of the metadata.
 */
export const METADATA_KEY = "gradlab.weights";

/** The value of that entry; goes up with every change that an older reader would get wrong. */
export const FORMAT_VERSION = "1";

/** The entry that marks a checkpoint of `@gradlab/core`. */
export const CHECKPOINT_KEY = "gradlab.training";
