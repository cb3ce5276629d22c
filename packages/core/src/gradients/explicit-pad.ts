import type { backend_util } from "@tensorflow/tfjs-core";

/** `"same"`, `"valid"`, a number, or `[begin, end]` for each axis. */
export type Pad = "same" | "valid" | number | backend_util.ExplicitPadding;

/**
 * A padding by a number, written out for every axis.
 *
 * From a number tfjs-core computes the width of the output with the height of the window and its stride; written out
 * the same padding is right for windows and strides that are not square.
 */
export function explicitPad(pad: Pad, dataFormat: "NHWC" | "NCHW" = "NHWC"): Exclude<Pad, number> {
  if (typeof pad !== "number") return pad;
  const sides: backend_util.ExplicitPadding =
    dataFormat === "NCHW"
      ? [[0, 0], [0, 0], [pad, pad], [pad, pad]] // biome-ignore format: a table
      : [[0, 0], [pad, pad], [pad, pad], [0, 0]]; // biome-ignore format: a table
  return sides;
}
