/** Bias and activation over a block of a result that is still in the cache. */

export const LINEAR = 0;
export const RELU = 1;
export const RELU6 = 2;

// @ts-expect-error: a decorator of AssemblyScript
@inline
function apply(x: v128, activation: i32): v128 {
  if (activation == LINEAR) return x;
  const zero = f32x4.splat(0);
  // NaN stays: pmax(a, b) is a where not a < b.
  x = f32x4.pmax(x, zero);
  return activation == RELU6 ? f32x4.pmin(x, f32x4.splat(6)) : x;
}

/** `row = activation(row + bias)` for rows of `columns` floats, `step` bytes apart; `bias` may be 0. */
export function activate(c: usize, rows: i32, columns: i32, step: usize, bias: usize, activation: i32): void {
  for (let y = 0; y < rows; y++) {
    let x: usize = 0;
    const end = <usize>columns << 2;
    for (; x + 16 <= end; x += 16) {
      let value = v128.load(c + x);
      if (bias != 0) value = f32x4.add(value, v128.load(bias + x));
      v128.store(c + x, apply(value, activation));
    }
    for (; x < end; x += 4) {
      let value = load<f32>(c + x);
      if (bias != 0) value += load<f32>(bias + x);
      store<f32>(c + x, f32x4.extract_lane(apply(f32x4.splat(value), activation), 0));
    }
    c += step;
  }
}
