import { type CandidateName, candidateNames } from "./candidate.js";
import type { Platform } from "./platform.js";
import type { RunSettings } from "./run.js";

export interface SelectOptions {
  /** Candidates to try before the others, in this order; the others follow, best first. */
  readonly prefer?: CandidateName | readonly CandidateName[];
  /** The only candidates to try, in this order: if none of them passes, none is selected. Not with `prefer`. */
  readonly only?: CandidateName | readonly CandidateName[];
  /** Install the gradients of `@gradlab/core` and let the self-test compute some, default true. */
  readonly requireGradients?: boolean;
  /** Accept GPUs that are emulated on the CPU (SwiftShader, llvmpipe), default false. */
  readonly allowSoftwareGpu?: boolean;
  /**
   * Where the three `.wasm` files of `@tensorflow/tfjs-backend-wasm` are: a folder, or a path for
   * each file name. Node finds them by itself; pages need it.
   */
  readonly wasmPaths?: string | Readonly<Record<string, string>>;
  /** Time that each candidate has, in ms, default 20,000. A call that blocks the thread cannot be cut short. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /**
   * Try all candidates and take the fastest, default false: the time of one step of a small
   * perceptron, or of a step of your own, which may return a promise and disposes its tensors.
   */
  readonly benchmark?: boolean | (() => unknown);
  /** Node: a folder from which optional packages are looked up first; then from this package. */
  readonly resolveFrom?: string;
}

const list = (names: CandidateName | readonly CandidateName[] | undefined): readonly CandidateName[] =>
  names === undefined ? [] : typeof names === "string" ? [names] : names;

/**
 * Checks options and fills in defaults.
 *
 * @throws {RangeError} {TypeError} naming the caller and the option.
 */
export function runSettings(
  caller: string,
  options: SelectOptions,
  platform: Platform,
  first: boolean,
): RunSettings {
  const { prefer, only, requireGradients = true, allowSoftwareGpu = false, timeoutMs = 20_000 } = options;
  const { wasmPaths, signal, benchmark = false, resolveFrom } = options;
  for (const [option, value] of Object.entries({ prefer, only })) {
    for (const name of list(value)) {
      if (candidateNames.includes(name)) continue;
      throw new RangeError(
        `${caller}: ${option}: expected ${candidateNames.join(", ")}, got ${String(name)}`,
      );
    }
  }
  if (prefer !== undefined && only !== undefined) {
    throw new TypeError(`${caller}: prefer: expected none beside only, got ${list(prefer).join(", ")}`);
  }
  if (only !== undefined && list(only).length === 0) {
    throw new RangeError(`${caller}: only: expected at least one candidate, got none`);
  }
  for (const [option, value] of Object.entries({ requireGradients, allowSoftwareGpu })) {
    if (typeof value !== "boolean") {
      throw new TypeError(`${caller}: ${option}: expected a boolean, got ${String(value)}`);
    }
  }
  if (!(Number.isFinite(timeoutMs) && timeoutMs > 0)) {
    throw new RangeError(`${caller}: timeoutMs: expected a positive number, got ${String(timeoutMs)}`);
  }
  if (typeof benchmark !== "boolean" && typeof benchmark !== "function") {
    throw new TypeError(`${caller}: benchmark: expected a boolean or a function, got ${String(benchmark)}`);
  }
  const best = [...platform.candidates.keys()];
  const order = [...best, ...candidateNames.filter((name) => !best.includes(name))];
  const candidates = only === undefined ? [...list(prefer), ...order] : list(only);
  return {
    candidates: [...new Set(candidates)],
    gradients: requireGradients,
    allowSoftwareGpu,
    wasmPaths,
    resolveFrom,
    timeoutMs,
    signal,
    first: first && benchmark === false,
    benchmark,
  };
}
