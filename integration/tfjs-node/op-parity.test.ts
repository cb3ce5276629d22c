import { selectBackend } from "@gradlab/backend-select";
import { engine, getBackend, memory } from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { goldenResults, known, opCases } from "../op-parity/op-cases.js";
import { runOpCase, surprises } from "../op-parity/op-parity.js";
import { tfjsNodeFolder } from "./load-tfjs-node.js";

beforeAll(async () => {
  await selectBackend({ only: "tfjs-node", resolveFrom: tfjsNodeFolder });
});

for (const opCase of opCases) {
  const { name, op } = opCase;
  test(`tensorflow: ${name} agrees with float64 (${op})`, async () => {
    expect(getBackend()).toBe("tensorflow");
    const tensors = memory().numTensors;
    const buffers = engine().backend.numDataIds();
    expect(surprises(known, opCase, "tensorflow", await runOpCase(opCase, goldenResults[name]))).toEqual([]);
    expect(memory().numTensors).toBe(tensors);
    expect(engine().backend.numDataIds()).toBe(buffers);
  });
}
