/**
 * Batch normalization in training, of rows `[n, channels]`: sums over all rows in double precision, by blocks of
 * rows whose sums are added in a fixed order, then a pass that writes.
 */

// @ts-expect-error: a decorator of AssemblyScript
@unmanaged
class BatchNorm {
  n: i32;
  channels: i32;
  rowsOfTask: i32;
  blocks: i32;
  x: usize;
  dy: usize;
  scale: usize;
  offset: usize;
  /** `y`, or the gradient of `x`. */
  out: usize;
  /** Statistics of the forward pass: written by it, read by the gradient. */
  mean: usize;
  variance: usize;
  dMean: usize;
  dVariance: usize;
  dScale: usize;
  dOffset: usize;
  /** Sums of two kinds in double precision, `[block][kind][channels]`. */
  sums: usize;
  /** Numbers of each channel for the last pass, `[3][channels]`, of the gradient `[5][channels]`. */
  numbers: usize;
  epsilon: f32;
  /** What the outputs are not below: 0 with a ReLU on top, else -∞. */
  lowest: f32;
  /** The outputs, where a ReLU is on top: the gradient does not pass those that it cut. */
  y: usize;
}

/** `dy`, and 0 where the ReLU cut; with a NaN it passes, as in PyTorch. */
// @ts-expect-error: a decorator of AssemblyScript
@inline
function passed(dy: v128, y: usize): v128 {
  return v128.andnot(dy, f32x4.le(v128.load(y), f32x4.splat(0)));
}

// @ts-expect-error: a decorator of AssemblyScript
@inline
function passedOne(dy: f32, y: usize): f32 {
  return load<f32>(y) <= 0 ? 0 : dy;
}

/** Adds up, for one block of rows, `first` and `second` of every channel. */
// @ts-expect-error: a decorator of AssemblyScript
@inline
function sumBlock(p: BatchNorm, task: i32, gradient: bool, relu: bool): void {
  const channels = p.channels, step = <usize>channels << 2;
  const begin = task * p.rowsOfTask, end = min(p.n, begin + p.rowsOfTask);
  const sums = p.sums + (<usize>task * channels << 4), others = sums + (<usize>channels << 3);
  let c = 0;
  for (; c + 4 <= channels; c += 4) {
    let s0 = f64x2.splat(0), s1 = s0, t0 = s0, t1 = s0;
    let at = p.x + <usize>begin * step + (<usize>c << 2);
    let dyAt = p.dy + <usize>begin * step + (<usize>c << 2);
    let yAt = p.y + <usize>begin * step + (<usize>c << 2);
    let m0 = f64x2.splat(0), m1 = m0;
    if (gradient) {
      const mean = v128.load(p.mean + (<usize>c << 2));
      m0 = f64x2.promote_low_f32x4(mean);
      m1 = f64x2.promote_low_f32x4(v128.shuffle<i32>(mean, mean, 2, 3, 2, 3));
    }
    for (let i = begin; i < end; i++) {
      const x = v128.load(at);
      let x0 = f64x2.promote_low_f32x4(x);
      let x1 = f64x2.promote_low_f32x4(v128.shuffle<i32>(x, x, 2, 3, 2, 3));
      if (gradient) {
        let dy = v128.load(dyAt);
        if (relu) {
          dy = passed(dy, yAt);
          yAt += step;
        }
        const y0 = f64x2.promote_low_f32x4(dy);
        const y1 = f64x2.promote_low_f32x4(v128.shuffle<i32>(dy, dy, 2, 3, 2, 3));
        s0 = f64x2.add(s0, y0);
        s1 = f64x2.add(s1, y1);
        t0 = f64x2.add(t0, f64x2.mul(y0, f64x2.sub(x0, m0)));
        t1 = f64x2.add(t1, f64x2.mul(y1, f64x2.sub(x1, m1)));
        dyAt += step;
      } else {
        s0 = f64x2.add(s0, x0);
        s1 = f64x2.add(s1, x1);
        t0 = f64x2.add(t0, f64x2.mul(x0, x0));
        t1 = f64x2.add(t1, f64x2.mul(x1, x1));
      }
      at += step;
    }
    const to = <usize>c << 3;
    v128.store(sums + to, s0);
    v128.store(sums + to, s1, 16);
    v128.store(others + to, t0);
    v128.store(others + to, t1, 16);
  }
  for (; c < channels; c++) {
    let s: f64 = 0, t: f64 = 0;
    const mean = gradient ? <f64>load<f32>(p.mean + (<usize>c << 2)) : 0;
    for (let i = begin; i < end; i++) {
      const at = <usize>i * step + (<usize>c << 2);
      const x = <f64>load<f32>(p.x + at) - mean;
      let y = x;
      if (gradient) {
        const dy = load<f32>(p.dy + at);
        y = relu ? passedOne(dy, p.y + at) : dy;
      }
      s += y;
      t += y * x;
    }
    store<f64>(sums + (<usize>c << 3), s);
    store<f64>(others + (<usize>c << 3), t);
  }
}

export function batchNormSumsTask(at: usize, task: i32): void {
  sumBlock(changetype<BatchNorm>(at), task, false, false);
}

export function batchNormGradientSumsTask(at: usize, task: i32): void {
  const p = changetype<BatchNorm>(at);
  if (p.y != 0) sumBlock(p, task, true, true);
  else sumBlock(p, task, true, false);
}

// @ts-expect-error: a decorator of AssemblyScript
@inline
function totalOf(p: BatchNorm, c: i32, kind: i32): f64 {
  let total: f64 = 0;
  for (let block = 0; block < p.blocks; block++) {
    total += load<f64>(p.sums + (<usize>((block * 2 + kind) * p.channels + c) << 3));
  }
  return total;
}

