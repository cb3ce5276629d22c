/** One step of gradient descent, with momentum or without: the scale and the bound of the gradient and the decay folded in. */
import { loadLanes, storeLanes } from "./lanes";

// @ts-expect-error: a decorator of AssemblyScript
@unmanaged
class Sgd {
  n: i32;
  elementsOfTask: i32;
  nesterov: i32;
  value: usize;
  gradient: usize;
  /** 0: without momentum. */
  before: usize;
  nextValue: usize;
  next: usize;
  scale: f32;
  maxValue: f32;
  momentum: f32;
  /** `1 - learningRate · decay`. */
  keep: f32;
  rate: f32;
}

export function sgdTask(at: usize, task: i32): void {
  const p = changetype<Sgd>(at);
  const begin = task * p.elementsOfTask, end = min(p.n, begin + p.elementsOfTask);
  const scale = f32x4.splat(p.scale), most = f32x4.splat(p.maxValue), least = f32x4.splat(-p.maxValue);
  const keep = f32x4.splat(p.keep), rate = f32x4.splat(p.rate), mu = f32x4.splat(p.momentum);
  for (let i = begin; i < end; i += 4) {
    const place = <usize>i << 2, count = min(4, end - i);
    let step = f32x4.max(f32x4.min(f32x4.mul(loadLanes(p.gradient + place, count), scale), most), least);
    if (p.before != 0) {
      const v = f32x4.add(f32x4.mul(loadLanes(p.before + place, count), mu), step);
      storeLanes(p.next + place, v, count);
      step = p.nesterov ? f32x4.add(step, f32x4.mul(v, mu)) : v;
    }
    const value = f32x4.mul(loadLanes(p.value + place, count), keep);
    storeLanes(p.nextValue + place, f32x4.sub(value, f32x4.mul(step, rate)), count);
  }
}
