/**
 * A checkpoint is a safetensors file: the state as `state.<path>`, the optimizer's memory as `optimizer.<slot>.<path>`,
 * the averages as `average.<path>`, and this entry of the metadata with the rest as JSON.
 */
export const METADATA_KEY = "gradlab.training";

/** Goes up with every change that an older reader would get wrong. */
export const FORMAT_VERSION = 2;

export const STATE_PREFIX = "state.";
export const OPTIMIZER_PREFIX = "optimizer.";
export const AVERAGE_PREFIX = "average.";
