import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import {
  decodeBfloat16,
  decodeFloat16,
  encodeBfloat16,
  encodeFloat16,
  type RawTensor,
  readSafetensors,
  writeSafetensors,
} from "../src/index.js";
import golden from "./golden/torch.json" with { type: "json" };

const bytes = new Uint8Array(readFileSync(new URL("./golden/torch.safetensors", import.meta.url)));
const { tensors, metadata } = readSafetensors(bytes);

/** The elements as `torch.json` spells them: integers as strings, and the floats that JSON lacks by name. */
function spelled({ dtype, data }: RawTensor): (number | string)[] {
  if (dtype === "BOOL") return [...data];
  if (dtype === "F16" || dtype === "BF16") {
    return spelled({
      dtype: "F32",
      shape: [],
      data: dtype === "F16" ? decodeFloat16(data) : decodeBfloat16(data),
    });
  }
  const names = new Map<unknown, string>([
    [Infinity, "inf"],
    [-Infinity, "-inf"],
    [Number.NaN, "nan"],
  ]);
  const isFloat = dtype.startsWith("F");
  return Array.from<number | bigint, number | string>(data as Float64Array, (value) =>
    isFloat ? (names.get(value) ?? Number(value)) : String(value),
  );
}

test("every tensor of PyTorch's file has its dtype, shape and values", () => {
  expect(tensors.size).toBe(golden.tensors.length);
  for (const { name, dtype, shape, values } of golden.tensors) {
    const tensor = tensors.get(name)!;
    expect(tensor.dtype, name).toBe(dtype);
    expect(tensor.shape, name).toEqual(shape);
    if (values) expect(spelled(tensor), name).toEqual(values); // toEqual tells -0 from 0
  }
  expect(Object.fromEntries(metadata)).toEqual({ format: "pt", "made by": "make_torch.py" });
});

test("writing the tensors of PyTorch's file gives the same bytes", () => {
  expect(writeSafetensors(tensors, { metadata })).toEqual(bytes);
});

test("1,415 float32 values round to F16 and BF16 as in PyTorch", () => {
  const inputs = tensors.get("inputs")!.data as Float32Array;
  expect(inputs.length).toBe(1415);
  expect(inputs.some(Number.isNaN)).toBe(false);
  expect(encodeFloat16(inputs)).toEqual(tensors.get("inputs as f16")!.data);
  expect(encodeBfloat16(inputs)).toEqual(tensors.get("inputs as bf16")!.data);
});
