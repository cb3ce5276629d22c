/** All that threads and SIMD need of Node; in a page everything here is undefined, false or without effect. */

/** Asked for at run time, so that bundlers for pages find nothing to resolve. */
const builtin = globalThis.process?.getBuiltinModule;

export const isNode = builtin !== undefined;

/** The module whose `Worker` starts threads. */
export const nodeThreads = (): typeof import("node:worker_threads") | undefined =>
  builtin?.("node:worker_threads");

/** How many threads the process may use; undefined in a page. */
export const nodeParallelism = (): number | undefined => builtin?.("node:os").availableParallelism();

/**
 * Node 20 has relaxed SIMD behind a flag that can be set at run time; browsers and later versions, which complain of a flag
 * that they do not know, simply have it.
 */
export function allowRelaxedSimd(): void {
  const [major = 0, minor = 0] = (globalThis.process?.versions?.v8 ?? "").split(".").map(Number);
  if (major !== 11 || minor >= 4) return;
  builtin?.("node:v8").setFlagsFromString("--experimental-wasm-relaxed-simd");
}

/** A warning of the process, or an error that the page reports. */
export function report(error: Error): void {
  if (isNode) globalThis.process.emitWarning(error);
  else globalThis.reportError(error);
}
