/** The difference to an image, around grey, so that its largest number is black or white. */
export function amplified(values: Float32Array, clean: Float32Array): Float32Array {
  const largest = values.reduce((most, value, i) => Math.max(most, Math.abs(value - clean[i]!)), 1e-9);
  return values.map((value, i) => 0.5 + (0.5 * (value - clean[i]!)) / largest);
}
