/** Worker threads that run the tasks of a job beside the thread that asks for it. */
import type { CompanionExports, Helpers, TfjsModule } from "./companion-module.js";
import { isNode, nodeThreads } from "./node-parts.js";
import { workerSource } from "./worker-source.js";

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
  /** Called once when a worker has died. */
  readonly onDeath: (error: Error) => void;
}

function startWorker(start: Start, path: string | undefined, onDeath: (error: Error) => void): AnyWorker {
  const node = nodeThreads();
  const name = `gradlab wasm-training, thread ${start.thread}`;
  if (node !== undefined) {
    const worker = new node.Worker(workerSource, { eval: true, workerData: start, name, stdout: false });
    worker.unref();
    worker.on("error", (error) => onDeath(new Error(`${name}: ${(error as Error).message}`)));
    worker.on("exit", () => onDeath(new Error(`${name}: it has ended`)));
    return worker;
  }
  const own = path === undefined ? URL.createObjectURL(new Blob([workerSource])) : undefined;
  const page = globalThis as unknown as {
    Worker: new (
      url: string,
      options: object,
    ) => AnyWorker & {
      onerror: ((event: { message?: string }) => void) | null;
      postMessage(message: Start): void;
    };
  };
  const worker = new page.Worker(path ?? own!, { name });
  worker.onerror = ({ message }) => onDeath(new Error(`${name}: ${message ?? "its script did not load"}`));
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
  const { module, memory, compiled, exports, threads, workerPath, onDeath } = options;
  const memoryAt = module._malloc(CONTROL_BYTES) >>> 0;
  const control = Math.ceil(memoryAt / 64) * 64;
  new Uint32Array(memory.buffer, control, 16).fill(0);
  let running = true;
  const die = (error: Error) => {
    if (!running) return;
    running = false;
    onDeath(error);
  };
  const workers = Array.from({ length: threads - 1 }, (_, i) =>
    startWorker({ module: compiled, memory, control, thread: i + 1, spins: SPINS }, workerPath, die),
  );
  return {
    threads,
    run(number, at, tasks, scratch, scratchBytes) {
      if (!running) return false;
      const ended = exports.runTogether(
        control,
        number,
        at,
        tasks,
        scratch,
        scratchBytes,
        PATIENCE,
        mayWait ? 1 : 0,
      );
      if (ended !== 0) return true;
      die(new Error("gradlab wasm-training: a worker thread did not end its task"));
      return false;
    },
    workers,
    helped: () => exports.helped(control),
    stop() {
      running = false;
      exports.stop(control);
      for (const worker of workers) worker.terminate();
      // The memory stays: a worker that is still on its way out may read it.
    },
  };
}
