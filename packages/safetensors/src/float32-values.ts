import { decodeBfloat16 } from "./bfloat16.js";
import type { RawTensor } from "./dtype.js";
import { decodeFloat16 } from "./float16.js";

/**
 * The elements of a tensor of floats as float32: exact for F32, F16 and BF16, rounded for F64. The values may be those
 * of the tensor itself; integers and booleans are null.
 */
export function float32Values({ dtype, data }: RawTensor): Float32Array | null {
  switch (dtype) {
    case "F32":
      return data;
    case "F64":
      return Float32Array.from(data);
    case "F16":
      return decodeFloat16(data);
    case "BF16":
      return decodeBfloat16(data);
    default:
      return null;
  }
}
