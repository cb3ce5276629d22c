import type { CandidateReport } from "@gradlab/backend-select";
import type { Check, Value } from "@gradlab/studies";
import type { ExperimentResult, LeftOut, Reproduced } from "../reproduce.js";
import { courseSection } from "./course-index.js";
import { escapeHtml, factsHtml, figureHtml, page } from "./page.js";

/** `report.json`. */
export interface Report {
  readonly seed: number;
  readonly backend: {
    readonly requested: string;
    /** What was loaded; null where the experiments needed none. */
    readonly actual: string | null;
    readonly device: string | null;
    readonly software: boolean | null;
  };
  readonly versions: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
  /** What came of every backend, where one was needed. */
  readonly candidates: readonly CandidateReport[];
  readonly experiments: readonly ExperimentResult[];
  /** Those whose files were missing. */
  readonly leftOut: readonly LeftOut[];
}

/** The report as one file: figures, known and computed values, versions, and how to repeat it. */
export function reportHtml(
  report: Report,
  shown: readonly Reproduced[],
  { command, document }: { readonly command: string; readonly document: Document },
): string {
  const checks = report.experiments.flatMap((experiment) => experiment.checks);
  const failed = checks.filter(({ ok }) => !ok).length;
  const seconds = report.experiments.reduce((sum, experiment) => sum + experiment.seconds, 0);
  const verdict =
    failed === 0
      ? `All ${checks.length} known values reproduced`
      : `${failed} of ${checks.length} known values not reproduced`;
  return page({
    title: verdict,
    data: report,
    main: `<h1>Known results, reproduced</h1>
<p class="soft">Every value below was computed again by gradlab and compared with the one that is known.</p>
<div class="verdict ${failed === 0 ? "good" : "bad"}"><span class="mark">${failed === 0 ? "✓" : "✗"}</span>
<div><strong>${escapeHtml(verdict)}</strong><br><span class="soft">${counted(report.experiments.length, "experiment")}, ${seconds.toFixed(1)} seconds${report.leftOut.length === 0 ? "" : `, ${report.leftOut.length} left out`}</span></div></div>
${report.warnings.length === 0 ? "" : `<div class="warnings">${report.warnings.map((warning) => `<p>${escapeHtml(warning)}</p>`).join("")}</div>`}
<nav aria-label="Experiments"><ol>
${[...shown.map(contentsLine), ...report.leftOut.map(leftOutLine)].join("\n")}
</ol></nav>
${shown.map((one) => section(one, document)).join("\n")}
${courseSection(shown, anchor)}
<section>
<h2>How this was made</h2>
<p>The same command with the same seed computes the same values${report.backend.actual === null ? "" : "; on another backend, the same up to rounding"}.</p>
<pre>${escapeHtml(command)}</pre>
<dl>
<dt>seed</dt><dd>${report.seed}</dd>
${backendRows(report.backend)}
${factsHtml(report.versions)}
</dl>
${candidateTable(report.candidates)}
</section>`,
  });
}

function backendRows({ requested, actual, device, software }: Report["backend"]): string {
  const rows = [
    ["backend asked for", requested === "auto" ? "auto (the best that passes its self-test)" : requested],
    ["backend used", actual ?? "none: nothing was computed with tensors"],
    ...(device === null ? [] : [["device", device]]),
    ...(software === null ? [] : [["emulated in software", software ? "yes" : "no"]]),
  ];
  return rows.map(([name, value]) => `<dt>${name}</dt><dd>${escapeHtml(value!)}</dd>`).join("\n");
}

/** What came of every backend, where one was needed. */
function candidateTable(candidates: readonly CandidateReport[]): string {
  if (candidates.length === 0) return "";
  return `<div class="scroll"><table>
<thead><tr><th>backend</th><th>status</th><th>self-test</th><th>reason</th></tr></thead>
<tbody>
${candidates
  .map(
    ({ name, status, milliseconds, reason }) =>
      `<tr><td>${name}</td><td>${status}</td><td class="number">${milliseconds === null ? "–" : `${Math.round(milliseconds)} ms`}</td><td>${escapeHtml(reason ?? "")}</td></tr>`,
  )
  .join("\n")}
</tbody></table></div>`;
}

function contentsLine({ result, experiment }: Reproduced): string {
  const agreeing = result.checks.filter(({ ok }) => ok).length;
  const good = agreeing === result.checks.length;
  return `<li class="${good ? "good" : "bad"}"><span class="mark">${good ? "✓" : "✗"}</span><a href="#${anchor(result.id)}">${escapeHtml(experiment.title)}</a><span>${agreeing} of ${result.checks.length}</span></li>`;
}

const leftOutLine = ({ title }: LeftOut) =>
  `<li><span class="mark soft">–</span><span class="soft">${escapeHtml(title)}</span><span>left out</span></li>`;

function section({ experiment, result, record }: Reproduced, document: Document): string {
  const figures = experiment.figures(record, { document });
  return `<section id="${anchor(result.id)}">
<header><h2>${escapeHtml(experiment.title)}</h2><span class="id">${escapeHtml(result.id)}${result.backend === null ? "" : ` · ${result.backend}`} · ${result.seconds.toFixed(1)} s</span></header>
<p>${escapeHtml(experiment.about)}</p>
${figures.map(figureHtml).join("\n")}
<details open><summary>${counted(result.checks.length, "value")}</summary>
<div class="scroll"><table>
<thead><tr><th>value</th><th>known</th><th>computed</th><th>verdict</th></tr></thead>
<tbody>
${result.checks.map(checkRow).join("\n")}
</tbody></table></div></details>
</section>`;
}

function checkRow({ name, known, got, tolerance, ok }: Check): string {
  const allowed = tolerance === 0 ? "" : `<span class="tolerance">± ${tolerance}</span>`;
  return `<tr><td>${escapeHtml(name)}</td><td class="number">${showValue(known)}${allowed}</td><td class="number">${showValue(got)}</td><td class="${ok ? "good" : "bad"}">${ok ? "✓ agrees" : "✗ differs"}</td></tr>`;
}

/** Numbers side by side; the rows of a matrix below each other. */
function showValue(value: Value): string {
  if (value === null) return "none";
  if (typeof value === "number") return showNumber(value);
  if (value.some((entry) => Array.isArray(entry))) {
    return value.map(showRow).join("<br>");
  }
  return `<span class="list">${value.map(showValue).join(" ")}</span>`;
}

const showRow = (row: Value): string => (Array.isArray(row) ? row.map(showValue).join(" ") : showValue(row));

/** Seven digits, or three of what is next to nothing: a rounding error. */
function showNumber(value: number): string {
  const digits = Math.abs(value) < 1e-5 ? 3 : 7;
  const text = Number.isInteger(value) ? `${value}` : `${Number(value.toPrecision(digits))}`;
  return text.replace("-", "−");
}

const counted = (count: number, noun: string) => `${count} ${noun}${count === 1 ? "" : "s"}`;

const anchor = (id: string) => id.replaceAll(/[^a-z0-9]+/g, "-");
