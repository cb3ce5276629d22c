/** One step of Adam with the scale and the bound of the gradient, the decay and the corrections folded in. */

// @ts-expect-error: a decorator of AssemblyScript
@unmanaged
class Adam {
  n: i32;
  elementsOfTask: i32;
  value: usize;
  gradient: usize;
  first: usize;
  second: usize;
  nextValue: usize;
  nextFirst: usize;
  nextSecond: usize;
  scale: f32;
  maxValue: f32;
  beta1: f32;
  /** `1 - beta1`, rounded once. */
  rest1: f32;
  beta2: f32;
  rest2: f32;
  /** `1 - learningRate · decay`. */
  keep: f32;
  /** `learningRate / (1 - beta1 ** count)`, `1 / √(1 - beta2 ** count)`. */
  rate: f32;
  root: f32;
  epsilon: f32;
}

export function adamTask(at: usize, task: i32, scratch: usize): void {
  const p = changetype<Adam>(at);
  const begin = task * p.elementsOfTask, count = min(p.elementsOfTask, p.n - begin);
  const offset = <usize>begin << 2, whole = <usize>(count & ~3) << 2, rest = <usize>(count & 3) << 2;
  step4(p, p.value + offset, p.gradient + offset, p.first + offset, p.second + offset,
    p.nextValue + offset, p.nextFirst + offset, p.nextSecond + offset, whole);
  if (rest == 0) return;
  // The last numbers by way of scratch, so that they are computed as all others.
  const last = offset + whole;
  memory.copy(scratch, p.value + last, rest);
  memory.copy(scratch + 16, p.gradient + last, rest);
  memory.copy(scratch + 32, p.first + last, rest);
  memory.copy(scratch + 48, p.second + last, rest);
  step4(p, scratch, scratch + 16, scratch + 32, scratch + 48, scratch, scratch + 32, scratch + 48, 16);
  memory.copy(p.nextValue + last, scratch, rest);
  memory.copy(p.nextFirst + last, scratch + 32, rest);
  memory.copy(p.nextSecond + last, scratch + 48, rest);
}

function step4(
  p: Adam, value: usize, gradient: usize, first: usize, second: usize,
  nextValue: usize, nextFirst: usize, nextSecond: usize, bytes: usize,
): void {
  const scale = f32x4.splat(p.scale), most = f32x4.splat(p.maxValue), least = f32x4.splat(-p.maxValue);
  const beta1 = f32x4.splat(p.beta1), rest1 = f32x4.splat(p.rest1);
  const beta2 = f32x4.splat(p.beta2), rest2 = f32x4.splat(p.rest2);
  const keep = f32x4.splat(p.keep), rate = f32x4.splat(p.rate), root = f32x4.splat(p.root);
  const epsilon = f32x4.splat(p.epsilon);
  for (let i: usize = 0; i < bytes; i += 16) {
    const g = f32x4.max(f32x4.min(f32x4.mul(v128.load(gradient + i), scale), most), least);
    const m = f32x4.add(f32x4.mul(v128.load(first + i), beta1), f32x4.mul(g, rest1));
    const v = f32x4.add(f32x4.mul(v128.load(second + i), beta2), f32x4.mul(f32x4.mul(g, g), rest2));
    const deviation = f32x4.add(f32x4.mul(f32x4.sqrt(v), root), epsilon);
    const w = f32x4.sub(f32x4.mul(v128.load(value + i), keep), f32x4.div(f32x4.mul(m, rate), deviation));
    v128.store(nextValue + i, w);
    v128.store(nextFirst + i, m);
    v128.store(nextSecond + i, v);
  }
}
