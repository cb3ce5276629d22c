import { encodeFloat16, readSafetensors, writeSafetensors } from "@gradlab/safetensors";

const file = writeSafetensors(
  {
    weight: { dtype: "F32", shape: [2, 3], data: new Float32Array([1, 2, 3, 4, 5, 6]) },
    half: { dtype: "F16", shape: [2], data: encodeFloat16(new Float32Array([0.5, -2])) },
  },
  { metadata: { format: "pt" } },
);
const { tensors, metadata } = readSafetensors(file); // views of `file`, no copy
console.log(metadata.get("format"), tensors.get("weight")?.shape, tensors.get("half")?.data);
