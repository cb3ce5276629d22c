/**
 * Windows that slide over each channel for itself: pools, their gradients, and those of depthwise convolutions with one
 * filter for each channel. The record is that of a convolution; `channels` is also that of the output.
 */
import { Convolution } from "./convolution";
import { loadLanes, storeLanes } from "./lanes";
import { multiplyAdd } from "./micro-kernels";

// @ts-expect-error: a decorator of AssemblyScript
@inline
const CHANNELS_OF_TASK = 32;

// @ts-expect-error: a decorator of AssemblyScript
@inline
function lanesAt(from: usize, count: i32): v128 {
  return count == 4 ? v128.load(from) : loadLanes(from, count);
}

// @ts-expect-error: a decorator of AssemblyScript
@inline
function putLanes(to: usize, x: v128, count: i32): void {
  if (count == 4) v128.store(to, x);
  else storeLanes(to, x, count);
}

/**
 * Lists the offsets in bytes, from the start of the image, of the pixels of one window that lie inside of the image.
 * The number of them is the result.
 */
function listWindow(p: Convolution, oz: i32, oy: i32, ox: i32, list: usize): i32 {
  const pixel = p.channels << 2;
  let count = 0;
  const planes = p.taps / (p.tapRows * p.tapColumns);
  for (let kz = 0; kz < planes; kz++) {
    const z = oz * p.strideZ + kz * p.dilationZ - p.front;
    if (<u32>z >= <u32>p.depth) continue;
    for (let ky = 0; ky < p.tapRows; ky++) {
      const y = oy * p.strideY + ky * p.dilationY - p.top;
      if (<u32>y >= <u32>p.height) continue;
      const row = (z * p.height + y) * p.width;
      let x = ox * p.strideX - p.left;
      for (let kx = 0; kx < p.tapColumns; kx++) {
        if (<u32>x < <u32>p.width) {
          store<u32>(list + (<usize>count << 2), <u32>((row + x) * pixel));
          count++;
        }
        x += p.dilationX;
      }
    }
  }
  return count;
}

// @ts-expect-error: a decorator of AssemblyScript
@inline
function high(x: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<i32>(x, x, 2, 3, 2, 3));
}

// @ts-expect-error: a decorator of AssemblyScript
@inline
function mean4(image: usize, list: usize, taps: i32, count: i32): v128 {
  let s0 = f64x2.splat(0), s1 = s0;
  for (let tap = 0; tap < taps; tap++) {
    const x = lanesAt(image + <usize>load<u32>(list + (<usize>tap << 2)), count);
    s0 = f64x2.add(s0, f64x2.promote_low_f32x4(x));
    s1 = f64x2.add(s1, high(x));
  }
  const n = f64x2.splat(<f64>taps);
  const low = f32x4.demote_f64x2_zero(f64x2.div(s0, n)), upper = f32x4.demote_f64x2_zero(f64x2.div(s1, n));
  return v128.shuffle<i32>(low, upper, 0, 1, 4, 5);
}

// @ts-expect-error: a decorator of AssemblyScript
@inline
function largest4(image: usize, list: usize, taps: i32, count: i32): v128 {
  let most = f32x4.splat(-Infinity);
  for (let tap = 0; tap < taps; tap++) {
    const x = lanesAt(image + <usize>load<u32>(list + (<usize>tap << 2)), count);
    most = v128.bitselect(x, most, v128.or(f32x4.gt(x, most), f32x4.ne(x, x)));
  }
  return most;
}

/** A task computes one row of the output. */
function poolRow(p: Convolution, task: i32, scratch: usize, largest: bool): void {
  const oy = task % p.outHeight, oz = (task / p.outHeight) % p.outDepth;
  const image = p.x + (<usize>((task / p.outHeight / p.outDepth) * p.depth * p.height * p.width * p.channels) << 2);
  let to = p.y + (<usize>(task * p.outWidth * p.channels) << 2);
  for (let ox = 0; ox < p.outWidth; ox++) {
    const taps = listWindow(p, oz, oy, ox, scratch);
    for (let c = 0; c < p.channels; c += 4) {
      const count = min(4, p.channels - c), from = image + (<usize>c << 2);
      putLanes(to, largest ? largest4(from, scratch, taps, count) : mean4(from, scratch, taps, count), count);
      to += <usize>count << 2;
    }
  }
}

export function maxPoolTask(at: usize, task: i32, scratch: usize): void {
  poolRow(changetype<Convolution>(at), task, scratch, true);
}

