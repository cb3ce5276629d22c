/** What the tests have in common; importing it registers the cpu and wasm backends, without tfjs's advertisement. */
import { installGradients } from "@gradlab/core";
import { fillNormal, integer, type RandomStream, randomStream } from "@gradlab/random";
import { enableWasmTraining } from "@gradlab/wasm-training";
import "@tensorflow/tfjs-backend-cpu";
import { env, memory, setBackend, type Tensor, tensor } from "@tensorflow/tfjs-core";
import { expect } from "vitest";

env().set("PROD", true);

export const backends = ["cpu", "wasm"] as const;

/** Makes a backend the current one, ready to train. */
export async function useBackend(name: (typeof backends)[number]): Promise<void> {
  installGradients();
  if (name === "wasm") await enableWasmTraining();
  await setBackend(name);
}

/** The numbers of a tensor, which is disposed. */
export async function numbers(x: Tensor): Promise<number[]> {
  const data = await x.data();
  x.dispose();
  return Array.from(data);
}

/** Fails when `work` leaves tensors behind, or takes some away. */
export async function expectNoLeak(work: () => void | Promise<void>): Promise<void> {
  const before = memory().numTensors;
  await work();
  expect(memory().numTensors).toBe(before);
}

/** Draws by a seed, one thing after the other. */
export class Draw {
  private readonly stream: RandomStream;

  constructor(purpose: string, index = 0) {
    this.stream = randomStream({ seed: 0, purpose, index });
  }

  /** An integer in [from, to]. */
  integer(from: number, to: number): number {
    return integer(this.stream, from, to + 1);
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.integer(0, choices.length - 1)]!;
  }

  /** N(0, 1) numbers. */
  normal(size: number): Float32Array {
    return fillNormal(this.stream, new Float32Array(size));
  }

  normalTensor<T extends Tensor>(shape: readonly number[]): T {
    return tensor(this.normal(shape.reduce((a, b) => a * b, 1)), [...shape]) as T;
  }
}

/** The largest difference between two lists of numbers, NaN where one is. */
export function apart(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let most = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!);
    if (!(difference <= most)) most = difference;
  }
  return most;
}

/** Set where the slow tests shall run too. */
export const isSlow = process.env.GRADLAB_SLOW === "1";
