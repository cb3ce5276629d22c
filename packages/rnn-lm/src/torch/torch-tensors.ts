import { decodeBfloat16, decodeFloat16, type Named, type RawTensor } from "@gradlab/safetensors";
import { type Tensor, tensor } from "@tensorflow/tfjs-core";
import { rangeMismatch } from "../expect-argument.js";

/** Numbers of PyTorch under their names. */
export function namedTensors(tensors: Named<RawTensor>): ReadonlyMap<string, RawTensor> {
  return new Map(Symbol.iterator in tensors ? tensors : Object.entries(tensors));
}

/** The numbers of a tensor of PyTorch, of any precision, with its shape checked. */
export function torchValues(
  where: string,
  tensors: ReadonlyMap<string, RawTensor>,
  name: string,
  shape: readonly (number | null)[],
): { readonly shape: readonly number[]; readonly values: ArrayLike<number> } {
  const found = tensors.get(name);
  if (found === undefined) {
    throw new RangeError(
      `${where}: ${name}: expected a tensor of this name, got ${[...tensors.keys()].join(", ") || "none"}`,
    );
  }
  const fits =
    found.shape.length === shape.length && shape.every((n, i) => n === null || n === found.shape[i]);
  if (!fits) {
    const show = (sizes: readonly (number | null)[]) => `[${sizes.map((n) => n ?? "?").join(", ")}]`;
    throw new RangeError(`${where}: ${name}: expected ${show(shape)}, got ${show(found.shape)}`);
  }
  switch (found.dtype) {
    case "F64":
    case "F32":
      return { shape: found.shape, values: found.data };
    case "F16":
      return { shape: found.shape, values: decodeFloat16(found.data) };
    case "BF16":
      return { shape: found.shape, values: decodeBfloat16(found.data) };
    default:
      throw rangeMismatch(`${where}: ${name}`, "numbers of floating point", found.dtype);
  }
}

/** `[out, in]` as `[in, out]`. */
export function transposed(values: ArrayLike<number>, out: number, inputs: number): Float32Array {
  const result = new Float32Array(out * inputs);
  for (let i = 0; i < out; i++) {
    for (let j = 0; j < inputs; j++) result[j * out + i] = values[i * inputs + j]!;
  }
  return result;
}

export function matrix(values: Float32Array, rows: number, columns: number): Tensor {
  return tensor(values, [rows, columns], "float32");
}

export function raw(data: Float32Array, shape: readonly number[]): RawTensor {
  return { dtype: "F32", shape, data: data as Float32Array<ArrayBuffer> };
}
