import { disposeParams, disposeTraining, startTraining } from "@gradlab/core";
import { textColumns } from "@gradlab/datasets";
import { integer, randomStream } from "@gradlab/random";
import { enableWasmTraining } from "@gradlab/wasm-training";
import { setBackend } from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { initLanguageModelState, trainLanguageModel } from "../src/index.js";
import { expectNoLeak } from "./tensors.js";

test("the first five losses of a training are the same on cpu and wasm, to 1e-4, and the same to the bit in a second run", async () => {
  const stream = randomStream({ seed: 0, purpose: "backends test" });
  const vocabulary = 500;
  // Each token says something of the next one, so that there is something to learn.
  const ids = new Int32Array(20 * 31 * 2);
  for (let i = 1; i < ids.length; i++) ids[i] = (ids[i - 1]! * 7 + integer(stream, 0, 20)) % vocabulary;
  const { batch } = textColumns(ids, { columns: 20, length: 30 });
  const spec = { cell: "lstm", vocabulary, embedding: 128, hidden: 64 } as const;
  const losses = async () => {
    const state = initLanguageModelState(spec, { seed: 0, batch: 20 });
    const training = startTraining(state, { name: "adam", learningRate: 0.002 });
    disposeParams(state);
    const found: number[] = [];
    const options = { batch, steps: 5, maxNorm: 0.5 };
    for await (const { loss } of trainLanguageModel(spec, training, options)) found.push(loss);
    disposeTraining(training);
    return found;
  };
  await enableWasmTraining();
  await setBackend("cpu");
  const cpu = await losses();
  await setBackend("wasm");
  let wasm: number[] = [];
  await expectNoLeak(async () => {
    wasm = await losses();
  });
  expect(await losses()).toEqual(wasm);
  await setBackend("cpu");
  for (const [i, loss] of cpu.entries()) expect(Math.abs(loss - wasm[i]!)).toBeLessThan(1e-4);
  expect(cpu[4]!).toBeLessThan(cpu[0]! - 0.01);
}, 60_000);
