import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { installGradients } from "../src/index.js";
import "./tensors.js";

/** Kernels without a gradient, by the reason. */
const without: Readonly<Record<string, readonly string[]>> = {
  "makes constants": ["Fill", "LinSpace", "Range"],
  "draws random numbers": ["Multinomial"],
  "gives integers, which change in steps": [
    "BitwiseAnd",
    "BroadcastArgs",
    "NonMaxSuppressionV3",
    "NonMaxSuppressionV4",
    "NonMaxSuppressionV5",
    "RaggedRange",
    "SearchSorted",
    "SparseReshape",
  ],
  "works on text": ["StaticRegexReplace", "StringNGrams", "StringSplit", "StringToHashBucketFast"],
  "draws on a canvas": ["Draw"],
  "chooses the representatives of equal elements, whose number depends on them": ["Unique"],
  "makes ragged tensors, on the cpu alone, whose shapes depend on values": [
    "RaggedGather",
    "RaggedTensorToTensor",
  ],
  "is called in an op that differentiates itself": ["FusedConv2D", "FusedDepthwiseConv2D", "_FusedMatMul"],
};

test("every kernel of the cpu backend has a gradient, or there is a reason why not", () => {
  installGradients();
  const reasons = Object.values(without).flat();
  const kernels = tf.getKernelsForBackend("cpu").map(({ kernelName }) => kernelName);
  const missing = kernels.filter((name) => tf.getGradient(name) === undefined);
  expect(kernels.length).toBeGreaterThan(170);
  expect(missing.sort()).toEqual([...reasons].sort());
});

test("the fused ops have their gradient under the names of their scopes", () => {
  installGradients();
  for (const op of ["fusedConv2d", "fusedDepthwiseConv2d", "fusedMatMul"]) {
    expect(tf.getGradient(`${op}__op`), op).toBeDefined();
  }
});
