/** What the companion module exports. */
export interface CompanionExports {
  allFinite(from: number, count: number): number;
  runAlone(job: number, at: number, tasks: number, scratch: number): void;
  runTogether(
    control: number,
    job: number,
    at: number,
    tasks: number,
    scratch: number,
    scratchBytes: number,
    patience: bigint,
    mayWait: number,
  ): number;
  listen(control: number, thread: number, spins: number): void;
  helped(control: number): number;
  stop(control: number): void;
}

/** What tfjs leaves out of its types. */
export interface TfjsModule {
  readonly HEAPU8: Uint8Array;
  readonly wasmMemory?: WebAssembly.Memory;
  readonly asm: { readonly memory?: WebAssembly.Memory };
  _malloc(bytes: number): number;
  _free(at: number): void;
}

/** Threads beside this one that run the tasks of a job. */
export interface Helpers {
  /** How many threads there are, this one included: 1 when one of them has died. */
  readonly threads: number;
  /** Runs a job on all of them; false if one is gone, then the job must be run again. */
  run(job: number, at: number, tasks: number, scratch: number, scratchBytes: number): boolean;
}
