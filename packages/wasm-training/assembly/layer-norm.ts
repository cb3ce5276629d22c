/**
 * Layer norm of rows `[n, width]` (and root mean square norm, which does not center): statistics in double precision,
 * of each row for itself. The gradients of scale and offset are sums over blocks of rows, added in a fixed order.
 */
import { high, sumOfRow } from "./lanes";

// @ts-expect-error: a decorator of AssemblyScript
@unmanaged
class LayerNorm {
  n: i32;
  width: i32;
  rowsOfTask: i32;
  blocks: i32;
  centers: i32;
  x: usize;
  dy: usize;
  scale: usize;
  offset: usize;
  /** `y`, or the gradient of `x`. */
  out: usize;
  dScale: usize;
  dOffset: usize;
  /** Sums of a block in double precision, `[block][scale, offset][width]`. */
  sums: usize;
  epsilon: f32;
}

function squaresOfRow(from: usize, count: i32, mean: f64): f64 {
  const means = f64x2.splat(mean);
  let s0 = f64x2.splat(0), s1 = s0;
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    const x = v128.load(from + (<usize>i << 2));
    const x0 = f64x2.sub(f64x2.promote_low_f32x4(x), means), x1 = f64x2.sub(high(x), means);
    s0 = f64x2.add(s0, f64x2.mul(x0, x0));
    s1 = f64x2.add(s1, f64x2.mul(x1, x1));
  }
  s0 = f64x2.add(s0, s1);
  let sum = f64x2.extract_lane(s0, 0) + f64x2.extract_lane(s0, 1);
  for (; i < count; i++) {
    const x = <f64>load<f32>(from + (<usize>i << 2)) - mean;
    sum += x * x;
  }
  return sum;
}

// @ts-expect-error: a decorator of AssemblyScript
@inline
function meanOf(p: LayerNorm, row: usize): f64 {
  return p.centers ? sumOfRow(row, p.width) / p.width : 0;
}

// @ts-expect-error: a decorator of AssemblyScript
@inline
function deviationOf(p: LayerNorm, row: usize, mean: f64): f64 {
  return Math.sqrt(squaresOfRow(row, p.width, mean) / p.width + <f64>p.epsilon);
}

/** `y = (x - mean) / deviation · scale + offset`, the mean in two parts. */
export function layerNormTask(at: usize, task: i32): void {
  const p = changetype<LayerNorm>(at);
  const step = <usize>p.width << 2, end = min(p.n, (task + 1) * p.rowsOfTask);
  for (let i = task * p.rowsOfTask; i < end; i++) {
    const from = p.x + <usize>i * step, to = p.out + <usize>i * step;
    const mean = meanOf(p, from), top = <f32>mean, rest = <f32>(mean - <f64>top);
    const factor = <f32>(1 / deviationOf(p, from, mean));
    const tops = f32x4.splat(top), rests = f32x4.splat(rest), factors = f32x4.splat(factor);
    let c: usize = 0;
    for (; c + 16 <= step; c += 16) {
      const unit = f32x4.mul(f32x4.sub(f32x4.sub(v128.load(from + c), tops), rests), factors);
      v128.store(to + c, f32x4.add(f32x4.mul(unit, v128.load(p.scale + c)), v128.load(p.offset + c)));
    }
    for (; c < step; c += 4) {
      const unit = (load<f32>(from + c) - top - rest) * factor;
      store<f32>(to + c, unit * load<f32>(p.scale + c) + load<f32>(p.offset + c));
    }
  }
}

// @ts-expect-error: a decorator of AssemblyScript
@inline
function addTo(place: usize, x: v128): void {
  v128.store(place, f64x2.add(v128.load(place), f64x2.promote_low_f32x4(x)));
  v128.store(place, f64x2.add(v128.load(place, 16), high(x)), 16);
}

/**
 * With u = (x - mean) / deviation and g = dy · scale: `dx = (g - mean(g) - u mean(g u)) / deviation`, without the mean of
 * g where nothing was centered.
 */
