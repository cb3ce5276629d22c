import { wasmMode } from "../training/wasm-mode.js";
import "@tensorflow/tfjs-backend-cpu";
import { repairKernels } from "@gradlab/backend-select";
import { installGradients } from "@gradlab/core";
import { enableWasmTraining } from "@gradlab/wasm-training";
import { engine, env, getBackend, memory, setBackend } from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { goldenResults, known, opCases } from "../op-parity/op-cases.js";
import { runOpCase, surprises } from "../op-parity/op-parity.js";

beforeAll(async () => {
  env().set("PROD", true); // no advertisement on the console
  installGradients();
  repairKernels("cpu");
  await enableWasmTraining(wasmMode());
});

test("every case has a golden result, and every golden result a case", () => {
  expect(Object.keys(goldenResults)).toEqual(opCases.map(({ name }) => name));
  expect(opCases.length).toBeGreaterThanOrEqual(92);
});

test("what is known of backends is about cases that exist", () => {
  const names = new Set(opCases.map(({ name }) => name));
  expect(known.flatMap(({ cases }) => cases).filter((name) => !names.has(name))).toEqual([]);
});

for (const backend of ["cpu", "wasm"] as const) {
  for (const opCase of opCases) {
    const { name, op } = opCase;
    test(`${backend}: ${name} agrees with float64 (${op})`, async () => {
      if (getBackend() !== backend) await setBackend(backend);
      const tensors = memory().numTensors;
      const buffers = engine().backend.numDataIds();
      expect(surprises(known, opCase, backend, await runOpCase(opCase, goldenResults[name]))).toEqual([]);
      expect(memory().numTensors).toBe(tensors);
      expect(engine().backend.numDataIds()).toBe(buffers);
    });
  }
}
