/**
 * The companion module on the memory of a WASM backend: jobs are run in place
 * on tfjs's tensors, by this thread and by the workers that listen.
 */
import { costs } from "../costs.js";
import type { BackendWasm } from "../heap.js";
import type { CompanionExports, Helpers, TfjsModule } from "./companion-module.js";
import { type Binary, compileCompanion } from "./compile-companion.js";
import { type RunningHelpers, startHelpers } from "./helpers.js";

/** Jobs by the numbers of `assembly/jobs.ts`. */
export const job = {
  pack: 0,
  product: 1,
  packFilter: 2,
  convolve: 3,
  filterGradient: 4,
  packTurned: 5,
  inputGradient: 6,
  softmax: 7,
  unary: 8,
  crossEntropy: 9,
  crossEntropyGradient: 10,
  adam: 11,
  embed: 12,
  embedGradient: 13,
  batchNormSums: 14,
  batchNormStatistics: 15,
  batchNorm: 16,
  batchNormGradientSums: 17,
  batchNormCoefficients: 18,
  batchNormGradient: 19,
  lstmPack: 20,
  lstmStep: 21,
  lstmPackTurned: 22,
  lstmBack: 23,
  pairs: 24,
  select: 25,
  reduce: 26,
  reduceFinish: 27,
  maxPool: 28,
  averagePool: 29,
  maxPoolGradient: 30,
  averagePoolGradient: 31,
  depthwiseFilter: 32,
  depthwiseInput: 33,
  thin: 34,
  packSpread: 35,
  spread: 36,
  softmaxGradient: 37,
  gelu: 38,
  geluGradient: 39,
  layerNorm: 40,
  layerNormGradient: 41,
  layerNormFinish: 42,
  gruPack: 43,
  gruStep: 44,
  gruPackTurned: 45,
  gruBack: 46,
  sgd: 47,
  widen: 48,
  packGradient: 49,
  addParts: 50,
  filterRows: 51,
  addRowParts: 52,
} as const;

const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);

/** The 32 bits of a number as float32, for a record. */
export function floatWord(value: number): number {
  float[0] = value;
  return word[0]!;
}

/** What tasks are cut to, where nothing is said. */
const TASK_NANOSECONDS = 10_000;

/** A record and some scratch: what a small job needs. */
const SMALL_BYTES = 2 ** 14;

export class Companion {
  #small: number | undefined;
  #smallInUse = false;
  #words: Uint32Array = new Uint32Array(0);
  readonly #module: TfjsModule;
  readonly #exports: CompanionExports;
  #helpers: Helpers | undefined;

  constructor(module: TfjsModule, exports: CompanionExports, helpers?: Helpers) {
    this.#module = module;
    this.#exports = exports;
    this.#helpers = helpers;
  }

  get threads(): number {
    return this.#helpers?.threads ?? 1;
  }

  /** Uninitialized memory of the heap, until `free`; it may move every view of the heap. */
  allocate(bytes: number): number {
    // As unsigned: above 2 GB the address is negative.
    const at = this.#module._malloc(bytes) >>> 0;
    if (at === 0) throw new Error(`wasm-training: the WASM heap has no room for ${bytes} bytes more`);
    return at;
  }

  free(at: number): void {
    this.#module._free(at);
  }

