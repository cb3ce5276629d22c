/**
 * The quantile of the standard normal distribution at the probability `0.5 + q`, to a relative 1e-15.
 *
 * Only `+ - * /` and `Math.sqrt`, which engines compute by the correctly rounded instructions, so that every
 * bit of the result is the same everywhere. `Math.log`, `Math.cos` and `Math.sin` may differ in the last bit
 * from engine to engine: ECMA-262 leaves their precision to the implementation.
 *
 * @param q In (-0.5, 0.5); centred, so that both tails are equally fine.
 * @see Wichura 1988, "Algorithm AS 241: the percentage points of the normal distribution" (PPND16),
 *   https://doi.org/10.2307/2347330
 */
export function normalQuantile(q: number): number {
  if (q >= -0.425 && q <= 0.425) return q * middle(0.180625 - q * q);
  const r = Math.sqrt(-log(0.5 - Math.abs(q)));
  const x = r <= 5 ? nearTail(r - 1.6) : farTail(r - 5);
  return q < 0 ? -x : x;
}

// biome-ignore format: a polynomial's coefficients stay side by side, from x^0 to x^7
function middle(x: number): number {
  return polynomial(x, 3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946,
    45921.95393154987, 67265.7709270087, 33430.57558358813, 2509.0809287301227) /
  polynomial(x, 1, 42.31333070160091, 687.1870074920579, 5394.196021424751,
    21213.794301586597, 39307.89580009271, 28729.085735721943, 5226.495278852854);
}

// Probabilities from 0.075 down to e^-25.
// biome-ignore format: as above
function nearTail(x: number): number {
  return polynomial(x, 1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045,
    1.2704582524523684, 0.2417807251774506, 0.022723844989269184, 0.0007745450142783414) /
  polynomial(x, 1, 2.053191626637759, 1.6763848301838038, 0.6897673349851,
    0.14810397642748008, 0.015198666563616457, 0.0005475938084995345, 1.0507500716444169e-9);
}

// Probabilities below e^-25.
// biome-ignore format: as above
function farTail(x: number): number {
  return polynomial(x, 6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487,
    0.026532189526576124, 0.0012426609473880784, 2.7115555687434876e-5, 2.0103343992922881e-7) /
  polynomial(x, 1, 0.599832206555888, 0.1369298809227358, 0.014875361290850615,
    0.0007868691311456133, 1.8463183175100548e-5, 1.421511758316446e-7, 2.0442631033899397e-15);
}

// biome-ignore format: as above
function polynomial(x: number, c0: number, c1: number, c2: number, c3: number,
  c4: number, c5: number, c6: number, c7: number): number {
  return ((((((c7 * x + c6) * x + c5) * x + c4) * x + c3) * x + c2) * x + c1) * x + c0;
}

/**
 * The natural logarithm of an `x` in (0, 1), to 1 ulp: x = 2^k (1 + f) with 1 + f in [√½, √2), and with
 * s = f / (2 + f) the series log(1 + f) = 2 s + ⅔ s³ + …, whose tail is a fitted polynomial in s².
 *
 * @see FreeBSD msun, e_log.c (the names are its own)
 */
function log(x: number): number {
  const ln2High = 0.6931471803691238; // ends in 21 zero bits, so that k * ln2High is exact
  const ln2Low = 1.9082149292705877e-10;
  let k = 0;
  while (x < Math.SQRT1_2) {
    x *= 2; // exact
    k--;
  }
  const f = x - 1;
  const s = f / (2 + f);
  const z = s * s;
  // biome-ignore format: as above
  const r = z * (0.6666666666666735 + z * (0.3999999999940942 + z * (0.2857142874366239 + z * (0.22222198432149784 +
    z * (0.1818357216161805 + z * (0.15313837699209373 + z * 0.14798198605116586))))));
  const half = 0.5 * f * f;
  return k * ln2High - (half - (s * (half + r) + k * ln2Low) - f);
}
