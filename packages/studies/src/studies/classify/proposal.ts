import { modelRows } from "@gradlab/tfjs-models";
import type { ClassifyOptions } from "./classify-options.js";
import type { CheckedModel } from "./tfjs-model.js";

/** What a model seems to expect of its pixels, where the options say nothing; null where nothing tells. */
export function proposal(
  { file, json, bytes }: CheckedModel,
  { preprocess, range, mean, std }: Pick<ClassifyOptions, "preprocess" | "range" | "mean" | "std">,
): string | null {
  if ([preprocess, range, mean, std].some((value) => value !== undefined)) return null;
  const rows = rowsOf(json, bytes);
  const [first] = rows;
  if (first?.op === "Rescaling" || first?.op === "Normalization") {
    return `${file.label} begins with a ${first.op} layer ("${first.name}"), and most such models take 0 to 255: {range} 0,255`;
  }
  const isMobileNet =
    rows.some(({ name }) => /mobilenet/i.test(name)) ||
    ["conv1", "conv_dw_1", "conv_pw_1"].every((name) => rows.some((row) => row.name === name));
  return isMobileNet
    ? `${file.label} looks like a MobileNet, which takes -1 to 1: {preprocess} symmetric`
    : null;
}

/** None of a graph with loops, which nobody follows. */
function rowsOf(json: unknown, weights: Uint8Array): ReturnType<typeof modelRows>["rows"] {
  try {
    return modelRows(json, { weights }).rows;
  } catch {
    return [];
  }
}
