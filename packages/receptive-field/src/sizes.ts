/** Sizes per layer and axis, with the input of the network at index −1; null where not known. */
export interface Sizes {
  readonly input: readonly (number | null)[];
  readonly layers: readonly (readonly (number | null)[])[];
}

export function sizeAt(sizes: Sizes, layer: number): readonly (number | null)[] {
  return layer === -1 ? sizes.input : sizes.layers[layer]!;
}