export function layerNormGradientTask(at: usize, task: i32): void {
  const p = changetype<LayerNorm>(at);
  const width = p.width, step = <usize>width << 2, end = min(p.n, (task + 1) * p.rowsOfTask);
  const scales = p.sums + (<usize>task * width << 4), offsets = scales + (<usize>width << 3);
  memory.fill(scales, 0, <usize>width << 4);
  for (let i = task * p.rowsOfTask; i < end; i++) {
    const x = p.x + <usize>i * step, dy = p.dy + <usize>i * step, to = p.out + <usize>i * step;
    const mean = meanOf(p, x), top = <f32>mean, rest = <f32>(mean - <f64>top);
    const factor = <f32>(1 / deviationOf(p, x, mean));
    const tops = f32x4.splat(top), rests = f32x4.splat(rest), factors = f32x4.splat(factor);
    let g0 = f64x2.splat(0), g1 = g0, u0 = g0, u1 = g0;
    let c: usize = 0;
    for (; c + 16 <= step; c += 16) {
      const unit = f32x4.mul(f32x4.sub(f32x4.sub(v128.load(x + c), tops), rests), factors);
      const d = v128.load(dy + c), g = f32x4.mul(d, v128.load(p.scale + c)), along = f32x4.mul(g, unit);
      g0 = f64x2.add(g0, f64x2.promote_low_f32x4(g));
      g1 = f64x2.add(g1, high(g));
      u0 = f64x2.add(u0, f64x2.promote_low_f32x4(along));
      u1 = f64x2.add(u1, high(along));
      addTo(scales + (c << 1), f32x4.mul(d, unit));
      addTo(offsets + (c << 1), d);
    }
    g0 = f64x2.add(g0, g1);
    u0 = f64x2.add(u0, u1);
    let sumG = f64x2.extract_lane(g0, 0) + f64x2.extract_lane(g0, 1);
    let sumU = f64x2.extract_lane(u0, 0) + f64x2.extract_lane(u0, 1);
    for (; c < step; c += 4) {
      const unit = (load<f32>(x + c) - top - rest) * factor, d = load<f32>(dy + c);
      const g = d * load<f32>(p.scale + c);
      sumG += <f64>g;
      sumU += <f64>(g * unit);
      const place = c << 1;
      store<f64>(scales + place, load<f64>(scales + place) + <f64>(d * unit));
      store<f64>(offsets + place, load<f64>(offsets + place) + <f64>d);
    }
    const meanG = p.centers ? <f32>(sumG / width) : 0, meanU = <f32>(sumU / width);
    const meansG = f32x4.splat(meanG), meansU = f32x4.splat(meanU);
    for (c = 0; c + 16 <= step; c += 16) {
      const unit = f32x4.mul(f32x4.sub(f32x4.sub(v128.load(x + c), tops), rests), factors);
      const g = f32x4.mul(v128.load(dy + c), v128.load(p.scale + c));
      v128.store(to + c, f32x4.mul(f32x4.sub(f32x4.sub(g, meansG), f32x4.mul(unit, meansU)), factors));
    }
    for (; c < step; c += 4) {
      const unit = (load<f32>(x + c) - top - rest) * factor;
      const g = load<f32>(dy + c) * load<f32>(p.scale + c);
      store<f32>(to + c, (g - meanG - unit * meanU) * factor);
    }
  }
}

/** One task: adds up what the blocks have. */
export function layerNormFinishTask(at: usize): void {
  const p = changetype<LayerNorm>(at);
  const row = <usize>p.width << 3;
  for (let c = 0; c < p.width; c++) {
    let scale: f64 = 0, offset: f64 = 0;
    let place = p.sums + (<usize>c << 3);
    for (let block = 0; block < p.blocks; block++) {
      scale += load<f64>(place);
      offset += load<f64>(place + row);
      place += row << 1;
    }
    store<f32>(p.dScale + (<usize>c << 2), <f32>scale);
    store<f32>(p.dOffset + (<usize>c << 2), <f32>offset);
  }
}