  /** Gives back what it keeps. */
  close(): void {
    if (this.#small !== undefined) this.free(this.#small);
    this.#small = undefined;
  }

  /** Memory until `use` returns: a small piece is always the same one. */
  borrow(bytes: number, use: (at: number) => void): void {
    const small = bytes <= SMALL_BYTES && !this.#smallInUse;
    if (small) this.#small ??= this.allocate(SMALL_BYTES);
    const at = small ? this.#small! : this.allocate(bytes);
    this.#smallInUse ||= small;
    try {
      use(at);
    } finally {
      if (small) this.#smallInUse = false;
      else this.free(at);
    }
  }

  /** All of the heap, as unsigned numbers: addresses above 2 GB too. */
  get #view(): Uint32Array {
    const { buffer } = this.#module.HEAPU8;
    if (this.#words.buffer !== buffer) this.#words = new Uint32Array(buffer);
    return this.#words;
  }

  /** Writes 32-bit words (a record, a list) to the heap. */
  write(at: number, words: ArrayLike<number>): void {
    this.#view.set(words, at / 4);
  }

  /** One 32-bit word of the heap. */
  read(at: number): number {
    return this.#view[at / 4]!;
  }

  /** Whether none of `count` float32 numbers is infinite or NaN. */
  allFinite(at: number, count: number): boolean {
    return this.#exports.allFinite(at, count) !== 0;
  }

  /** Copies bytes within the heap. */
  copy(to: number, from: number, bytes: number): void {
    this.#module.HEAPU8.copyWithin(to, from, from + bytes);
  }

  /**
   * Runs all tasks of a job with its record in memory.
   *
   * @param scratch Memory of every thread, `scratchBytes` for each.
   * @param nanoseconds About how long the job takes one thread: short ones are not worth waking another.
   */
  run(
    number: number,
    record: number,
    tasks: number,
    scratch: number,
    scratchBytes: number,
    nanoseconds = tasks * TASK_NANOSECONDS,
  ): void {
    const helpers = tasks > 1 && nanoseconds >= costs.companion.worth ? this.#helpers : undefined;
    if (helpers?.run(number, record, tasks, scratch, scratchBytes)) return;
    // A worker that died in the middle leaves no half result: a task can be done twice.
    if (helpers !== undefined) this.#helpers = undefined;
    this.#exports.runAlone(number, record, tasks, scratch);
  }
}

/** What `enableWasmTraining` decided; undefined: no companion. */
export interface CompanionSettings {
  /** Threads wherever the memory is shared, this one included. */
  readonly threads: number;
  readonly binaries: readonly Binary[];
  readonly workerPath?: string | undefined;
  readonly onDeath: (error: Error) => void;
}

let settings: CompanionSettings | undefined;
interface Started {
  readonly companion: Companion;
  readonly helpers: RunningHelpers | undefined;
  readonly compiled: WebAssembly.Module;
  /** Those that it was last asked for with. */
  readonly settings: CompanionSettings;
}

const companions = new Map<TfjsModule, Started>();

export function useCompanion(next: CompanionSettings | undefined): void {
  settings = next;
}

/** Ends the worker threads of all backends; what runs afterwards runs on one thread. */
export function stopCompanions(): void {
  for (const started of companions.values()) end(started);
  companions.clear();
  if (settings !== undefined) settings = { ...settings, threads: 1 };
}

const memoryOf = (module: TfjsModule): WebAssembly.Memory | undefined =>
  module.wasmMemory ?? module.asm.memory;

export function hasSharedMemory(backend: BackendWasm): boolean {
  const memory = memoryOf(backend.wasm as unknown as TfjsModule);
  return memory !== undefined && !(memory.buffer instanceof ArrayBuffer);
}

/** The worker threads of all backends. */
export function allHelpers(): RunningHelpers[] {
  return [...companions.values()].flatMap(({ helpers }) => helpers ?? []);
}

/** How many threads the companion of a backend has, if more than one; undefined if it has not started, or may start anew. */
export function companionThreads(backend: BackendWasm): number | undefined {
  const started = companions.get(backend.wasm as unknown as TfjsModule);
  return started === undefined || isAlone(started) ? undefined : started.companion.threads;
}

/** The companion of a backend, started when it is first asked for; undefined where it cannot run or is not wanted. */
export function companionOf(backend: BackendWasm): Companion | undefined {
  if (settings === undefined) return undefined;
  const module = backend.wasm as unknown as TfjsModule;
  const started = companions.get(module);
  if (started !== undefined && started.settings === settings) return started.companion;
  return startAgain(module, settings, started).companion;
}

function end({ companion, helpers }: Started): void {
  helpers?.stop();
  companion.close();
}

/** Whether it never had other threads, or one of them has died. */
const isAlone = ({ companion }: Started): boolean => companion.threads === 1;

/** Starts the companion, or keeps the one that runs if it is of the binary that is wanted now and has the threads. */
function startAgain(module: TfjsModule, settings: CompanionSettings, started: Started | undefined): Started {
  const fits = started !== undefined && started.compiled === compileFor(module, settings)?.module;
  const kept = fits && (settings.threads === 1 || !isAlone(started)) ? started : undefined;
  if (kept === undefined && started !== undefined) end(started);
  const next = { ...(kept ?? start(module, settings)), settings };
  companions.set(module, next);
  return next;
}

function compileFor(module: TfjsModule, { binaries }: CompanionSettings) {
  const isShared = !(memoryOf(module)?.buffer instanceof ArrayBuffer);
  return compileCompanion(isShared ? "shared" : "own", binaries);
}

function start(module: TfjsModule, settings: CompanionSettings): Omit<Started, "settings"> {
  const { threads, workerPath, onDeath } = settings;
  const memory = memoryOf(module);
  if (memory === undefined) throw new Error("wasm-training: tfjs's module shows no memory");
  const compiled = compileFor(module, settings)?.module;
  if (compiled === undefined) throw new Error("wasm-training: this engine has no SIMD");
  const instance = new WebAssembly.Instance(compiled, { env: { memory } });
  const exports = instance.exports as unknown as CompanionExports;
  const isShared = !(memory.buffer instanceof ArrayBuffer);
  const helpers =
    isShared && threads > 1
      ? startHelpers({ module, memory, compiled, exports, threads, workerPath, onDeath })
      : undefined;
  return { companion: new Companion(module, exports, helpers), helpers, compiled };
}
