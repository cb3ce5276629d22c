/** Worker threads that run the tasks of a job beside the thread that asks for it. */
import type { CompanionExports, Helpers, TfjsModule } from "./companion-module.js";
import { isNode, nodeThreads } from "./node-parts.js";
import { nodeWorkerSource, pageWorkerSource } from "./worker-source.js";

/** Rounds of waiting before a worker goes to sleep: some tens of microseconds, the distance of two jobs in a training. */
const SPINS = 20_000;

/** Rounds of waiting for a worker that is in a job: about ten seconds, longer than any task. */
const PATIENCE = 4_000_000_000n;

/** Bytes of `Control` in `assembly/threads.ts`, and a cache line around it. */
const CONTROL_BYTES = 192;

/** A worker of Node or of a page. */
export interface AnyWorker {
  terminate(): unknown;
}

interface Start {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly control: number;
  readonly thread: number;
  readonly spins: number;
}

export interface HelperOptions {
  readonly module: TfjsModule;
  readonly memory: WebAssembly.Memory;
  readonly compiled: WebAssembly.Module;
  readonly exports: CompanionExports;
  readonly threads: number;
  /** Address of the worker's script; unless given, it is a blob. */
  readonly workerPath?: string | undefined;
  /** Called once when a worker has died, outside of any job. */
  readonly onDeath: (error: Error) => void;
  readonly patience?: bigint;
}

/** What becomes of a worker. */
interface Fate {
  /** It has failed. */
  readonly onError: (error: Error) => void;
  /** It has ended, for whatever reason; a page is never told. */
  readonly onEnd: (name: string) => void;
}

/** The blob's address: one for all workers of a page. */
let blob: string | undefined;

function startWorker(start: Start, path: string | undefined, { onError, onEnd }: Fate): AnyWorker {
  const node = nodeThreads();
  const name = `gradlab wasm-training, thread ${start.thread}`;
  if (node !== undefined) {
    const worker = new node.Worker(nodeWorkerSource, { eval: true, workerData: start, name, stdout: false });
    worker.unref();
    worker.on("error", (error) => onError(new Error(`${name}: ${(error as Error).message}`)));
    worker.on("exit", () => onEnd(name));
    return worker;
  }
  if (path === undefined) blob ??= URL.createObjectURL(new Blob([pageWorkerSource]));
  const page = globalThis as unknown as {
    Worker: new (
      url: string,
      options: object,
    ) => AnyWorker & {
      onerror: ((event: { message?: string }) => void) | null;
      postMessage(message: Start): void;
    };
  };
  const worker = new page.Worker(path ?? blob!, { name });
  worker.onerror = ({ message }) => onError(new Error(`${name}: ${message ?? "its script did not load"}`));
  worker.postMessage(start);
  return worker;
}

/** Whether this thread may sleep: the main one of a page may not. */
const mayWait = isNode || typeof (globalThis as { document?: unknown }).document === "undefined";

export interface RunningHelpers extends Helpers {
  /** How many tasks the workers have done. */
  helped(): number;
  readonly workers: readonly AnyWorker[];
  /** Ends the workers. */
  stop(): void;
}

export function startHelpers(options: HelperOptions): RunningHelpers {
  const { module, memory, compiled, exports, threads, workerPath, onDeath, patience = PATIENCE } = options;
  const memoryAt = module._malloc(CONTROL_BYTES) >>> 0;
  const control = Math.ceil(memoryAt / 64) * 64;
  new Uint32Array(memory.buffer, control, 16).fill(0);
  const workers: AnyWorker[] = [];
  let [running, ended] = [true, 0];
  const stop = () => {
    if (!running) return;
    running = false;
    exports.stop(control);
    for (const worker of workers) worker.terminate();
  };
  const die = (error: Error) => {
    if (!running) return;
    stop();
    // Not within a job, which a listener that throws would leave half done.
    queueMicrotask(() => onDeath(error));
  };
  const onEnd = (name: string) => {
    die(new Error(`${name}: it has ended`));
    // Until then a worker that is on its way out may read it.
    if (++ended === threads - 1) module._free(memoryAt);
  };
  try {
    for (let thread = 1; thread < threads; thread++) {
      const start = { module: compiled, memory, control, thread, spins: SPINS };
      workers.push(startWorker(start, workerPath, { onError: die, onEnd }));
    }
  } catch (error) {
    die(new Error(`gradlab wasm-training: no worker thread can be started: ${(error as Error).message}`));
  }
  return {
    get threads() {
      return running ? threads : 1;
    },
    run(number, at, tasks, scratch, scratchBytes) {
      if (!running) return false;
      const sleeps = mayWait ? 1 : 0;
      if (exports.runTogether(control, number, at, tasks, scratch, scratchBytes, patience, sleeps) !== 0) {
        return true;
      }
      die(new Error("gradlab wasm-training: a worker thread did not end its task"));
      return false;
    },
    workers,
    helped: () => exports.helped(control),
    stop,
  };
}
