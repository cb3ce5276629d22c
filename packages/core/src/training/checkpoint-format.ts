/**
 * A checkpoint is a safetensors file: the weights as `params.<path>`, the optimizer's memory as `optimizer.<slot>` and
 * `optimizer.<slot>.<path>`, and this entry of the metadata with the rest as JSON.
 */
export const METADATA_KEY = "gradlab.training";

/** Goes up with every change that an older reader would get wrong. */
export const FORMAT_VERSION = 1;

export const PARAMS_PREFIX = "params.";
export const OPTIMIZER_PREFIX = "optimizer.";
