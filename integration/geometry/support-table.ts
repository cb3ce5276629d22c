/** What the README says of ops and backends, from the ops and from the lists of what fails. */
import { readFileSync } from "node:fs";
import { kinks } from "./kinks.js";
import lessExact from "./less-exact.json" with { type: "json" };
import type { GeometryOp } from "./op.js";
import { geometryOps } from "./ops.js";
import type { SurveyRow } from "./survey.js";

type Listed = Omit<SurveyRow, "example">;

const listed = (backend: string): readonly Listed[] =>
  JSON.parse(readFileSync(new URL(`results/${backend}.json`, import.meta.url), "utf8"));

/** Backends on which some ops fail, and how many cases of each op are run there. */
export const surveyed = { webgl: 3, webgpu: 3 } as const;

/** How many cases of each op run on cpu and wasm in continuous integration. */
export const RUNS = 100;

const name = (op: string) => `\`${op}\``;
const names = (ops: readonly { readonly name: string }[]) => ops.map((op) => name(op.name)).join(", ");

const cell = (op: string, rows: readonly Listed[]): string => {
  const own = rows.filter((row) => row.op === op);
  if (own.length === 0) return "right";
  return own
    .map(({ mode, kinds, failed, ran, says }) => {
      const message = says.length > 0 ? ` (${says.join("; ")})` : "";
      return `${mode} ${kinds} in ${failed} of ${ran}${message}`;
    })
    .join("; ");
};

/** The ops of which some case fails on some backend. */
export function failingOps(): string[][] {
  const lists = Object.keys(surveyed).map((backend) => listed(backend));
  const failing = geometryOps.filter((op) => lists.some((rows) => rows.some((row) => row.op === op.name)));
  return [
    ["op", "cpu", "wasm", ...Object.keys(surveyed)],
    ...failing.map((op) => [
      name(op.name),
      "right",
      !op.on || op.on.includes("wasm") ? "right" : "refused",
      ...lists.map((rows) => cell(op.name, rows)),
    ]),
  ];
}

const failsSomewhere = (op: GeometryOp): boolean =>
  Object.keys(surveyed).some((backend) => listed(backend).some((row) => row.op === op.name));

/** How many cases run of which ops, and the ops that are right wherever they run. */
export function rightOps(): string {
  const right = geometryOps.filter((op) => !failsSomewhere(op));
  const trained = right.filter((op) => !op.noGradient && !op.on);
  const forward = right.filter((op) => op.noGradient);
  const elsewhere = right.filter((op) => op.on && !op.noGradient);
  const second = geometryOps.filter((op) => op.second);
  return [
    `Of each of ${geometryOps.length} ops ${RUNS} random cases run on cpu and as many on wasm, for the value, again for the gradient, and again for second derivatives where they are checked; on WebGL ${surveyed.webgl}, on WebGPU ${surveyed.webgpu}.`,
    `Right on every backend, value and gradient: ${names(trained)}.`,
    `Right on every backend, and without a gradient to check: ${names(forward)}.`,
    `Right, and refused on wasm, which has no complex numbers: ${names(elsewhere)}.`,
    `Second derivatives, on cpu and wasm: ${names(second)}.`,
  ].join("\n\n");
}

/** What generators leave out. */
export function leftOut(): string[][] {
  const reasons = new Map<string, string[]>();
  for (const op of geometryOps) {
    for (const reason of op.leavesOut ?? [])
      reasons.set(reason, [...(reasons.get(reason) ?? []), name(op.name)]);
  }
  return [["what", "of"], ...[...reasons].map(([reason, ops]) => [reason, ops.join(", ")])];
}

/** Why there is no gradient to compare. */
export function withoutGradient(): string[][] {
  const reasons = new Map<string, string[]>();
  for (const op of geometryOps) {
    if (op.noGradient) reasons.set(op.noGradient, [...(reasons.get(op.noGradient) ?? []), name(op.name)]);
  }
  return [["because", "ops"], ...[...reasons].map(([reason, ops]) => [reason, ops.join(", ")])];
}

/** Where a backend promises less than 1e-5. */
export const lessExactOps = (): string[][] => [
  ["ops", "backends", "allowed", "because"],
  ...lessExact.map(({ ops, on, relative, because }) => [
    ops.map(name).join(", "),
    on.join(", "),
    String(relative),
    because,
  ]),
];

/** Which slope comes out at a kink. */
export const kinkSlopes = (): string[][] => [
  ["function", "at", "slopes"],
  ...kinks.map(({ what, at, slopes }) => [what, at.join(", "), slopes.join(", ")]),
];