export function averagePoolTask(at: usize, task: i32, scratch: usize): void {
  poolRow(changetype<Convolution>(at), task, scratch, false);
}

/**
 * A task computes some channels of one image of the gradient of `x` (`packed`) from that of `y` (`filter`): to the first
 * number of a window that is its largest, or in equal parts to all.
 */
// @ts-expect-error: a decorator of AssemblyScript
@inline
function poolGradient(p: Convolution, task: i32, scratch: usize, largest: bool): void {
  const blocks = (p.channels + CHANNELS_OF_TASK - 1) / CHANNELS_OF_TASK;
  const batch = task / blocks, c0 = (task % blocks) * CHANNELS_OF_TASK;
  const channels = min(CHANNELS_OF_TASK, p.channels - c0);
  const pixels = p.depth * p.height * p.width, outputs = p.outDepth * p.outHeight * p.outWidth;
  const inOffset = <usize>(batch * pixels * p.channels + c0) << 2;
  const x = p.x + inOffset, dx = p.packed + inOffset;
  const step = <usize>p.channels << 2;
  if (channels == p.channels) memory.fill(dx, 0, <usize>pixels * step);
  else for (let i = 0; i < pixels; i++) memory.fill(dx + <usize>i * step, 0, <usize>channels << 2);
  const outOffset = <usize>(batch * outputs * p.channels + c0) << 2;
  let y = p.y + outOffset, dy = p.filter + outOffset;
  for (let oz = 0; oz < p.outDepth; oz++) {
    for (let oy = 0; oy < p.outHeight; oy++) {
      for (let ox = 0; ox < p.outWidth; ox++) {
        const taps = listWindow(p, oz, oy, ox, scratch);
        for (let c = 0; c < channels; c += 4) {
          const count = min(4, channels - c), at = <usize>c << 2;
          const gradient = lanesAt(dy + at, count);
          if (largest) {
            const most = lanesAt(y + at, count), isNaN = f32x4.ne(most, most);
            let open = i32x4.splat(-1);
            for (let tap = 0; tap < taps; tap++) {
              const place = at + <usize>load<u32>(scratch + (<usize>tap << 2));
              const value = lanesAt(x + place, count);
              const same = v128.or(f32x4.eq(value, most), v128.and(isNaN, f32x4.ne(value, value)));
              const chosen = v128.and(open, same);
              // Without a branch, for none would be foreseen.
              putLanes(dx + place, f32x4.add(lanesAt(dx + place, count), v128.and(gradient, chosen)), count);
              open = v128.andnot(open, chosen);
            }
          } else {
            const part = f32x4.div(gradient, f32x4.splat(<f32>taps));
            for (let tap = 0; tap < taps; tap++) {
              const place = dx + at + <usize>load<u32>(scratch + (<usize>tap << 2));
              putLanes(place, f32x4.add(lanesAt(place, count), part), count);
            }
          }
        }
        y += step;
        dy += step;
      }
    }
  }
}

export function maxPoolGradientTask(at: usize, task: i32, scratch: usize): void {
  poolGradient(changetype<Convolution>(at), task, scratch, true);
}

export function averagePoolGradientTask(at: usize, task: i32, scratch: usize): void {
  poolGradient(changetype<Convolution>(at), task, scratch, false);
}

/** Adds four numbers in double precision. */
// @ts-expect-error: a decorator of AssemblyScript
@inline
function addTo(total: usize, x: v128): void {
  v128.store(total, f64x2.add(v128.load(total), f64x2.promote_low_f32x4(x)));
  v128.store(total, f64x2.add(v128.load(total, 16), high(x)), 16);
}

/** The outputs of one axis whose tap lies inside of the image: the first. */
// @ts-expect-error: a decorator of AssemblyScript
@inline
function firstInside(offset: i32, stride: i32): i32 {
  return offset >= 0 ? 0 : (stride - 1 - offset) / stride;
}

/** The end of the outputs of one axis whose tap lies inside of the image. */
// @ts-expect-error: a decorator of AssemblyScript
@inline
function endInside(offset: i32, stride: i32, size: i32, outputs: i32): i32 {
  return offset >= size ? 0 : min(outputs, (size - 1 - offset) / stride + 1);
}

/**
 * Depthwise, one filter for each channel: a task computes one tap of the filter's gradient for some channels. Sums of a
 * row are added up in double precision. `y` is the gradient of the output.
 */
