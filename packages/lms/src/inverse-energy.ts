/**
 * `E[1 / ‖x‖²]` for `x ~ N(0, R)`, R given by its eigenvalues: `∫₀^∞ Π_i (1 + 2 λ_i t)^(-1/2) dt`, for white inputs
 * `1 / (λ (M - 2))`. Null where it is infinite: with fewer than three eigenvalues above 0.
 *
 * The integral is taken over `t = exp(π/2 sinh u)`, whose integrand falls doubly exponentially, so that the
 * trapezoidal rule of step 1/32 is exact to rounding.
 *
 * @see Takahasi & Mori 1974, "Double exponential formulas for numerical integration"
 */
export function inverseEnergyOf(values: Float64Array): number | null {
  const positive = values.filter((value) => value > 0);
  if (positive.length < 3) return null;
  // In units of 1 / (largest eigenvalue), so that the integrand turns near u = 0.
  const largest = positive.reduce((a, b) => Math.max(a, b));
  const step = 1 / 32;
  let sum = 0;
  for (let i = -6 * 32; i <= 6 * 32; i++) {
    const u = i * step;
    const t = Math.exp((Math.PI / 2) * Math.sinh(u));
    if (t === 0 || t === Number.POSITIVE_INFINITY) continue;
    let log = 0;
    for (const value of positive) log -= 0.5 * Math.log1p((2 * t * value) / largest);
    sum += Math.exp(log + (Math.PI / 2) * Math.sinh(u)) * Math.cosh(u);
  }
  return (sum * step * (Math.PI / 2)) / largest;
}
