/** Surveys every op on a backend, for its list in `results/`. */
import type { Mode } from "./check-case.js";
import lessExact from "./less-exact.json" with { type: "json" };
import { geometryOps } from "./ops.js";
import { type SurveyRow, survey } from "./survey.js";

/** Ops for which a backend promises less than 1e-5, and what it promises. */
interface LessExact {
  readonly ops: readonly string[];
  readonly on: readonly string[];
  readonly relative: number;
  readonly because: string;
}

/** The seed of the lists: another one would find other cases. */
export const LIST_SEED = 20240607;

const allowed = (op: string, backend: string): number | undefined =>
  (lessExact as readonly LessExact[]).find(({ ops, on }) => ops.includes(op) && on.includes(backend))
    ?.relative;

/** Values and gradients of `runs` random cases of every op on the current backend: a row for each that fails. */
export async function surveyBackend(
  backend: string,
  runs: number,
  {
    only,
    modes = ["value", "gradient"],
  }: { only?: readonly string[] | undefined; modes?: readonly Mode[] } = {},
): Promise<SurveyRow[]> {
  const rows: SurveyRow[] = [];
  for (const op of geometryOps) {
    if (only && !only.includes(op.name)) continue;
    for (const mode of modes) {
      if (mode !== "value" && op.noGradient) continue;
      if (mode === "second" && !op.second) continue;
      const row = await survey(mode, op, { runs, seed: LIST_SEED, relative: allowed(op.name, backend) });
      if (row) rows.push(row);
    }
  }
  return rows;
}

/** The rows as a file: one line each, so that a change is seen. */
export const rowsJson = (rows: readonly SurveyRow[]): string =>
  `[\n${rows.map(({ example: _, ...row }) => `  ${JSON.stringify(row)}`).join(",\n")}\n]\n`;