/** One task: the statistics, and of each channel its mean in two parts and the factor. */
export function batchNormStatisticsTask(at: usize): void {
  const p = changetype<BatchNorm>(at);
  for (let c = 0; c < p.channels; c++) {
    const i = <usize>c << 2, row = <usize>p.channels << 2;
    const mean = totalOf(p, c, 0) / p.n;
    // Squares of float32 are exact in float64, so that a mean far from 0 costs few of its digits.
    const variance = max<f64>(0, totalOf(p, c, 1) / p.n - mean * mean);
    store<f32>(p.mean + i, <f32>mean);
    store<f32>(p.variance + i, <f32>variance);
    store<f32>(p.numbers + i, <f32>mean);
    store<f32>(p.numbers + row + i, <f32>(mean - <f64>(<f32>mean)));
    store<f32>(p.numbers + 2 * row + i, <f32>(<f64>load<f32>(p.scale + i) / Math.sqrt(variance + <f64>p.epsilon)));
  }
}

/** `y = (x - mean) · factor + offset`, not below the lowest. */
export function batchNormTask(at: usize, task: i32): void {
  const p = changetype<BatchNorm>(at);
  const step = <usize>p.channels << 2;
  const lowest = p.lowest, lowests = f32x4.splat(lowest);
  const end = min(p.n, (task + 1) * p.rowsOfTask);
  for (let i = task * p.rowsOfTask; i < end; i++) {
    const from = p.x + <usize>i * step, to = p.out + <usize>i * step;
    let c: usize = 0;
    for (; c + 16 <= step; c += 16) {
      const centered = f32x4.sub(
        f32x4.sub(v128.load(from + c), v128.load(p.numbers + c)),
        v128.load(p.numbers + step + c),
      );
      const factor = v128.load(p.numbers + 2 * step + c);
      const y = f32x4.add(f32x4.mul(centered, factor), v128.load(p.offset + c));
      v128.store(to + c, f32x4.max(y, lowests));
    }
    for (; c < step; c += 4) {
      const centered = load<f32>(from + c) - load<f32>(p.numbers + c) - load<f32>(p.numbers + step + c);
      const y = centered * load<f32>(p.numbers + 2 * step + c) + load<f32>(p.offset + c);
      store<f32>(to + c, max<f32>(y, lowest));
    }
  }
}

/**
 * One task: the gradients of scale and offset, and the numbers of `dx = a (dy - b - (x - mean) d) + (x - mean) e + f`. The
 * factor stands before the difference: for an infinite one the difference of products would be NaN.
 */
export function batchNormCoefficientsTask(at: usize): void {
  const p = changetype<BatchNorm>(at);
  for (let c = 0; c < p.channels; c++) {
    const i = <usize>c << 2, row = <usize>p.channels << 2;
    const deviation = Math.sqrt(<f64>load<f32>(p.variance + i) + <f64>p.epsilon);
    const dOffset = totalOf(p, c, 0), dScale = totalOf(p, c, 1) / deviation;
    store<f32>(p.dOffset + i, <f32>dOffset);
    store<f32>(p.dScale + i, <f32>dScale);
    store<f32>(p.numbers + i, <f32>(<f64>load<f32>(p.scale + i) / deviation));
    store<f32>(p.numbers + row + i, <f32>(dOffset / p.n));
    store<f32>(p.numbers + 2 * row + i, <f32>(dScale / deviation / p.n));
    store<f32>(p.numbers + 3 * row + i, <f32>((2 * <f64>load<f32>(p.dVariance + i)) / p.n));
    store<f32>(p.numbers + 4 * row + i, <f32>(<f64>load<f32>(p.dMean + i) / p.n));
  }
}

// @ts-expect-error: a decorator of AssemblyScript
@inline
function writeGradient(p: BatchNorm, task: i32, relu: bool): void {
  const step = <usize>p.channels << 2;
  const end = min(p.n, (task + 1) * p.rowsOfTask);
  for (let i = task * p.rowsOfTask; i < end; i++) {
    const x = p.x + <usize>i * step, dy = p.dy + <usize>i * step, to = p.out + <usize>i * step;
    const y = p.y + <usize>i * step;
    let c: usize = 0;
    for (; c + 16 <= step; c += 16) {
      const numbers = p.numbers + c;
      const centered = f32x4.sub(v128.load(x + c), v128.load(p.mean + c));
      let through = v128.load(dy + c);
      if (relu) through = passed(through, y + c);
      through = f32x4.sub(through, v128.load(numbers + step));
      through = f32x4.sub(through, f32x4.mul(centered, v128.load(numbers + 2 * step)));
      const own = f32x4.add(f32x4.mul(centered, v128.load(numbers + 3 * step)), v128.load(numbers + 4 * step));
      v128.store(to + c, f32x4.add(f32x4.mul(through, v128.load(numbers)), own));
    }
    for (; c < step; c += 4) {
      const numbers = p.numbers + c;
      const centered = load<f32>(x + c) - load<f32>(p.mean + c);
      let through = load<f32>(dy + c);
      if (relu) through = passedOne(through, y + c);
      through = through - load<f32>(numbers + step) - centered * load<f32>(numbers + 2 * step);
      const own = centered * load<f32>(numbers + 3 * step) + load<f32>(numbers + 4 * step);
      store<f32>(to + c, through * load<f32>(numbers) + own);
    }
  }
}

export function batchNormGradientTask(at: usize, task: i32): void {
  const p = changetype<BatchNorm>(at);
  if (p.y != 0) writeGradient(p, task, true);
  else writeGradient(p, task, false);
}
