/**
 * Element types of the format that JavaScript has no array of numbers for, and the bits of an element. Their tensors
 * are handed on as bytes.
 *
 * @see https://github.com/huggingface/safetensors/blob/main/safetensors/src/tensor.rs, `Dtype`
 */
const BITS: ReadonlyMap<string, number> = new Map([
  ["U16", 16],
  ["U32", 32],
  ["U64", 64],
  ["C64", 64],
  ["F8_E4M3", 8],
  ["F8_E5M2", 8],
  ["F8_E8M0", 8],
  ["F8_E4M3FNUZ", 8],
  ["F8_E5M2FNUZ", 8],
  ["F6_E2M3", 6],
  ["F6_E3M2", 6],
  ["F4", 4],
]);

/** A tensor of a dtype that cannot be used as numbers: its bytes as they stand in the file, little-endian. */
export interface RawBytes {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** Whether a name has the form of a dtype: a new one of the format counts, so that it hides no other tensor. */
export const isForeignDtype = (name: string): boolean => /^[A-Z][A-Z0-9_]{0,31}$/.test(name);

/** The bytes of so many elements; null where nothing is known of the dtype. */
export function foreignByteLength(dtype: string, elements: number): number | null {
  const bits = BITS.get(dtype);
  return bits === undefined ? null : Math.ceil((elements * bits) / 8);
}
