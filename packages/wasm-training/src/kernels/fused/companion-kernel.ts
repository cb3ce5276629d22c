import type { KernelConfig } from "@tensorflow/tfjs-core";
import { type Companion, companionOf } from "../../companion/companion.js";
import type { TensorInfo } from "../../heap.js";
import { type KernelArguments, kernel } from "../../kernel.js";

/** A kernel that the companion module alone computes: registered only where it runs. */
export const companionKernel = (
  kernelName: string,
  compute: (args: KernelArguments & { readonly companion: Companion }) => TensorInfo | TensorInfo[],
): KernelConfig =>
  kernel(kernelName, (args) => {
    const companion = companionOf(args.backend);
    if (companion === undefined) throw new Error(`wasm-training: ${kernelName}: the companion module is off`);
    return compute({ ...args, companion });
  });
