import { installGradients } from "@gradlab/core";
import { env, getBackend, memory } from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { goldenResults, opCases } from "../op-parity/op-cases.js";
import { runOpCase } from "../op-parity/op-parity.js";
import { createWebgpu } from "./create-webgpu.js";

env().set("PROD", true); // no advertisement on the console
const adapter = await createWebgpu();
console.log(adapter);
beforeAll(installGradients);

for (const opCase of opCases) {
  const { name, op } = opCase;
  test(`webgpu: ${name} agrees with float64 (${op})`, async () => {
    const tensors = memory().numTensors;
    const bad: string[] = [];
    for (const { what, error } of await runOpCase(opCase, goldenResults[name])) {
      if (!(error <= 1e-5)) bad.push(`${what} ${error}`);
    }
    expect(bad).toEqual([]);
    expect(memory().numTensors).toBe(tensors);
    expect(getBackend()).toBe("webgpu");
  });
}
