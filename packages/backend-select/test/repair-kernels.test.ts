import "@tensorflow/tfjs-backend-cpu";
import {
  einsum,
  env,
  getKernel,
  matMul,
  memory,
  registerKernel,
  setBackend,
  tensor,
  unregisterKernel,
} from "@tensorflow/tfjs-core";
import { beforeAll, expect, test, vi } from "vitest";
import { repairKernels } from "../src/index.js";

// The numbers on every backend, gradients too, are compared with float64 in integration/op-parity.

beforeAll(async () => {
  env().set("PROD", true); // no advertisement on the console
  await setBackend("cpu");
});

test("another backend, and one that is not imported, are refused by name, and nothing is replaced", () => {
  const before = getKernel("BatchMatMul", "cpu");
  expect(() => repairKernels("wasm" as never)).toThrow(
    new RangeError('repairKernels: backendName: expected cpu, webgl, webgpu or tensorflow, got "wasm"'),
  );
  expect(() => repairKernels("webgpu")).toThrow(
    new RangeError(
      "repairKernels: backendName: expected a backend that is imported, got webgpu without BatchMatMul",
    ),
  );
  expect(getKernel("BatchMatMul", "cpu")).toBe(before);
});

test("a batch that is repeated along an inner axis meets its own partners, and nothing else stays alive", async () => {
  repairKernels("cpu");
  const a = tensor([2, 3], [2, 1, 1, 1]);
  const b = tensor([1, 10, 100, 1000, 10000, 100000], [2, 3, 1, 1]);
  const tensors = memory().numTensors;
  const product = matMul(a, b);
  expect(product.shape).toEqual([2, 3, 1, 1]);
  // Paired by the modulo of the flat index, as tfjs does, the factors would alternate.
  expect(Array.from(await product.data())).toEqual([2, 20, 200, 3000, 30000, 300000]);
  product.dispose();
  expect(memory().numTensors).toBe(tensors);
});

test("axes of one operand alone are summed, and spaces in the equation do not count", async () => {
  repairKernels("cpu");
  const x = tensor([1, 2, 3, 4], [2, 2]);
  const y = tensor([10, 100], [2]);
  const z = einsum("ij, k -> k", x, y);
  expect(Array.from(await z.data())).toEqual([100, 1000]);
});

test("repairing twice replaces nothing, and repairing again puts back what another import replaced", () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  repairKernels("cpu");
  const ours = getKernel("Einsum", "cpu");
  repairKernels("cpu");
  expect(getKernel("Einsum", "cpu")).toBe(ours);
  unregisterKernel("Einsum", "cpu");
  const other = { ...ours, kernelFunc: () => [] };
  registerKernel(other);
  repairKernels("cpu");
  expect(getKernel("Einsum", "cpu")).not.toBe(other);
  expect(warn).not.toHaveBeenCalled();
  warn.mockRestore();
});
