import { readFileSync } from "node:fs";
import { known, opCases } from "./op-cases.js";
import { type BackendName, expected, type OpCase, type Part, parts, type Verdict } from "./op-parity.js";

const backends: readonly BackendName[] = ["cpu", "wasm", "webgl", "webgpu", "tensorflow"];

type Alone = Readonly<Record<string, Readonly<Partial<Record<Part, Verdict>>>>>;

const alone = Object.fromEntries(
  backends.map((backend) => [
    backend,
    JSON.parse(readFileSync(new URL(`alone/${backend}.json`, import.meta.url), "utf8")) as Alone,
  ]),
) as Record<BackendName, Alone>;

const ops = [...new Set(opCases.map(({ op }) => op))];
const casesOf = (op: string) => opCases.filter((opCase) => opCase.op === op);

/** "gradient missing in 2 of 5"; empty when all are right. */
function failures(part: Part, verdicts: readonly Verdict[]): string {
  return (["wrong", "missing"] as const)
    .map((is) => {
      const count = verdicts.filter((verdict) => verdict === is).length;
      if (count === 0) return "";
      return `${part} ${is}${count < verdicts.length ? ` in ${count} of ${verdicts.length}` : ""}`;
    })
    .filter((text) => text !== "")
    .join(", ");
}

function cell(cases: readonly OpCase[], backend: BackendName): string {
  const texts = parts.flatMap((part) => {
    const before = cases.map(({ name }) => alone[backend][name]?.[part] ?? "right");
    const after = cases.map((opCase) => expected(known, opCase, backend, part).is);
    const [was, is] = [failures(part, before), failures(part, after)];
    if (was === "") return is === "" ? [] : [`right → ${is}`];
    return [was === is ? `**${is}**` : `${was} → ${is === "" ? "right" : `**${is}**`}`];
  });
  return texts.length === 0 ? "right" : texts.join("; ");
}

/** The ops that some backend has not right, with tfjs alone → with this project's packages. */
export function supportTable(): string[][] {
  return [
    ["op", ...backends],
    ...ops
      .map((op) => [`\`${op}\``, ...backends.map((backend) => cell(casesOf(op), backend))])
      .filter(([, ...cells]) => cells.some((text) => text !== "right")),
  ];
}

/** The ops that are right in every case on every backend, with their gradients or, where there are none, by value. */
export function rightEverywhere(): string {
  const right = ops.filter((op) => backends.every((backend) => cell(casesOf(op), backend) === "right"));
  const list = (names: readonly string[]) => names.map((op) => `\`${op}\``).join(", ");
  const forward = right.filter((op) => casesOf(op).every((opCase) => opCase.forward));
  const trained = right.filter((op) => !forward.includes(op));
  return `Right everywhere, value and gradient: ${list(trained)}.\n\nRight everywhere, and without a gradient in tfjs: ${list(forward)}.`;
}

/** Why something is not right, or less exact than elsewhere. */
export function reasons(): string[][] {
  return [
    ["case", "backends", "what", "because"],
    ...known.map(({ cases, on, parts, is, tolerance, because }) => [
      cases.map((name) => `${name}`).join("; "),
      on.join(", "),
      `${parts.join(" and ")} ${is ?? `within ${tolerance}`}`,
      because,
    ]),
  ];
}
