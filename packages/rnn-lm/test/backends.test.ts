import { enableWasmTraining } from "@gradlab/wasm-training";
import { setBackend } from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { firstLosses } from "./first-losses.js";
import { expectNoLeak } from "./tensors.js";

test("the first five losses of a training are the same on cpu and wasm, to 1e-4, and the same to the bit in a second run", async () => {
  await enableWasmTraining();
  await setBackend("cpu");
  const cpu = await firstLosses();
  await setBackend("wasm");
  let wasm: number[] = [];
  await expectNoLeak(async () => {
    wasm = await firstLosses();
  });
  expect(await firstLosses()).toEqual(wasm);
  await setBackend("cpu");
  for (const [i, loss] of cpu.entries()) expect(Math.abs(loss - wasm[i]!)).toBeLessThan(1e-4);
  expect(cpu[4]!).toBeLessThan(cpu[0]! - 0.01);
}, 60_000);
