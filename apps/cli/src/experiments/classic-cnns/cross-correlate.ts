/**
 * Zero-padded cross-correlation with stride 1: `y[i][j] = Σ k[a][b] x[i + a − ⌊h/2⌋][j + b − ⌊w/2⌋]`.
 *
 * @param image Rows of numbers.
 * @param kernel Rows of numbers, odd in both directions.
 * @returns As many rows and columns as the image.
 */
export function crossCorrelate(
  image: readonly (readonly number[])[],
  kernel: readonly (readonly number[])[],
): number[][] {
  const reachY = (kernel.length - 1) / 2;
  const reachX = (kernel[0]!.length - 1) / 2;
  return image.map((row, i) =>
    row.map((_, j) => {
      let sum = 0;
      for (let a = 0; a < kernel.length; a++) {
        const source = image[i + a - reachY];
        if (source === undefined) continue;
        for (let b = 0; b < kernel[a]!.length; b++) sum += kernel[a]![b]! * (source[j + b - reachX] ?? 0);
      }
      return sum;
    }),
  );
}

/** Sum of squares. */
export function energyOf(image: readonly (readonly number[])[]): number {
  return image.reduce((sum, row) => row.reduce((total, value) => total + value * value, sum), 0);
}
