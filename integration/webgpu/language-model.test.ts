import "@tensorflow/tfjs-backend-cpu";
import { repairKernels } from "@gradlab/backend-select";
import { installGradients } from "@gradlab/core";
import { env, memory, setBackend } from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { firstLosses } from "../../packages/rnn-lm/test/first-losses.js";
import { withDeviceErrors } from "../op-parity/device-errors.js";
import { createWebgpu } from "./create-webgpu.js";

env().set("PROD", true); // no advertisement on the console
installGradients();
const adapter = await createWebgpu();
repairKernels("webgpu");

test("a language model has the first five losses of the cpu backend, to 1e-4, and leaves nothing behind", async () => {
  const before = memory().numTensors;
  const { result: losses, errors } = await withDeviceErrors(adapter.device, () => firstLosses());
  expect(errors).toEqual([]);
  expect(memory().numTensors).toBe(before);
  await setBackend("cpu");
  const expected = await firstLosses();
  for (const [i, loss] of losses.entries()) expect(Math.abs(loss - expected[i]!), `${i}`).toBeLessThan(1e-4);
}, 300_000);
