/** What one dtype is on this side of the wire. */
interface DtypeFacts<A> {
  /** Bytes per element. */
  readonly size: number;
  /** The typed array that holds it; also its name in error messages. */
  readonly array: {
    new (buffer: ArrayBufferLike, byteOffset: number, length: number): A;
    readonly name: string;
  };
}

const facts = <A>(size: number, array: DtypeFacts<A>["array"]): DtypeFacts<A> => ({ size, array });

/**
 * Every dtype that is read and written, in the order in which the reference writer lays tensors out
 * (alignment descending), so that a packed file is aligned. A new dtype is a line in this table.
 *
 * @see https://github.com/huggingface/safetensors/blob/main/safetensors/src/tensor.rs, `Dtype`
 */
export const DTYPES = {
  I64: facts<BigInt64Array>(8, BigInt64Array),
  F64: facts<Float64Array>(8, Float64Array),
  F32: facts<Float32Array>(4, Float32Array),
  I32: facts<Int32Array>(4, Int32Array),
  BF16: facts<Uint16Array>(2, Uint16Array),
  F16: facts<Uint16Array>(2, Uint16Array),
  I16: facts<Int16Array>(2, Int16Array),
  I8: facts<Int8Array>(1, Int8Array),
  U8: facts<Uint8Array>(1, Uint8Array),
  BOOL: facts<Uint8Array>(1, Uint8Array),
} as const;

/** The name of an element type, as the header spells it. */
export type Dtype = keyof typeof DTYPES;

/** The typed array of a dtype: the raw bits for `F16` and `BF16`, 0 or 1 for `BOOL`. */
export type DtypeArray<D extends Dtype> = (typeof DTYPES)[D] extends DtypeFacts<infer A> ? A : never;

/** A tensor of a known dtype: row-major `data` of as many elements as the product of `shape` (`[]` is a scalar). */
export interface RawTensorOf<D extends Dtype> {
  readonly dtype: D;
  readonly shape: readonly number[];
  readonly data: DtypeArray<D>;
}

/** A tensor as plain data; checking `dtype` tells the type of `data`. */
export type RawTensor = { [D in Dtype]: RawTensorOf<D> }[Dtype];

export const DTYPE_NAMES = Object.keys(DTYPES) as readonly Dtype[];

export function isDtype(name: unknown): name is Dtype {
  return typeof name === "string" && Object.hasOwn(DTYPES, name);
}
