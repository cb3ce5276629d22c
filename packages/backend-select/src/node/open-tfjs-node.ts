import { createRequire } from "node:module";
import { backend } from "@tensorflow/tfjs-core";
import { type Attempt, NotTriedError, type OpenedBackend } from "../attempt.js";
import { isRegistered, keepRegistered } from "../backend-registry.js";
import { findPackage } from "./import-optional.js";
import {
  probeTfjsNode,
  putBackRemovedFunctions,
  type TfjsNodeProbe,
  tensorflowEnvironment,
} from "./probe-tfjs-node.js";

const names = { gpu: "@tensorflow/tfjs-node-gpu", cpu: "@tensorflow/tfjs-node" } as const;

/** The file that was loaded in this process: tfjs-node and tfjs-node-gpu register the same backend. */
let loaded: string | undefined;

/** TensorFlow on a CUDA device. */
export async function openTfjsNodeGpu(attempt: Attempt): Promise<OpenedBackend> {
  const file = installed(names.gpu, attempt);
  const { gpu } = await passing(file, attempt);
  if (!gpu) {
    throw new Error(
      "its TensorFlow found no CUDA device and computes on the CPU (4.22.0 needs CUDA 11.2 and cuDNN 8.1)",
    );
  }
  attempt.device = "CUDA device";
  attempt.software = false;
  const opened = load(file);
  return { ...opened, inspect: () => expectGpu() };
}

/** TensorFlow on the CPU: tfjs-node, or a tfjs-node-gpu that found no CUDA device. */
export async function openTfjsNode(attempt: Attempt): Promise<OpenedBackend> {
  const { resolveFrom } = attempt.settings;
  const own = findPackage(names.cpu, resolveFrom);
  if (own !== null) {
    await passing(own, attempt);
    return load(own);
  }
  const file = findPackage(names.gpu, resolveFrom);
  if (file === null) throw new NotTriedError("absent", `${names.cpu} is not installed`);
  const { gpu } = await passing(file, attempt);
  if (gpu)
    throw new NotTriedError("absent", `${names.cpu} is not installed; tfjs-node-gpu has a CUDA device`);
  return load(file);
}

function installed(name: string, attempt: Attempt): string {
  const file = findPackage(name, attempt.settings.resolveFrom);
  if (file === null) throw new NotTriedError("absent", `${name} is not installed`);
  return file;
}

async function passing(file: string, attempt: Attempt): Promise<TfjsNodeProbe> {
  const probe = await probeTfjsNode(file, attempt);
  if (probe.reason !== null) throw new Error(`it is installed and fails: ${probe.reason}`);
  return probe;
}

function load(file: string): OpenedBackend {
  if (loaded !== undefined && loaded !== file) {
    throw new NotTriedError(
      "untried",
      `${loaded} is loaded in this process, which can hold one TensorFlow only`,
    );
  }
  if (loaded === undefined && isRegistered("tensorflow")) {
    throw new NotTriedError("untried", "another backend named tensorflow is registered in this process");
  }
  Object.assign(process.env, tensorflowEnvironment());
  putBackRemovedFunctions(createRequire(import.meta.url)("node:util"));
  loaded = file;
  createRequire(file)(file);
  keepRegistered("tensorflow", file);
  return { tfjsName: "tensorflow" };
}

/** The probe may have had a device that this process does not get. */
function expectGpu(): void {
  if ((backend() as unknown as { isUsingGpuDevice?: boolean }).isUsingGpuDevice !== true) {
    throw new Error("its TensorFlow lost the CUDA device that it had a moment ago");
  }
}
