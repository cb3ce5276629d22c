/** Pools, their gradients and those of depthwise convolutions by the companion module. */
import { costs } from "../costs.js";
import type { BackendWasm, TensorInfo } from "../heap.js";
import type { SlidingWindow } from "../window.js";
import { type Companion, job } from "./companion.js";
import { RECORD_BYTES, record } from "./convolution-record.js";
import { withMemory } from "./with-memory.js";

/** As in `assembly/pools.ts`. */
const CHANNELS_OF_TASK = 32;

export type SlideJob = "maxPool" | "averagePool" | "maxPoolGradient" | "averagePoolGradient" | "depthwiseFilter" | "depthwiseInput"; // biome-ignore format: one line

interface SlidePlaces {
  readonly x?: TensorInfo;
  readonly filter?: TensorInfo;
  readonly y?: TensorInfo;
  readonly packed?: TensorInfo;
}

/** Tasks, and what each needs of scratch in bytes. */
function cutsOf(name: SlideJob, { batch, channels, image, output, taps }: SlidingWindow): [number, number] {
  const listed = taps[0] * taps[1] * taps[2];
  const blocks = Math.ceil(channels / CHANNELS_OF_TASK);
  if (name === "depthwiseFilter") return [listed * blocks, CHANNELS_OF_TASK * 8];
  if (name === "depthwiseInput") return [batch * image[1], 0];
  if (name === "maxPool" || name === "averagePool") return [batch * output[0] * output[1], listed * 4];
  return [batch * blocks, listed * 4];
}

/** Nanoseconds of one thread. */
const workOf = ({ batch, channels, output, taps }: SlidingWindow): number =>
  [...output, ...taps].reduce((product, n) => product * n, batch * channels * costs.companion.touch);

/** Runs a job of `assembly/pools.ts`, whose comments say what stands at `x`, `filter`, `y` and `packed`. */
export function slide(
  backend: BackendWasm,
  companion: Companion,
  name: SlideJob,
  window: SlidingWindow,
  tensors: SlidePlaces,
): void {
  const [tasks, bytes] = cutsOf(name, window);
  const scratchBytes = Math.ceil(bytes / 16) * 16;
  const address = (tensor: TensorInfo | undefined) =>
    tensor === undefined ? 0 : backend.getMemoryOffset(tensor.dataId);
  withMemory(companion, [RECORD_BYTES, scratchBytes * companion.threads], (at, scratch) => {
    const { x, filter, y, packed } = tensors;
    const places = { x: address(x), filter: address(filter), y: address(y), packed: address(packed) };
    companion.write(at!, record(window, window.channels, { ...places, zeros: 0, bias: 0 }, {}));
    companion.run(job[name], at!, tasks, scratch!, scratchBytes, workOf(window));
  });
}
