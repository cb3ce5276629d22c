/** Runs random cases of an op on a backend and shrinks what fails. */
import { engine, getBackend, registerBackend, removeBackend, setBackend } from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { trainedInputs } from "./along.js";
import { checkCase, type Mode } from "./check-case.js";
import type { Failure } from "./failure.js";
import type { GeometryCase, GeometryOp } from "./op.js";
import { pasteable } from "./pasteable.js";

export interface GeometryOptions {
  readonly runs: number;
  readonly seed: number;
  /** Allowed error in units of a tensor's largest value, if not 1e-5. */
  readonly relative?: number | undefined;
}

export interface GeometryOutcome {
  /** Cases that ran before the first failure, or all of them. */
  readonly ran: number;
  /** The smallest case found that fails. */
  readonly failing?: { readonly opCase: GeometryCase; readonly failure: Failure };
}

/** For an op in milliseconds, shrinking included. What ran until then is counted. */
const TIME_LIMIT = 600_000;

/** A backend whose memory may be damaged goes; a fresh one takes its place. */
async function renew(backend: string): Promise<void> {
  const { factory, priority } = engine().registryFactory[backend]!;
  try {
    removeBackend(backend);
  } catch {
    // It cannot even let go of its memory any more.
    delete engine().registry[backend];
    delete engine().registryFactory[backend];
  }
  registerBackend(backend, factory as () => never, priority);
  await setBackend(backend);
}

/** At a kink there is no second derivative: no two elements are the same, none is 0, nor 6, where `relu6` bends. */
const isSmooth = ({ inputs }: GeometryCase): boolean => {
  const all = inputs.flatMap(({ values }) => values);
  return new Set(all).size === all.length && !all.includes(0) && !all.includes(6);
};

/** The cases of an op that a mode can check. */
export const casesFor = (op: GeometryOp, mode: Mode): fc.Arbitrary<GeometryCase> => {
  if (mode === "value") return op.cases;
  const trained = op.cases.filter((c) => trainedInputs(op, c).length > 0);
  return mode === "second" && op.kinks ? trained.filter(isSmooth) : trained;
};

/** Checks `runs` random cases of an op on a backend: `seed` and the op's name determine them. */
export async function geometry(
  backend: string,
  mode: Mode,
  op: GeometryOp,
  { runs, seed, relative }: GeometryOptions,
): Promise<GeometryOutcome> {
  if (getBackend() !== backend && !(await setBackend(backend)))
    throw new Error(`geometry: no backend ${backend}`);
  let last: { opCase: GeometryCase; failure: Failure } | undefined;
  const cases = casesFor(op, mode);
  const details = await fc.check(
    fc.asyncProperty(cases, async (opCase) => {
      const failure = await checkCase(op, opCase, mode, relative);
      if (failure === null) return true;
      last = { opCase, failure };
      // Whatever failed may have written where it should not.
      if (backend === "wasm" || failure.kind === "leaks") await renew(backend);
      return false;
    }),
    {
      numRuns: runs,
      seed,
      endOnFailure: false,
      interruptAfterTimeLimit: TIME_LIMIT,
      markInterruptAsFailure: false,
    },
  );
  const ran = details.numRuns;
  return details.failed && last ? { ran, failing: last } : { ran };
}

/** A failing case as text: what fails, and the case to paste into a test. */
export function describeFailure(
  backend: string,
  mode: Mode,
  op: GeometryOp,
  { opCase, failure }: NonNullable<GeometryOutcome["failing"]>,
): string {
  return `${backend}: ${mode} of ${op.name} ${failure.kind}: ${failure.detail}\n  { op: ${JSON.stringify(op.name)}, ${pasteable(opCase)} }`;
}
