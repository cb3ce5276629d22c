import fc from "fast-check";
import { expect, test } from "vitest";
import { HOST_IS_LITTLE_ENDIAN } from "../src/byte-order.js";
import { viewTensor } from "../src/decode-tensor.js";
import { DTYPES } from "../src/dtype.js";
import { readSafetensorsHeader, writeSafetensors } from "../src/index.js";
import { arbitraryTensors, bytesOf } from "./arbitrary-tensors.js";

test("the byte order of this machine is the one that DataView sees", () => {
  const word = new DataView(new Uint32Array([0x01020304]).buffer);
  expect(HOST_IS_LITTLE_ENDIAN).toBe(word.getUint8(0) === 4);
});

test("on a big-endian machine every element of a tensor is reversed into a copy, and single bytes stay views", () => {
  fc.assert(
    fc.property(arbitraryTensors, (tensors) => {
      const file = writeSafetensors(tensors);
      const before = file.slice();
      for (const [name, entry] of readSafetensorsHeader(file).tensors) {
        const { size } = DTYPES[entry.dtype];
        const little = bytesOf(new Map(tensors).get(name)!);
        const result = viewTensor("readTensor", file, entry.byteOffset, entry, !HOST_IS_LITTLE_ENDIAN);
        const expected = [];
        for (let at = 0; at < little.length; at += size)
          expected.push(...[...little.slice(at, at + size)].reverse());
        expect([...bytesOf(result)]).toEqual(expected);
        if (size === 1) expect(result.data.buffer).toBe(file.buffer);
      }
      expect(file).toEqual(before);
    }),
    { numRuns: 100 },
  );
});
