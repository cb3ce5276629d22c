import "@tensorflow/tfjs-backend-cpu";
import { installGradients } from "@gradlab/core";
import { backend, env, getBackend, memory, setBackend } from "@tensorflow/tfjs-core";
import { afterEach, expect, test } from "vitest";
import { goldenResults, known, opCases } from "../op-parity/op-cases.js";
import { expected, runOpCase, surprises } from "../op-parity/op-parity.js";
import { smallTraining } from "../op-parity/small-training.js";
import { createWebgpu } from "./create-webgpu.js";

env().set("PROD", true); // no advertisement on the console
installGradients();
const adapter = await createWebgpu();

// An error on the device raises no exception: the tensors hold zeros, or what stood there before.
const lastErrors = () => adapter.errors.splice(0);
afterEach(({ expect }) => expect(lastErrors()).toEqual([]));

test(`the adapter is ${adapter.software ? "the CPU in the place of a GPU" : "a GPU"}: ${adapter.vendor} ${adapter.architecture}, ${adapter.description}`, () => {
  expect(adapter.vendor).not.toBe("");
  // Debian's driver is a stand-in; whoever names another one by VK_ICD_FILENAMES gets what it drives.
  if (adapter.drivers.every((file) => file.includes("swiftshader"))) {
    expect([adapter.architecture, adapter.software]).toEqual(["swiftshader", true]);
  }
});

test("the backend is webgpu, and small tensors are computed there too, not on the CPU", async () => {
  expect(getBackend()).toBe("webgpu");
  const device = backend() as unknown as { shouldExecuteOnCPU(inputs: unknown[]): boolean };
  expect(device.shouldExecuteOnCPU([])).toBe(false);
});

for (const opCase of opCases) {
  const { name, op } = opCase;
  const gradient = expected(known, opCase, "webgpu", "gradient");
  test(`webgpu: ${name} agrees with float64 (${op})`, async () => {
    const tensors = memory().numTensors;
    const buffers = backend().numDataIds();
    expect(surprises(known, opCase, "webgpu", await runOpCase(opCase, goldenResults[name]))).toEqual([]);
    // The errors behind a gradient that is known to be wrong.
    if (gradient.is === "wrong") lastErrors();
    // What throws halfway leaves behind what it had.
    if (gradient.is === "missing") return;
    expect(memory().numTensors).toBe(tensors);
    expect(backend().numDataIds()).toBe(buffers);
  });
}

test("twenty steps of training have the losses of the cpu backend and leave nothing behind", async () => {
  const tensors = memory().numTensors;
  const buffers = backend().numDataIds();
  const losses = await smallTraining({ steps: 20 });
  expect(memory().numTensors).toBe(tensors);
  expect(backend().numDataIds()).toBe(buffers);
  await setBackend("cpu");
  const expected = await smallTraining({ steps: 20 });
  await setBackend("webgpu");
  expect(expected.at(-1)!).toBeLessThan(0.5 * expected[0]!);
  for (const [i, loss] of losses.entries()) {
    // Sums in another order differ by some 1e-7; Adam's division by the root of small squares and the steps multiply that.
    expect(Math.abs(loss - expected[i]!) / expected[i]!, `step ${i}`).toBeLessThan(1e-4);
  }
});
