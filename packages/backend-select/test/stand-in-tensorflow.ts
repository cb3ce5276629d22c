import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const require = createRequire(import.meta.url);

/** How a stand-in for tfjs-node behaves, as the real one was reported to. */
export interface StandIn {
  readonly name: "tfjs-node" | "tfjs-node-gpu";
  /** Whether its TensorFlow found a CUDA device. */
  readonly usesGpu?: boolean;
  /** Code that runs when the package is imported, before its backend is registered. */
  readonly onImport?: string;
  /** Code that runs before every kernel; `name` is the kernel's. */
  readonly onKernel?: string;
  readonly version?: string;
}

/**
 * A folder whose `node_modules` holds stand-ins for TensorFlow's native packages. Like the real
 * ones they are CommonJS, register the backend `tensorflow` with priority 3 and set it on import, export all
 * of tfjs, and call `util.isNullOrUndefined` in every op, which Node 23 does not have. Their kernels are those of the cpu backend.
 */
export function installStandIns(...standIns: readonly StandIn[]): { folder: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "gradlab-stand-in-"));
  const scope = join(folder, "node_modules/@tensorflow");
  mkdirSync(scope, { recursive: true });
  for (const name of ["tfjs-core", "tfjs-backend-cpu"]) {
    symlinkSync(dirname(require.resolve(`@tensorflow/${name}/package.json`)), join(scope, name), "dir");
  }
  for (const { name, version = "4.22.0", usesGpu = false, onImport = "", onKernel = "" } of standIns) {
    mkdirSync(join(scope, name, "dist"), { recursive: true });
    writeFileSync(
      join(scope, name, "package.json"),
      JSON.stringify({ name: `@tensorflow/${name}`, version, main: "dist/index.js" }),
    );
    writeFileSync(
      join(scope, name, "dist/index.js"),
      `"use strict";
const tf = require("@tensorflow/tfjs-core");
const { MathBackendCPU } = require("@tensorflow/tfjs-backend-cpu");
const util_1 = require("util");
${onImport}
class NodeJSKernelBackend extends MathBackendCPU {
  constructor() {
    super();
    this.firstUse = false;
    this.isUsingGpuDevice = ${usesGpu};
    this.binding = { TF_Version: "2.9.1" };
  }
}
for (const { kernelName: name, kernelFunc } of tf.getKernelsForBackend("cpu")) {
  tf.registerKernel({
    kernelName: name,
    backendName: "tensorflow",
    kernelFunc(call) {
      if (util_1.isNullOrUndefined(call.inputs)) throw new Error("no inputs");
      ${onKernel}
      return kernelFunc(call);
    },
  });
}
tf.registerBackend("tensorflow", () => new NodeJSKernelBackend(), 3);
tf.setBackend("tensorflow");
module.exports = { ...tf };
`,
    );
  }
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
