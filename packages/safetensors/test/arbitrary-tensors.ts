import fc from "fast-check";
import { DTYPE_NAMES, DTYPES, type Dtype, type RawTensor } from "../src/dtype.js";

/** Names that a careless reader trips over, and any other well-formed string. */
const names = fc
  .oneof(
    fc.constantFrom(
      "",
      "0",
      "1",
      "__proto__",
      "constructor",
      "toString",
      "a",
      "\u{1f600}",
      "\uff21",
      '"\\\n',
    ),
    fc.string({ unit: "grapheme", maxLength: 12 }),
  )
  .filter((name) => name !== "__metadata__");

const shapes = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 4 });

/** A tensor of any dtype, of any bits (NaNs and subnormals among them). */
const tensor: fc.Arbitrary<RawTensor> = fc
  .tuple(fc.constantFrom<Dtype>(...DTYPE_NAMES), shapes)
  .chain(([dtype, shape]) => {
    const { size, array: TypedArray } = DTYPES[dtype];
    const length = shape.reduce((product, n) => product * n, 1);
    const byte = dtype === "BOOL" ? fc.constantFrom(0, 1) : fc.integer({ min: 0, max: 255 });
    return fc.array(byte, { minLength: length * size, maxLength: length * size }).map((bytes) => {
      const data = new TypedArray(new Uint8Array(bytes).buffer, 0, length);
      return { dtype, shape, data } as RawTensor;
    });
  });

export const arbitraryTensors: fc.Arbitrary<[string, RawTensor][]> = fc.uniqueArray(fc.tuple(names, tensor), {
  selector: ([name]) => name,
  maxLength: 6,
});

export const arbitraryMetadata: fc.Arbitrary<[string, string][]> = fc.uniqueArray(
  fc.tuple(fc.oneof(fc.constant("__proto__"), fc.string({ unit: "grapheme", maxLength: 8 })), fc.string()),
  { selector: ([key]) => key, maxLength: 3 },
);

/** The bytes of a tensor's data as they stand in memory. */
export const bytesOf = ({ data }: RawTensor) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/** Tensors in an order and a form that `toEqual` compares bit by bit, NaNs included. */
export const comparable = (tensors: Iterable<readonly [string, RawTensor]>) =>
  [...tensors]
    .map(([name, value]) => ({
      name,
      dtype: value.dtype,
      shape: [...value.shape],
      array: value.data.constructor.name,
      bytes: [...bytesOf(value)],
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