export function depthwiseFilterTask(at: usize, task: i32, scratch: usize): void {
  const p = changetype<Convolution>(at);
  const blocks = (p.channels + CHANNELS_OF_TASK - 1) / CHANNELS_OF_TASK;
  const tap = task / blocks, c0 = (task % blocks) * CHANNELS_OF_TASK;
  const channels = min(CHANNELS_OF_TASK, p.channels - c0), step = <usize>p.channels << 2;
  const yOffset = (tap / p.tapColumns) * p.dilationY - p.top, xOffset = (tap % p.tapColumns) * p.dilationX - p.left;
  const oy1 = endInside(yOffset, p.strideY, p.height, p.outHeight);
  const ox0 = firstInside(xOffset, p.strideX), ox1 = endInside(xOffset, p.strideX, p.width, p.outWidth);
  const xStep = step * <usize>p.strideX;
  memory.fill(scratch, 0, CHANNELS_OF_TASK * 8);
  for (let batch = 0; batch < p.batch; batch++) {
    for (let oy = firstInside(yOffset, p.strideY); oy < oy1; oy++) {
      const row = (batch * p.height + oy * p.strideY + yOffset) * p.width + xOffset + ox0 * p.strideX;
      const x = p.x + (<usize>(row * p.channels + c0) << 2);
      const dy = p.y + (<usize>(((batch * p.outHeight + oy) * p.outWidth + ox0) * p.channels + c0) << 2);
      let c = 0;
      for (; c + 16 <= channels; c += 16) {
        let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
        let from = x + (<usize>c << 2), gradient = dy + (<usize>c << 2);
        for (let ox = ox0; ox < ox1; ox++) {
          s0 = multiplyAdd(v128.load(from), v128.load(gradient), s0);
          s1 = multiplyAdd(v128.load(from, 16), v128.load(gradient, 16), s1);
          s2 = multiplyAdd(v128.load(from, 32), v128.load(gradient, 32), s2);
          s3 = multiplyAdd(v128.load(from, 48), v128.load(gradient, 48), s3);
          from += xStep;
          gradient += step;
        }
        const total = scratch + (<usize>c << 3);
        addTo(total, s0);
        addTo(total + 32, s1);
        addTo(total + 64, s2);
        addTo(total + 96, s3);
      }
      for (; c < channels; c += 4) {
        const count = min(4, channels - c);
        let sum = f32x4.splat(0), from = x + (<usize>c << 2), gradient = dy + (<usize>c << 2);
        for (let ox = ox0; ox < ox1; ox++) {
          sum = multiplyAdd(lanesAt(from, count), lanesAt(gradient, count), sum);
          from += xStep;
          gradient += step;
        }
        addTo(scratch + (<usize>c << 3), sum);
      }
    }
  }
  const to = p.filter + (<usize>(tap * p.channels + c0) << 2);
  for (let c = 0; c < channels; c++) store<f32>(to + (<usize>c << 2), <f32>load<f64>(scratch + (<usize>c << 3)));
}

/** Depthwise, one filter for each channel: a task computes one row of the gradient of `x`. */
export function depthwiseInputTask(at: usize, task: i32): void {
  const p = changetype<Convolution>(at);
  const iy = task % p.height, batch = task / p.height;
  const step = <usize>p.channels << 2;
  const to = p.x + <usize>(task * p.width) * step;
  memory.fill(to, 0, <usize>p.width * step);
  for (let ky = 0; ky < p.tapRows; ky++) {
    const y = iy + p.top - ky * p.dilationY;
    if (y < 0 || y % p.strideY != 0 || y / p.strideY >= p.outHeight) continue;
    const row = p.y + <usize>((batch * p.outHeight + y / p.strideY) * p.outWidth) * step;
    for (let kx = 0; kx < p.tapColumns; kx++) {
      const offset = kx * p.dilationX - p.left;
      const weights = p.filter + <usize>(ky * p.tapColumns + kx) * step;
      const end = endInside(offset, p.strideX, p.width, p.outWidth);
      for (let ox = firstInside(offset, p.strideX); ox < end; ox++) {
        const dy = row + <usize>ox * step, dx = to + <usize>(ox * p.strideX + offset) * step;
        let c: usize = 0;
        for (; c + 16 <= step; c += 16) {
          v128.store(dx + c, multiplyAdd(v128.load(dy + c), v128.load(weights + c), v128.load(dx + c)));
        }
        if (c < step) {
          const count = <i32>((step - c) >> 2);
          const sum = multiplyAdd(lanesAt(dy + c, count), lanesAt(weights + c, count), lanesAt(dx + c, count));
          putLanes(dx + c, sum, count);
        }
      }
    }
  }
}
