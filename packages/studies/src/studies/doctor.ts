import type { CandidateReport } from "@gradlab/backend-select";
import { defineStudy } from "../declaration/study.js";
import { lines } from "../declaration/wording.js";

export interface DoctorRecord {
  readonly candidates: readonly CandidateReport[];
  readonly advice: readonly string[];
}

export const doctor = defineStudy({
  name: "doctor",
  help: "which backends work on this machine, and why the others do not",
  options: {
    benchmark: {
      kind: "flag",
      help: "prefer the fastest at training a small network, instead of the usual order",
    },
  },
  about: `Every backend must load, compute and differentiate what it is asked to before it counts as usable. The time is what
that took; with --benchmark, the step is one of a small network. Exit code 4 when none is usable.`,
  examples: ["doctor", "doctor --backend webgpu --allow-software-gpu", "doctor --json --out backends.json"],
  drawn: null,
  tensors: "try this one alone",
  // biome-ignore lint/correctness/useYield: all at once
  async *run({ benchmark }, _, { diagnose }): AsyncGenerator<never, DoctorRecord> {
    return diagnose({ benchmark });
  },
  tables({ candidates, advice }) {
    const timed = candidates.some(({ stepMilliseconds }) => stepMilliseconds !== undefined);
    const found = {
      columns: [
        { title: "backend" },
        { title: "status" },
        { title: "time", align: "right" as const },
        ...(timed ? [{ title: "step", align: "right" as const }] : []),
        { title: "device" },
        { title: "reason" },
      ],
      rows: candidates.map(({ name, status, milliseconds, stepMilliseconds, device, software, reason }) => [
        name,
        status,
        milliseconds === null ? "–" : `${Math.round(milliseconds)} ms`,
        ...(timed ? [stepMilliseconds === undefined ? "–" : `${stepMilliseconds.toFixed(1)} ms`] : []),
        device === null ? "–" : `${device}${software ? " (software)" : ""}`,
        reason ?? "",
      ]),
      notes: [],
    };
    const better = advice.map((line) => `- ${line}`);
    return better.length === 0 ? [found] : [found, lines("For a better one:", ...better)];
  },
});
