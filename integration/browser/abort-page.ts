/**
 * The page and the worker of `abort.test.ts`: the page starts a training in a worker and posts it an abort; the worker
 * answers how late it heard that.
 */
import "@tensorflow/tfjs-backend-cpu";
import { enableWasmTraining } from "@gradlab/wasm-training";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { env } from "@tensorflow/tfjs-core";
import { clock, type Heard, hearAbort } from "../training/hear-abort.js";

type Work = { readonly start: string } | { readonly due: number };

function work(): void {
  let abort: (due: number) => void = () => undefined;
  const ready = (async () => {
    env().set("PROD", true);
    setWasmPaths("/wasm/");
    await enableWasmTraining({ wasmPaths: "/wasm/" });
  })();
  addEventListener("message", async ({ data }: MessageEvent<Work>) => {
    if ("due" in data) abort(data.due);
    else {
      await ready;
      const heard = await hearAbort(data.start, (given) => {
        abort = given;
        postMessage("training");
      });
      postMessage(heard);
    }
  });
}

/** What the page offers. */
export interface AbortPage {
  abortWorker(backend: string): Promise<Heard>;
}

/** Has a worker train on a backend, posts it an abort after 100 ms, and returns what it heard. */
function abortWorker(backend: string): Promise<Heard> {
  const worker = new Worker("page.js", { type: "module" });
  return new Promise<Heard>((resolve, reject) => {
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.onmessage = ({ data }) => {
      if (data === "training") setTimeout(() => worker.postMessage({ due: clock() }), 100);
      else resolve(data);
    };
    worker.postMessage({ start: backend });
  }).finally(() => worker.terminate());
}

if (typeof document === "undefined") work();
else Object.assign(globalThis, { abortWorker } satisfies AbortPage);
