import type { Table } from "./study.js";

/** Numbers, or null where a value does not exist: `[n, jump, size]`, rows of a matrix, … */
export type Value = number | null | readonly Value[];

/** A known value beside the computed one. */
export interface Check {
  readonly name: string;
  readonly known: Value;
  readonly got: Value;
  /** Largest absolute difference allowed, for every number. */
  readonly tolerance: number;
  readonly ok: boolean;
}

/** Compares a computed value with a known one, number by number. */
export function check(name: string, known: Value, got: Value, tolerance = 0): Check {
  return { name, known, got, tolerance, ok: agrees(known, got, tolerance) };
}

function agrees(known: Value, got: Value, tolerance: number): boolean {
  if (Array.isArray(known)) {
    const rows: readonly Value[] = known;
    return (
      Array.isArray(got) &&
      got.length === rows.length &&
      rows.every((value, i) => agrees(value, got[i], tolerance))
    );
  }
  if (typeof known !== "number" || typeof got !== "number") return known === got;
  return Math.abs(known - got) <= tolerance;
}

/** Values beside each other. */
export function checkTable(checks: readonly Check[]): Table {
  const show = (value: unknown) =>
    JSON.stringify(value, (_, entry) => (typeof entry === "number" ? Number(entry.toPrecision(5)) : entry));
  return {
    columns: [
      { title: "value" },
      { title: "known" },
      { title: "computed" },
      { title: "tolerance", align: "right" },
      { title: "verdict" },
    ],
    rows: checks.map(({ name, known, got, tolerance, ok }) => [
      name,
      show(known),
      show(got),
      `${tolerance}`,
      ok ? "agrees" : "DIFFERS",
    ]),
    notes: [],
  };
}

/** The values that differ, in a line; null where all agree. */
export function checkVerdict(checks: readonly Check[]): string | null {
  const failed = checks.filter(({ ok }) => !ok);
  if (failed.length === 0) return null;
  const verb = failed.length === 1 ? "value differs" : "values differ";
  return `${failed.length} ${verb}: ${failed.map(({ name }) => name).join("; ")}`;
}
