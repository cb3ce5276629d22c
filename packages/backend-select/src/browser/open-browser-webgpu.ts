import { type Attempt, NotTriedError, type OpenedBackend } from "../attempt.js";
import { openWebgpu } from "../open-webgpu.js";
import { notBundled } from "./not-bundled.js";

export async function openBrowserWebgpu(attempt: Attempt): Promise<OpenedBackend> {
  const gpu = globalThis.navigator?.gpu as GPU | undefined;
  if (gpu === undefined) {
    const insecure = globalThis.isSecureContext === false ? ", since it is not from https or localhost" : "";
    throw new NotTriedError("absent", `the page has no navigator.gpu${insecure}`);
  }
  return openWebgpu(attempt, gpu, () =>
    import("@tensorflow/tfjs-backend-webgpu").catch(notBundled("webgpu")),
  );
}
