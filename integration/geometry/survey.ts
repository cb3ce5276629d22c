/** Counts what fails of an op's random cases on a backend that is not right everywhere. */
import fc from "fast-check";
import { checkCase, type Mode } from "./check-case.js";
import type { Failure } from "./failure.js";
import { casesFor, type GeometryOptions } from "./geometry.js";
import type { GeometryCase, GeometryOp } from "./op.js";
import { pasteable } from "./pasteable.js";

/** What fails of one op: how many of how many cases, of which kinds, and one of the smallest. */
export interface SurveyRow {
  readonly op: string;
  readonly mode: Mode;
  readonly ran: number;
  readonly failed: number;
  readonly kinds: string;
  /** What it says where it throws. */
  readonly says: readonly string[];
  readonly example: string;
}

const sizeOf = ({ inputs }: GeometryCase): number => inputs.reduce((n, { values }) => n + values.length, 0);

/** The beginning of a message, before the shapes of a case. */
const firstWords = (message: string): string =>
  message
    .split(/[\n([:;]| \d/)[0]!
    .trim()
    .slice(0, 80);

/** Runs random cases of an op on the current backend, without shrinking; null if all are right. */
export async function survey(
  mode: Mode,
  op: GeometryOp,
  { runs, seed, relative }: GeometryOptions,
): Promise<SurveyRow | null> {
  const failures: { opCase: GeometryCase; failure: Failure }[] = [];
  for (const opCase of fc.sample(casesFor(op, mode), { numRuns: runs, seed })) {
    const failure = await checkCase(op, opCase, mode, relative);
    if (failure) failures.push({ opCase, failure });
  }
  if (failures.length === 0) return null;
  failures.sort((a, b) => sizeOf(a.opCase) - sizeOf(b.opCase));
  const { opCase, failure } = failures[0]!;
  return {
    op: op.name,
    mode,
    ran: runs,
    failed: failures.length,
    kinds: [...new Set(failures.map(({ failure: { kind } }) => kind))].sort().join(", "),
    says: [
      ...new Set(
        failures
          .filter(({ failure: { kind } }) => kind === "throws")
          .map(({ failure: { detail } }) => firstWords(detail)),
      ),
    ].sort(),
    example: `${pasteable(opCase).slice(0, 400)}: ${failure.detail.slice(0, 300)}`,
  };
}
