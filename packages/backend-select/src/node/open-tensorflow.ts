import { engine } from "@tensorflow/tfjs-core";
import { type Attempt, NotTriedError, type OpenedBackend } from "../attempt.js";
import { keepRegistered, messageOf } from "../backend-registry.js";
import { repairKernels } from "../repair-kernels.js";
import { askChild, type ChildAnswer } from "./ask-child.js";
import { findPackage } from "./find-package.js";
import { installUtilShim, utilShim } from "./install-util-shim.js";
import { setEnvironment } from "./set-environment.js";

const noCuda = "its TensorFlow found no CUDA device and computes on the CPU";

/** Nothing of TensorFlow's log, whose errors are thrown as well, and no claim to all memory of the GPU at once. */
const environment = { TF_CPP_MIN_LOG_LEVEL: "3", TF_FORCE_GPU_ALLOW_GROWTH: "true" };

/** What tfjs-node's backend says of itself. */
interface TensorflowBackend {
  readonly isUsingGpuDevice?: boolean;
  readonly binding?: { readonly TF_Version?: string };
}

/**
 * Loads TensorFlow's C library: for the candidate `tfjs-node-gpu` only where it uses a GPU, for
 * `tfjs-node` from either package where it does not.
 *
 * Importing one of the packages sets its backend at once and for good, may throw, and is
 * no proof that an op runs (on Node 23 and newer none did); so a child process tries it first.
 */
export async function openTensorflow(attempt: Attempt, onGpu: boolean): Promise<OpenedBackend> {
  const inspect = () => {
    const { isUsingGpuDevice, binding } = engine().registry.tensorflow as TensorflowBackend;
    if (onGpu && isUsingGpuDevice !== true) throw new Error(noCuda);
    const { TF_Version: version } = binding ?? {};
    attempt.device = `${onGpu ? "CUDA device" : "CPU"}${version === undefined ? "" : `, TensorFlow ${version}`}`;
    attempt.software = onGpu ? false : null;
  };
  const loaded = engine().registry.tensorflow as TensorflowBackend | undefined;
  if (loaded !== undefined) {
    if (!onGpu && loaded.isUsingGpuDevice === true) {
      throw new NotTriedError("untried", "tfjs-node-gpu is in use, under the same name in tfjs");
    }
    repairKernels("tensorflow");
    return { tfjsName: "tensorflow", inspect };
  }
  const names = onGpu
    ? ["@tensorflow/tfjs-node-gpu"]
    : ["@tensorflow/tfjs-node", "@tensorflow/tfjs-node-gpu"];
  const reasons: string[] = [];
  for (const name of names) {
    try {
      const url = findPackage(name, attempt);
      if (url === null) continue;
      const usesGpu = await attempt.during(tryInChild(url, attempt));
      if (onGpu && !usesGpu) throw new Error(noCuda);
      if (!onGpu && usesGpu) throw new Error(`${name} uses a GPU: that is the candidate tfjs-node-gpu`);
      await load(url, attempt);
      return { tfjsName: "tensorflow", inspect };
    } catch (error) {
      attempt.signal.throwIfAborted();
      reasons.push(names.length > 1 ? `${name}: ${messageOf(error)}` : messageOf(error)!);
    }
  }
  if (reasons.length === 0) throw new NotTriedError("absent", `not installed: ${names[0]}`);
  throw new Error(reasons.join("; "));
}

async function load(url: string, attempt: Attempt): Promise<void> {
  attempt.onSettled(setEnvironment(environment));
  attempt.onClose(installUtilShim());
  await attempt.during(import(url));
  keepRegistered("tensorflow", url);
  repairKernels("tensorflow");
}

/** Whether a package uses a GPU, after it ran the kernels that training needs. */
async function tryInChild(url: string, { memo, signal }: Attempt): Promise<boolean> {
  if (!memo.has(url)) memo.set(url, await askChild(trial(url), { signal, environment: unset() }));
  const result = memo.get(url) as ChildAnswer;
  if ("failure" in result) throw new Error(result.failure);
  return (result.answer as { usesGpu: boolean }).usesGpu;
}

const unset = (): Record<string, string> =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => process.env[name] === undefined));

/** Kernels are called directly: they need no gradients to be registered. */
const trial = (url: string): string => `${utilShim}
  const module = await import(${JSON.stringify(url)});
  const tf = { ...module, ...module.default };
  await tf.ready();
  if (tf.getBackend() !== "tensorflow") throw new Error("it did not set its backend");
  const run = (name, inputs, attrs) => [tf.engine().runKernel(name, inputs, attrs)].flat();
  const image = tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 3, 3, 1]);
  const filter = tf.tensor4d([1, -1, 2, 0.5], [2, 2, 1, 1]);
  const dy = tf.tensor4d([1, 2, 3, -1], [1, 2, 2, 1]);
  const conv = { strides: [1, 1], pad: "valid", dataFormat: "NHWC", dimRoundingMode: undefined };
  const pool = { filterSize: [2, 2], strides: [1, 1], pad: "valid", dimRoundingMode: undefined };
  const pooled = run("MaxPool", { x: image }, pool)[0];
  const results = [
    ...run("Abs", { x: image }, {}),
    ...run("TopK", { x: tf.tensor1d([1, 3, 2]) }, { k: 2, sorted: true }),
    ...run("BatchMatMul", { a: tf.tensor3d([1, 2], [1, 1, 2]), b: tf.tensor3d([3, 4], [1, 2, 1]) }, { transposeA: false, transposeB: false }),
    ...run("Conv2D", { x: image, filter }, { ...conv, dilations: [1, 1] }),
    ...run("Conv2DBackpropInput", { dy, filter }, { ...conv, inputShape: image.shape }),
    ...run("Conv2DBackpropFilter", { x: image, dy }, { ...conv, filterShape: filter.shape }),
    pooled,
    ...run("MaxPoolGrad", { dy, input: image, output: pooled }, pool),
    ...run("UnsortedSegmentSum", { x: tf.tensor1d([1, 2, 3]), segmentIds: tf.tensor1d([2, 0, 2], "int32") }, { numSegments: 3 }),
  ];
  for (const result of results) await result.data();
  answer({ usesGpu: tf.backend().isUsingGpuDevice === true });`;
