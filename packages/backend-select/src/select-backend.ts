import { platform } from "#platform";
import { messageOf } from "./backend-registry.js";
import { type CandidateName, type CandidateReport, candidateNames } from "./candidate.js";
import { NoBackendError } from "./no-backend-error.js";
import { quietly } from "./quiet.js";
import { type Outcome, type RunSettings, run } from "./run.js";

export interface SelectOptions {
  /** Tried before the others, in this order. */
  readonly prefer?: CandidateName | readonly CandidateName[];
  /** The candidates that count; all of this platform unless given. */
  readonly only?: CandidateName | readonly CandidateName[];
  /** Test gradients and a step of an optimizer too; true unless given. */
  readonly requireGradients?: boolean;
  /** Accept a GPU that is emulated on the processor (SwiftShader, llvmpipe): slower than WASM, good for tests; false unless given. */
  readonly allowSoftwareGpu?: boolean;
  /** Where the `.wasm` files of `@tensorflow/tfjs-backend-wasm` are: a folder, or a path for each name. Pages need it. */
  readonly wasmPaths?: string | Readonly<Record<string, string>>;
  /** The longest that one candidate may take to load and to pass, in ms; 20,000 unless given. */
  readonly timeoutMs?: number;
  /** Gives up, with the signal's reason as the error; tfjs is left as it was. */
  readonly signal?: AbortSignal;
  /**
   * Take the fastest of the candidates that pass instead of the first: small networks can be faster on the CPU than on
   * a GPU. `true` measures a small perceptron; a function is one step of your own, awaited, with tensors of its own.
   */
  readonly benchmark?: boolean | (() => unknown);
  /** Node: the folder from which optional packages are looked for, unless they are beside this one. */
  readonly resolveFrom?: string;
}

/** A backend that passed, and is set. */
export interface Selection {
  readonly backend: CandidateName;
  /** The GPU, as its driver names it; null where there is none or it is not known. */
  readonly device: string | null;
  /** Whether the GPU is emulated on the processor; null where there is none or it is not known. */
  readonly software: boolean | null;
  /** All candidates, in the order in which they were tried. */
  readonly candidates: readonly CandidateReport[];
  /** Resolves to the reason when the GPU fails later; every read of a WebGPU tensor rejects with it then. Null where there is no GPU. */
  readonly lost: Promise<Error> | null;
}

/**
 * Sets the best backend of this machine that computes what it should: each candidate is loaded, initialized and tested
 * (matMul, conv2d, maxPool of negative values and an embedding against constants, with their gradients and a step of
 * Adam), best first, until one passes. Gradients are installed, and on WASM the kernels that training needs.
 *
 * Node: tfjs-node-gpu on a CUDA device, webgpu (Dawn), tfjs-node, wasm, cpu. Browsers: webgpu, webgl, wasm, cpu. What a
 * candidate that fails has registered or defined is undone.
 *
 * @throws {NoBackendError} when none passes; it holds the reason of each.
 * @throws {TypeError | RangeError} when an option is not as stated.
 */
export async function selectBackend(options: SelectOptions = {}): Promise<Selection> {
  const { candidates, selected } = await runWith("selectBackend", options, true);
  if (selected === null) throw new NoBackendError("selectBackend", candidates);
  const { name, device, software } = selected.report;
  return { backend: name, device, software, candidates, lost: selected.lost };
}

export interface Diagnosis {
  /** All candidates, in the order in which they were tried. */
  readonly candidates: readonly CandidateReport[];
  /** What to install or to change to get a better one. */
  readonly advice: readonly string[];
}

/**
 * Tries every candidate, as `selectBackend` does the first ones: the one that it would pick is `selected` (and set),
 * others that pass are `usable`.
 *
 * @throws {TypeError | RangeError} when an option is not as stated.
 */
export async function doctor(options: SelectOptions = {}): Promise<Diagnosis> {
  const { candidates } = await runWith("doctor", options, false);
  const best = candidates.findIndex(({ status }) => status === "selected");
  const better = best < 0 ? candidates : candidates.slice(0, best);
  return { candidates, advice: better.flatMap((report) => platform.advise(report) ?? []) };
}

/** One run after the other: each changes what tfjs has for all. */
let last: Promise<unknown> = Promise.resolve();

function runWith(caller: string, options: SelectOptions, first: boolean): Promise<Outcome> {
  const settings = settingsOf(caller, options, first);
  const next = last.then(() => quietly(() => run(platform, settings)));
  last = next.catch((error: unknown) => messageOf(error));
  return next;
}

function settingsOf(caller: string, options: SelectOptions, first: boolean): RunSettings {
  const {
    prefer = [],
    only,
    requireGradients = true,
    allowSoftwareGpu = false,
    wasmPaths,
    timeoutMs = 20_000,
    signal,
    benchmark = false,
    resolveFrom,
  } = options;
  if (!(typeof timeoutMs === "number" && timeoutMs > 0)) {
    throw new RangeError(`${caller}: timeoutMs: expected a number above 0, got ${String(timeoutMs)}`);
  }
  if (typeof benchmark !== "boolean" && typeof benchmark !== "function") {
    throw new TypeError(`${caller}: benchmark: expected a boolean or a function, got ${String(benchmark)}`);
  }
  const preferred = namesOf(`${caller}: prefer`, prefer);
  const allowed = only === undefined ? candidateNames : namesOf(`${caller}: only`, only);
  if (allowed.length === 0)
    throw new RangeError(`${caller}: only: expected at least one candidate, got none`);
  const order = only === undefined ? candidateNames : allowed;
  return {
    candidates: [...new Set([...preferred, ...order])].filter((name) => allowed.includes(name)),
    gradients: requireGradients,
    allowSoftwareGpu,
    wasmPaths,
    timeoutMs,
    signal,
    first: first && benchmark === false,
    benchmark,
    resolveFrom,
  };
}

function namesOf(where: string, given: CandidateName | readonly CandidateName[]): readonly CandidateName[] {
  const names: readonly unknown[] = Array.isArray(given) ? given : [given];
  for (const name of names) {
    if (!(candidateNames as readonly unknown[]).includes(name)) {
      throw new RangeError(
        `${where}: expected one of ${candidateNames.join(", ")}, got ${JSON.stringify(name)}`,
      );
    }
  }
  return names as readonly CandidateName[];
}
