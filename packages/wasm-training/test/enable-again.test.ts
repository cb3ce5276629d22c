import { getKernel, type KernelConfig, registerKernel, unregisterKernel } from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { enableWasmTraining } from "../src/index.js";

test("kernels that hand some cases on hand them to the stock kernel, however often they are enabled", async () => {
  await import("@tensorflow/tfjs-backend-wasm");
  // The stock kernel tells how deep in the stack it is called: a layer more for each time would show.
  const depths: number[] = [];
  const stock: KernelConfig = {
    ...getKernel("Reverse", "wasm"),
    kernelFunc: () => {
      const { stackTraceLimit } = Error;
      Error.stackTraceLimit = Number.POSITIVE_INFINITY;
      depths.push(new Error().stack!.split("\n").length);
      Error.stackTraceLimit = stackTraceLimit;
      return [];
    },
  };
  unregisterKernel("Reverse", "wasm");
  registerKernel(stock);
  for (let times = 0; times < 4; times++) {
    await enableWasmTraining();
    const ours = getKernel("Reverse", "wasm");
    expect(ours.kernelFunc).not.toBe(stock.kernelFunc);
    const x = { dataId: {}, shape: [2], dtype: "string" as const };
    ours.kernelFunc({ inputs: { x }, attrs: { dims: [0] }, backend: {} });
  }
  expect(depths).toEqual(Array.from({ length: 4 }, () => depths[0]));
});
