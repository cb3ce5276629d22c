import type { Attempt } from "../attempt.js";
import { askChild } from "./ask-child.js";

/** What tfjs-node did in a process of its own. */
export interface TfjsNodeProbe {
  /** Null when it works. */
  readonly reason: string | null;
  /** It computes on a CUDA device. */
  readonly gpu: boolean;
}

/** Importing succeeds where ops do not, so some are executed; those that Node 23 broke among them. */
const program = `
  const util = require("node:util");
  util.isNullOrUndefined ??= (value) => value === null || value === undefined;
  util.isArray ??= Array.isArray;
  const tf = require(process.argv[1]);
  await tf.ready();
  const x = tf.tensor1d([3, -1, 2]);
  const sums = await tf.add(tf.abs(x), tf.topk(x, 3).values).data();
  if (String(Array.from(sums)) !== "6,3,1") throw new Error("abs and topk of [3, -1, 2] add up to " + sums);
  return { gpu: tf.backend().isUsingGpuDevice === true };
`;

/**
 * Loads tfjs-node in a child process and computes with it: importing it registers a backend for good, and a native
 * library that crashes would take the process along. One child per file and run.
 */
export function probeTfjsNode(file: string, attempt: Attempt): Promise<TfjsNodeProbe> {
  const known = attempt.memo.get(file) as Promise<TfjsNodeProbe> | undefined;
  const probe = known ?? runProbe(file, attempt);
  attempt.memo.set(file, probe);
  return attempt.during(probe);
}

async function runProbe(file: string, attempt: Attempt): Promise<TfjsNodeProbe> {
  const asked = await askChild<{ gpu: boolean }>(program, [file], tensorflowEnvironment(), attempt);
  return asked.value === null ? { reason: asked.reason, gpu: false } : { reason: null, gpu: asked.value.gpu };
}

/** TensorFlow would take all memory of the GPU at once, and writes its log to stderr. */
export function tensorflowEnvironment(): Readonly<Record<string, string>> {
  const { TF_FORCE_GPU_ALLOW_GROWTH = "true", TF_CPP_MIN_LOG_LEVEL = "2" } = process.env;
  return { TF_FORCE_GPU_ALLOW_GROWTH, TF_CPP_MIN_LOG_LEVEL };
}

/**
 * tfjs-node 4.22.0 calls two functions of `util` that Node 23 has removed, so that most ops throw there; they are looked
 * up when they are called, so that putting them back helps. Here for as long as the process runs.
 *
 * @see https://github.com/tensorflow/tfjs/pull/8425
 */
export function putBackRemovedFunctions(util: Record<string, unknown>): void {
  util.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  util.isArray ??= Array.isArray;
}
