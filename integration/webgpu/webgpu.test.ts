import "@tensorflow/tfjs-backend-cpu";
import { repairKernels } from "@gradlab/backend-select";
import { installGradients } from "@gradlab/core";
import { backend, env, getBackend, memory, setBackend } from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { withDeviceErrors } from "../op-parity/device-errors.js";
import { goldenResults, known, opCases } from "../op-parity/op-cases.js";
import { expected, runOpCase, surprises } from "../op-parity/op-parity.js";
import { smallTraining } from "../op-parity/small-training.js";
import { createWebgpu } from "./create-webgpu.js";

env().set("PROD", true); // no advertisement on the console
installGradients();
const adapter = await createWebgpu();
repairKernels("webgpu");

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

const alive = () => ({ tensors: memory().numTensors, buffers: backend().numDataIds() });

for (const opCase of opCases) {
  const { name, op } = opCase;
  test(`webgpu: ${name} agrees with float64 (${op})`, async () => {
    const before = alive();
    const { result, errors } = await withDeviceErrors(adapter.device, () =>
      runOpCase(opCase, goldenResults[name]),
    );
    expect(surprises(known, opCase, "webgpu", result)).toEqual([]);
    const { is } = expected(known, opCase, "webgpu", "gradient");
    if (is !== "wrong") expect(errors).toEqual([]);
    // What throws halfway leaves behind what it had.
    if (is !== "missing") expect(alive()).toEqual(before);
  });
}

test("twenty steps of training have the losses of the cpu backend and leave nothing behind", async () => {
  const before = alive();
  const { result: losses, errors } = await withDeviceErrors(adapter.device, () =>
    smallTraining({ steps: 20 }),
  );
  expect(errors).toEqual([]);
  expect(alive()).toEqual(before);
  await setBackend("cpu");
  const expected = await smallTraining({ steps: 20 });
  await setBackend("webgpu");
  expect(expected.at(-1)!).toBeLessThan(0.5 * expected[0]!);
  for (const [i, loss] of losses.entries()) {
    // Sums in another order differ by some 1e-7; Adam's division by the root of small squares and the steps multiply that.
    expect(Math.abs(loss - expected[i]!) / expected[i]!, `step ${i}`).toBeLessThan(1e-4);
  }
});
