import { expectPlane, type Plane, type Size, sizeOf, zeros } from "./plane.js";
import { perAxis, type WindowOptions, windowsOf } from "./window.js";

/**
 * The matrix of a zero-padded cross-correlation: `T · flat(x) = flat(crossCorrelate(x, k))`. Each row is one window:
 * the kernel's numbers where it reads, zero elsewhere. With stride 1 the numbers run along diagonals, blocks of
 * Toeplitz matrices that form one themselves; its transpose is the transposed convolution.
 *
 * @param kernel `[kh][kw]`.
 * @param input Height and width of the input.
 * @returns `[h' · w'][h · w]`.
 * @throws {TypeError | RangeError} when something is not a finite number, no window fits, or an option is out of range.
 */
export function toeplitz(kernel: Plane, input: Size, options: WindowOptions = {}): number[][] {
  expectPlane("toeplitz: kernel", kernel);
  const [height, width] = perAxis("toeplitz: input", input, 1);
  const [v, h] = windowsOf("toeplitz", [height, width], sizeOf(kernel), options);
  const matrix = zeros([v.outputs * h.outputs, height * width]);
  for (const [output, row] of matrix.entries()) {
    const top = Math.floor(output / h.outputs) * v.stride - v.begin;
    const left = (output % h.outputs) * h.stride - h.begin;
    for (const [a, taps] of kernel.entries()) {
      for (const [b, tap] of taps.entries()) {
        const [y, x] = [top + a * v.dilation, left + b * h.dilation];
        if (y >= 0 && y < height && x >= 0 && x < width) row[y * width + x] = tap;
      }
    }
  }
  return matrix;
}
