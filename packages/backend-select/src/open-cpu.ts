import type { Attempt, OpenedBackend } from "./attempt.js";
import { keepRegistered } from "./backend-registry.js";

/** Plain JavaScript: right everywhere, and slow. */
export async function openCpu(attempt: Attempt): Promise<OpenedBackend> {
  await attempt.during(import("@tensorflow/tfjs-backend-cpu"));
  keepRegistered("cpu");
  return { tfjsName: "cpu" };
}
