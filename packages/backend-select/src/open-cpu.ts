import type { Attempt, OpenedBackend } from "./attempt.js";
import { keepRegistered } from "./backend-registry.js";
import { repairKernels } from "./repair-kernels.js";

export async function openCpu(attempt: Attempt): Promise<OpenedBackend> {
  await attempt.during(import("@tensorflow/tfjs-backend-cpu"));
  keepRegistered("cpu");
  repairKernels("cpu");
  return { tfjsName: "cpu" };
}
