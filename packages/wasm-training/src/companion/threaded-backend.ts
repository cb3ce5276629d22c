/**
 * tfjs's threaded build, for its shared memory: workers of ours can then work
 * in place on its tensors. Its own eight pool workers do nothing for tfjs
 * (XNNPACK runs on one thread) and are not started: in their place it gets workers that only say that they are there.
 */
import { engine, env } from "@tensorflow/tfjs-core";
import { isNode, nodeThreads } from "./node-parts.js";

/** What tfjs's module asks of a pool worker while it starts. */
class AbsentWorker {
  readonly #listeners: ((data: unknown) => void)[] = [];
  onmessage: ((event: { data: unknown }) => void) | null = null;
  on(event: string, listener: (data: unknown) => void): void {
    if (event === "message") this.#listeners.push(listener);
  }
  postMessage(message: { readonly cmd?: string }): void {
    if (message.cmd !== "load") return;
    queueMicrotask(() => {
      const data = { cmd: "loaded" };
      if (this.#listeners.length > 0) for (const listener of this.#listeners) listener(data);
      else this.onmessage?.({ data });
    });
  }
  unref(): void {}
  terminate(): void {}
}

/** Runs `start` while `Worker` stands for workers that are absent, in Node and in pages. */
async function withoutWorkers<T>(start: () => T | Promise<T>): Promise<T> {
  const node = nodeThreads() as { Worker: unknown } | undefined;
  const before = node?.Worker;
  const own = Object.getOwnPropertyDescriptor(globalThis, "Worker");
  if (node !== undefined) node.Worker = AbsentWorker;
  Object.defineProperty(globalThis, "Worker", { value: AbsentWorker, configurable: true, writable: true });
  try {
    return await start();
  } finally {
    if (node !== undefined) node.Worker = before;
    if (own === undefined) delete (globalThis as { Worker?: unknown }).Worker;
    else Object.defineProperty(globalThis, "Worker", own);
  }
}

/** Whether memory can be shared between threads here. */
export function canShareMemory(): boolean {
  if (typeof SharedArrayBuffer === "undefined") return false;
  return isNode || globalThis.crossOriginIsolated === true;
}

let prepared = false;

/** Makes the backend start with tfjs's threaded build. Only before it starts; once is enough. */
export function prepareThreadedBackend(): void {
  if (prepared) return;
  const registered = (engine() as unknown as { registryFactory: Record<string, { factory: () => unknown }> })
    .registryFactory.wasm;
  if (registered === undefined) throw new Error("wasm-training: tfjs knows no backend wasm");
  const { factory } = registered;
  registered.factory = () => {
    env().set("WASM_HAS_MULTITHREAD_SUPPORT", true);
    return withoutWorkers(factory);
  };
  prepared = true;
}
