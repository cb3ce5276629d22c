/** What the tests have in common; importing it registers the cpu and wasm backends, without tfjs's advertisement. */
import { disposeParams, installGradients } from "@gradlab/core";
import { enableWasmTraining } from "@gradlab/wasm-training";
import "@tensorflow/tfjs-backend-cpu";
import { env, memory, setBackend, type Tensor } from "@tensorflow/tfjs-core";
import { expect } from "vitest";
import type { NetworkState } from "../src/index.js";

env().set("PROD", true);

export const backends = ["cpu", "wasm"] as const;

/** Makes a backend the current one, ready to train. */
export async function useBackend(name: (typeof backends)[number]): Promise<void> {
  installGradients();
  if (name === "wasm") await enableWasmTraining();
  await setBackend(name);
}

/** The state of a network that has learned nothing. */
export const stateless: NetworkState = { params: {}, statistics: {} };

/** Disposes a state, those too that `readWeights` gives. */
export const disposeState = (state: NetworkState): void => disposeParams(state);

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

/** Set where the slow tests shall run too: networks in their full width, trainings of minutes. */
export const isSlow = process.env.GRADLAB_SLOW === "1";
