import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { engine, getBackend, memory } from "@tensorflow/tfjs-core";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { type CandidateName, NoBackendError, selectBackend } from "../src/index.js";
import { installStandIns, type StandIn } from "./stand-in-tensorflow.js";

// The native packages run install scripts that need a network: stand-ins behave as the real ones were reported to.

const util = createRequire(import.meta.url)("node:util") as Record<string, unknown>;
const utilBefore = { isNullOrUndefined: util.isNullOrUndefined, isArray: util.isArray };

afterEach(() => {
  vi.unstubAllEnvs();
  Object.assign(util, utilBefore);
  if ("tensorflow" in engine().registryFactory) engine().removeBackend("tensorflow");
});

/** What selecting among both native candidates and cpu gives with these packages installed. */
async function select(...standIns: readonly StandIn[]) {
  const { folder, remove } = installStandIns(...standIns);
  onTestFinished(remove);
  const only: CandidateName[] = ["tfjs-node-gpu", "tfjs-node", "cpu"];
  const selection = await selectBackend({ only, resolveFrom: folder, timeoutMs: 15_000 });
  const report = (name: CandidateName) => selection.candidates.find((candidate) => candidate.name === name);
  return { selection, report, folder };
}

/** Makes this process and its children lack what Node 23 removed from `util`. */
function withoutUtilFunctions(folder: string): void {
  const preload = join(folder, "node-23.cjs");
  writeFileSync(preload, 'const util = require("util"); delete util.isNullOrUndefined; delete util.isArray;');
  vi.stubEnv("NODE_OPTIONS", `--require ${preload}`);
  delete util.isNullOrUndefined;
  delete util.isArray;
}

test("a tfjs-node that works is selected, under tfjs's name for it", async () => {
  const { selection, report } = await select({ name: "tfjs-node" });
  expect(selection).toMatchObject({ backend: "tfjs-node", tfjsBackend: "tensorflow", software: null });
  expect(getBackend()).toBe("tensorflow");
  expect(report("tfjs-node-gpu")).toMatchObject({ status: "absent" });
  expect(report("cpu")).toMatchObject({ status: "untried", milliseconds: null });
});

test("on Node 23 and newer, tfjs-node gets the functions of node:util that were removed, and keeps them", async () => {
  const { folder, remove } = installStandIns({ name: "tfjs-node" });
  onTestFinished(remove);
  withoutUtilFunctions(folder);
  const { backend } = await selectBackend({ only: "tfjs-node", resolveFrom: folder });
  expect(backend).toBe("tfjs-node");
  expect((util.isNullOrUndefined as (value: unknown) => boolean)(undefined)).toBe(true);
});

test("where tfjs-node is rejected, node:util is left as it was", async () => {
  const { folder, remove } = installStandIns({
    name: "tfjs-node",
    // Wrong only in this process, so that the package is loaded here and then rejected.
    onKernel:
      'if (process.send === undefined && name === "MaxPoolGrad") return call.backend.makeTensorInfo(call.inputs.input.shape, "float32", new Float32Array(4));',
  });
  onTestFinished(remove);
  withoutUtilFunctions(folder);
  const original = process.send;
  Object.assign(process, { send: undefined });
  onTestFinished(() => void Object.assign(process, { send: original }));
  const failed = await selectBackend({ only: "tfjs-node", resolveFrom: folder }).catch((error) => error);
  expect(failed).toBeInstanceOf(NoBackendError);
  expect(failed.message).toContain(
    "tfjs-node: self-test: gradient of maxPool of negative values: expected [0,0,0,3], got [0,0,0,0]",
  );
  expect(util.isNullOrUndefined).toBeUndefined();
  expect("tensorflow" in engine().registryFactory).toBe(false);
});

test("tfjs-node-gpu on a CUDA device is selected", async () => {
  const { selection } = await select({ name: "tfjs-node-gpu", usesGpu: true }, { name: "tfjs-node" });
  expect(selection).toMatchObject({
    backend: "tfjs-node-gpu",
    device: "CUDA device, TensorFlow 2.9.1",
    software: false,
  });
});

test("tfjs-node-gpu that found no CUDA is rejected as such, and its build for the CPU is used as tfjs-node", async () => {
  const { selection, report } = await select({ name: "tfjs-node-gpu", usesGpu: false });
  expect(report("tfjs-node-gpu")).toMatchObject({
    status: "rejected",
    reason: "its TensorFlow found no CUDA device and computes on the CPU",
    device: null,
  });
  expect(selection).toMatchObject({
    backend: "tfjs-node",
    device: "CPU, TensorFlow 2.9.1",
    software: null,
  });
});

test.each<[string, Omit<StandIn, "name">, RegExp]>([
  [
    "has no native binding",
    {
      onImport:
        'throw new Error("The Node.js native addon module (tfjs_binding.node) can not be found at path: /x. \\nPlease run command npm rebuild");',
    },
    /native addon module \(tfjs_binding\.node\) can not be found at path: \/x\. Please run command npm rebuild/,
  ],
  [
    "cannot run an op",
    { onKernel: 'if (name === "TopK") throw new TypeError("TopK is not a function");' },
    /TopK is not a function/,
  ],
  ["crashes the process", { onImport: "process.abort();" }, /was ended by SIGABRT|ended with code/],
  [
    "does not set its backend",
    { onImport: "tf.setBackend = () => false; tf.registerBackend = () => false;" },
    /No backend found|did not set its backend/,
  ],
  ["is of another version", { version: "4.21.0" }, /version 4\.21\.0, tfjs-core 4\.22\.0/],
])(
  "tfjs-node that %s is rejected with its reason, and nothing of it is loaded here",
  async (_, behaviour, reason) => {
    const tensors = memory().numTensors;
    const { selection, report } = await select({ name: "tfjs-node", ...behaviour });
    expect(report("tfjs-node")).toMatchObject({ status: "rejected", reason: expect.stringMatching(reason) });
    expect(selection.backend).toBe("cpu");
    expect("tensorflow" in engine().registryFactory).toBe(false);
    expect(memory().numTensors).toBe(tensors);
  },
);

test("a tfjs-node that hangs on import is given up, and its process ended", async () => {
  const { folder, remove } = installStandIns({ name: "tfjs-node", onImport: "for (;;);" });
  onTestFinished(remove);
  const { candidates, backend } = await selectBackend({
    only: ["tfjs-node", "cpu"],
    resolveFrom: folder,
    timeoutMs: 1_500,
  });
  expect(backend).toBe("cpu");
  expect(candidates[0]).toMatchObject({ status: "rejected", reason: "gave no answer within 1500 ms" });
});
