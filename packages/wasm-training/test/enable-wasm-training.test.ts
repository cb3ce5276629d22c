import "@tensorflow/tfjs-backend-cpu";
import {
  env,
  getKernel,
  getKernelsForBackend,
  type KernelConfig,
  matMul,
  memory,
  registerKernel,
  setBackend,
  tensor,
  unregisterKernel,
} from "@tensorflow/tfjs-core";
import { beforeAll, expect, test, vi } from "vitest";
import { enableWasmTraining } from "../src/index.js";

beforeAll(() => {
  env().set("PROD", true); // no advertisement on the console
});

test("paths that are neither a folder nor a record are refused by name, before anything is registered", async () => {
  await expect(enableWasmTraining({ wasmPaths: 3 as unknown as string })).rejects.toThrow(
    "enableWasmTraining: wasmPaths: expected a folder or a record from file name to path, got 3",
  );
  await expect(enableWasmTraining({ wasmPaths: { a: 1 } as never })).rejects.toThrow('got {"a":1}');
  expect(getKernelsForBackend("wasm")).toHaveLength(0);
});

test("enabling twice, before and after the backend starts, changes nothing and warns of nothing", async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  env().set("PROD", false);
  await enableWasmTraining();
  await setBackend("wasm");
  const names = getKernelsForBackend("wasm").map(({ kernelName }) => kernelName);
  expect(new Set(names).size).toBe(names.length);
  const a = tensor([1, 2, 3, 4], [2, 2]);
  const product = async () => Array.from(await matMul(a, a, true, false).data());
  const first = await product();
  expect(first).toEqual([10, 14, 14, 20]);
  await enableWasmTraining();
  expect(await product()).toEqual(first);
  expect(getKernelsForBackend("wasm")).toHaveLength(names.length);
  expect(warn).not.toHaveBeenCalled();
  warn.mockRestore();
  env().set("PROD", true);
});

test("enabling again puts back a kernel that another import replaced", async () => {
  await enableWasmTraining();
  await setBackend("wasm");
  const ours = getKernel("UnsortedSegmentSum", "wasm");
  const other: KernelConfig = { ...ours, kernelFunc: () => [] };
  unregisterKernel("UnsortedSegmentSum", "wasm");
  registerKernel(other);
  await enableWasmTraining();
  expect(getKernel("UnsortedSegmentSum", "wasm")).not.toBe(other);
  expect(memory().numTensors).toBeGreaterThan(0);
});

test("matrices whose inner sizes differ are refused with both shapes", async () => {
  await enableWasmTraining();
  await setBackend("wasm");
  const { matMul: multiply } = await import("../src/kernels/mat-mul.js");
  const { engine } = await import("@tensorflow/tfjs-core");
  const a = tensor([1, 2, 3, 4, 5, 6], [2, 3]);
  expect(() => multiply(engine().backend as never, a, a)).toThrow(
    "matMul: b: expected 3 rows to match the columns of a, got 2 (shapes [2,3] and [2,3]",
  );
});
