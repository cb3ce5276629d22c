import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import type { Attempt } from "./attempt.js";

/**
 * Makes a WebGPU backend fail where it would go on with wrong numbers. tfjs listens to neither a lost device nor an
 * error on the GPU (out of memory, a buffer beyond the limits), after which tensors hold zeros: here every read after
 * one rejects with the reason, and `attempt.lost` resolves to it.
 */
export function failOnLoss(backend: WebGPUBackend, device: GPUDevice, attempt: Attempt): void {
  let failure: Error | null = null;
  attempt.lost = new Promise((resolve) => {
    const fail = (reason: string) => {
      failure ??= new Error(`webgpu: ${reason}; select a backend again and go on from a checkpoint`);
      resolve(failure);
    };
    void device.lost.then(({ message, reason }) => {
      // A device that was given back is no failure.
      if (!attempt.isClosed) fail(`the device was lost (${[reason, message].filter(Boolean).join(": ")})`);
    });
    device.addEventListener("uncapturederror", (event) => {
      const { error } = event as GPUUncapturedErrorEvent;
      fail(`an error on the GPU, results since then may be wrong (${error.message.split("\n")[0]})`);
    });
  });
  const throwIfFailed = () => {
    if (failure !== null) throw failure;
  };
  const read = backend.read.bind(backend);
  backend.read = async (dataId) => {
    throwIfFailed();
    try {
      return await read(dataId);
    } finally {
      // Also when mapping fails: the loss is the reason, and it is told a moment later than the failure.
      await device.queue.onSubmittedWorkDone().catch(() => undefined);
      throwIfFailed();
    }
  };
  if (typeof OffscreenCanvas !== "undefined") return;
  const readSync = backend.readSync.bind(backend);
  backend.readSync = (dataId) => {
    const { values, dtype } = (backend as unknown as { tensorMap: TensorMap }).tensorMap.get(dataId)!;
    if (values == null && dtype !== "string") {
      throw new Error("webgpu: tensors cannot be read synchronously in Node; use await tensor.data()");
    }
    return readSync(dataId);
  };
}

interface TensorMap {
  get(dataId: object): { readonly values: unknown; readonly dtype: string } | undefined;
}
