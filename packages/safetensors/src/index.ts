export { decodeBfloat16, encodeBfloat16 } from "./bfloat16.js";
export { decodeFloat16, encodeFloat16 } from "./float16.js";
