import type { GpuBuffer } from "./gpu.js";

/** tfjs's manager of WebGPU buffers, which keeps each released buffer for the next request of exactly its size. */
export interface BufferManager {
  readonly freeBuffers: Map<string, GpuBuffer[]>;
  numFreeBuffers: number;
  numBytesUsed: number;
  numBytesAllocated: number;
  acquireBuffer(size: number, usage: number, mappedAtCreation?: boolean, reuse?: boolean): GpuBuffer;
  releaseBuffer(buffer: GpuBuffer, reuse?: boolean): void;
}

/** Free buffers may take this much, whatever is in use. */
const floorBytes = 256 * 2 ** 20;

/** And this many times the most that was in use at once: a step whose sizes recur finds its buffers again. */
const timesPeak = 3;

/**
 * Bounds the memory in a manager's free buffers to the larger of 256 MiB and
 * three times the peak of what was in use; tfjs never gives any back, so that lengths which
 * vary from step to step fill the GPU. The size that was asked for longest ago goes first.
 */
export function boundFreeBuffers(manager: BufferManager, floor = floorBytes): void {
  const acquire = manager.acquireBuffer.bind(manager);
  const release = manager.releaseBuffer.bind(manager);
  let peak = 0;
  manager.acquireBuffer = (size, usage, mappedAtCreation, reuse) => {
    const buffer = acquire(size, usage, mappedAtCreation, reuse);
    peak = Math.max(peak, manager.numBytesUsed);
    // A Map keeps the order of insertion: put again, this size is the last to go.
    const key = `${size}_${usage}`;
    const free = manager.freeBuffers.get(key);
    if (free !== undefined) {
      manager.freeBuffers.delete(key);
      manager.freeBuffers.set(key, free);
    }
    return buffer;
  };
  manager.releaseBuffer = (buffer, reuse) => {
    release(buffer, reuse);
    const bound = Math.max(floor, timesPeak * peak);
    if (manager.numBytesAllocated - manager.numBytesUsed <= bound) return;
    for (const [key, buffers] of manager.freeBuffers) {
      while (buffers.length > 0 && manager.numBytesAllocated - manager.numBytesUsed > bound) {
        const oldest = buffers.pop()!;
        manager.numBytesAllocated -= oldest.size;
        manager.numFreeBuffers--;
        oldest.destroy();
      }
      // An empty list stays out of the way, but tfjs stops releasing where there is none at all.
      if (buffers.length === 0 && manager.freeBuffers.size > 1 && !inUse(manager, key)) {
        manager.freeBuffers.delete(key);
      }
      if (manager.numBytesAllocated - manager.numBytesUsed <= bound) break;
    }
  };
}

/** Whether buffers of a key are out, whose release needs the key's list. */
function inUse(manager: BufferManager, key: string): boolean {
  const { usedBuffers } = manager as unknown as { usedBuffers: Map<string, unknown[]> };
  return (usedBuffers.get(key)?.length ?? 0) > 0;
}
