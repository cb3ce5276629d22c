import { expectFinite } from "../expect-argument.js";
import { expectInteger, expectPositive } from "../expect-values.js";
import { convolve1d } from "./convolve.js";

/**
 * The slope of a picture in a direction: what it rises by per pixel, smoothed across. The Sobel kernels of x and y,
 * scaled to answer 1 to a ramp of slope 1, steered as a gradient is: `cos θ · k_x + sin θ · k_y`.
 *
 * @param angle θ in radians, counter-clockwise from the direction to the right; at 0 it answers to what gets brighter
 *   to the right, at π / 2 upwards, and with the other sign half a turn on.
 * @returns `[3][3]`, to cross-correlate with.
 * @throws {TypeError | RangeError} when the angle is not a finite number.
 * @see Freeman, Adelson 1991, The Design and Use of Steerable Filters, https://doi.org/10.1109/34.93808
 */
export function edgeKernel(angle: number): number[][] {
  expectFinite("edgeKernel: angle", angle);
  const [across, up] = [Math.cos(angle), Math.sin(angle)];
  const smooth = [0.25, 0.5, 0.25];
  const slope = [-0.5, 0, 0.5];
  // Rows count downwards: a picture that gets brighter upwards falls along y.
  return smooth.map((_, a) =>
    smooth.map((_, b) => across * smooth[a]! * slope[b]! - up * slope[a]! * smooth[b]!),
  );
}

/**
 * The sum of the second differences along y and x, and with `diagonals` along both diagonals too: 0 on ramps, and how
 * far the neighbours together lie above the middle.
 *
 * @returns `[3][3]`, with −4 or −8 in the middle.
 */
export function laplacianKernel({ diagonals = false }: { readonly diagonals?: boolean } = {}): number[][] {
  const corner = diagonals ? 1 : 0;
  return [
    [corner, 1, corner],
    [1, diagonals ? -8 : -4, 1],
    [corner, 1, corner],
  ];
}

/**
 * The difference of order d, `(−1)^(d − i) C(d, i)`: [−1, 1] convolved with itself. Cross-correlated with the values
 * of a function at distance h it gives `h^d` times the d'th derivative, exactly for polynomials of degree up to d.
 *
 * @param order d, at least 0.
 * @returns `[d + 1]`.
 * @throws {TypeError | RangeError} when the order is not an integer, at least 0.
 */
export function derivativeKernel(order: number): number[] {
  expectInteger("derivativeKernel: order", order, 0);
  let taps = [1];
  for (let d = 0; d < order; d++) taps = convolve1d(taps, [-1, 1], { padding: "full" });
  return taps;
}

/**
 * A Gaussian at the whole pixels around the middle, `e^(−i² / 2σ²)`, scaled to sum 1.
 *
 * @param size Number of taps; of an even number, the middle lies between two.
 * @param sigma σ in pixels.
 * @returns `[size]`.
 * @throws {TypeError | RangeError} when the size is not an integer, at least 1, or σ not a positive number.
 */
export function gaussianKernel1d(size: number, sigma: number): number[] {
  expectInteger("gaussianKernel1d: size", size, 1);
  expectPositive("gaussianKernel1d: sigma", sigma);
  return gaussian(size, sigma);
}

/**
 * Gaussian blur: the product of {@link gaussianKernel1d} along both axes.
 *
 * @param size Rows and columns.
 * @param sigma σ in pixels.
 * @returns `[size][size]`, sum 1.
 * @throws {TypeError | RangeError} when the size is not an integer, at least 1, or σ not a positive number.
 */
export function gaussianKernel(size: number, sigma: number): number[][] {
  expectInteger("gaussianKernel: size", size, 1);
  expectPositive("gaussianKernel: sigma", sigma);
  const taps = gaussian(size, sigma);
  return taps.map((a) => taps.map((b) => a * b));
}

function gaussian(size: number, sigma: number): number[] {
  const middle = (size - 1) / 2;
  // Measured from the tap nearest to the middle, so that the largest is 1 however narrow the bell is.
  const nearest = (size % 2 === 0 ? 0.5 : 0) ** 2;
  const bell = Array.from({ length: size }, (_, i) =>
    Math.exp((nearest - (i - middle) ** 2) / (2 * sigma ** 2)),
  );
  const sum = bell.reduce((total, value) => total + value, 0);
  return bell.map((value) => value / sum);
}
