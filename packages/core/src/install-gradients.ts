import { getGradient, registerGradient, unregisterGradient } from "@tensorflow/tfjs-core";
import { fusedGradients } from "./fused/fused-gradients.js";
import { repairEngine } from "./repair-engine.js";
import { repairedGradients } from "./repaired-gradients.js";
import { tfjsGradients } from "./tfjs-gradients.js";

/**
 * Registers the gradients of every differentiable op of tfjs-core 4.22.0, with the wrong ones repaired.
 *
 * `@tensorflow/tfjs-core` alone computes no gradient: `grad`, `variableGrads`
 * and every optimizer throw until this has run. It works on all backends and
 * may be called any number of times; a call after another import registered
 * tfjs's own gradients over the repaired ones puts the repaired ones back.
 *
 * Gradients registered by others for ops that are not in tfjs's list stay.
 */
export function installGradients(): void {
  repairEngine();
  for (const config of [...tfjsGradients, ...repairedGradients, ...fusedGradients]) {
    const present = getGradient(config.kernelName);
    if (present === config) continue;
    // Registering over a gradient warns in debug mode.
    if (present !== undefined) unregisterGradient(config.kernelName);
    registerGradient(config);
  }
}
