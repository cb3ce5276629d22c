import type { CandidateName, CandidateReport, Diagnosis, SelectOptions } from "@gradlab/backend-select";
import type { CommonOptions } from "./command.js";
import { Failure, messageOf } from "./failure.js";
import type { Terminal } from "./terminal.js";

/** Where the tensors of a command live. */
export interface OpenedBackend {
  readonly name: CandidateName;
  readonly device: string | null;
  /** True where the device is emulated on the processor. */
  readonly software: boolean | null;
  /** What came of every candidate, in the order in which they were tried. */
  readonly candidates: readonly CandidateReport[];
}

export type BackendFlags = Pick<CommonOptions, "backend" | "allowSoftwareGpu">;

/**
 * Loads the backend that `--backend` names, or the best that passes its self-test: gradients work after it. Call it
 * when the first tensor is needed; tfjs is not loaded before.
 *
 * @throws {Failure} with exit code 4 and the reason of every candidate when none is usable.
 */
export async function openBackend(flags: BackendFlags, terminal: Terminal): Promise<OpenedBackend> {
  const { NoBackendError, selectBackend } = await loadSelection();
  try {
    const { backend, device, software, candidates } = await selectBackend(selectOptions(flags, terminal));
    return { name: backend, device, software, candidates: inFlags(candidates) };
  } catch (error) {
    if (!(error instanceof NoBackendError)) throw error;
    throw noBackend(flags, inFlags(error.candidates), error);
  }
}

/** The package that knows the backends, with tfjs told to keep its advertisements to itself. */
async function loadSelection(): Promise<typeof import("@gradlab/backend-select")> {
  const { enableProdMode } = await import("@tensorflow/tfjs-core");
  enableProdMode();
  return import("@gradlab/backend-select");
}

/** Tries every backend that the flags let be tried. */
export async function diagnose(
  flags: BackendFlags,
  terminal: Terminal,
  benchmark: boolean,
): Promise<Diagnosis> {
  const { doctor } = await loadSelection();
  const { candidates, advice } = await doctor({ ...selectOptions(flags, terminal), benchmark });
  return { candidates: inFlags(candidates), advice };
}

/** What the flags and the environment say to `selectBackend` and `doctor`. */
function selectOptions(flags: BackendFlags, { env, signal }: Terminal): SelectOptions {
  return {
    ...(flags.backend !== "auto" && { only: flags.backend }),
    requireGradients: true,
    allowSoftwareGpu: allowsSoftwareGpu(flags, env),
    signal,
    // A command that was fetched for one run finds what is installed where it runs.
    resolveFrom: process.cwd(),
  };
}

/** Reasons that speak of options, in words of the command line. */
function inFlags(candidates: readonly CandidateReport[]): CandidateReport[] {
  return candidates.map((report) => ({
    ...report,
    reason: report.reason?.replace("allowSoftwareGpu", "--allow-software-gpu") ?? null,
  }));
}

/** `--allow-software-gpu`, or the variable GRADLAB_ALLOW_SOFTWARE_GPU unless it is empty, 0 or false. */
export function allowsSoftwareGpu({ allowSoftwareGpu }: BackendFlags, env: Terminal["env"]): boolean {
  return allowSoftwareGpu || !["", "0", "false", undefined].includes(env.GRADLAB_ALLOW_SOFTWARE_GPU);
}

/** Exit code 4, in one line. */
export function noBackend(
  { backend }: BackendFlags,
  candidates: readonly CandidateReport[],
  cause?: unknown,
): Failure {
  const reasons = candidates.filter(({ status }) => status === "rejected" || status === "absent");
  const message =
    backend === "auto"
      ? `no usable backend: ${reasons.map(({ name, reason }) => `${name}: ${reason}`).join("; ")}`
      : `--backend ${backend}: ${reasons.find(({ name }) => name === backend)?.reason ?? messageOf(cause)}`;
  return new Failure("backend", message, { cause });
}

/** Exit code 4 where `doctor` found none that works. */
export function expectSelected(record: object, flags: BackendFlags): void {
  const { candidates } = record as { readonly candidates: readonly CandidateReport[] };
  if (!candidates.some(({ status }) => status === "selected")) throw noBackend(flags, candidates);
}
