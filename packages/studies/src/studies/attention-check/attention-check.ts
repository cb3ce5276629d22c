import { attentionMap } from "@gradlab/figures";
import { defineStudy, type StudyEvent, type Table } from "../../declaration/study.js";
import { StudyError } from "../../declaration/study-error.js";
import { describeBackend, lines, short } from "../../declaration/wording.js";
import { attentionCheckOptions } from "./attention-check-options.js";
import type { AttentionCheckRecord } from "./attention-check-record.js";

export const attentionCheck = defineStudy({
  name: "attention-check",
  help: "whether attention commutes with permutations of its tokens, and what breaks it",
  options: attentionCheckOptions,
  about: `Multi-head attention f with random weights on random tokens X: is f(PX) = P f(X) for
every permutation P, and does the mean over the tokens stay? Positions and a causal
mask must break both (exit code 3 where they do not).`,
  examples: [
    "attention-check",
    "attention-check --position rotary",
    "attention-check --tokens 12 --heads 4 --causal --out map.svg",
  ],
  drawn: "the attention map of every head",
  tensors: "where tensors live: the best that passes its self-test, or this one",
  check({ width, heads, position, permutations }) {
    if (width % heads !== 0) {
      throw new StudyError("usage", `{heads}: expected a divisor of {width} ${width}, got ${heads}`);
    }
    if (position === "rotary" && (width / heads) % 2 === 1) {
      const got = `got ${width / heads}`;
      throw new StudyError(
        "usage",
        `{width}: expected an even number for each head with {position} rotary, ${got}`,
      );
    }
    if (permutations !== undefined && permutations > 100_000) {
      throw new StudyError("usage", `{permutations}: expected at most 100000, got ${permutations}`);
    }
  },
  async *run(options, _, context): AsyncGenerator<StudyEvent, AttentionCheckRecord> {
    const on = describeBackend(await context.openBackend());
    yield { kind: "note", text: `${options.tokens} tokens on ${on}` };
    const { symmetryOf } = await import("./symmetry-of.js");
    return await symmetryOf(options, context.signal);
  },
  tables,
  figures: ({ weights }, { document }) => [
    {
      name: "attention-map",
      caption:
        "What each token looks at: a row per token that looks, a column per token that is looked at; the bluer, the more. Every row adds up to 1.",
      svg: attentionMap(
        weights.map((rows, head) => ({ label: `head ${head}`, weights: rows })),
        { document },
      ),
    },
  ],
  verdict({ equivariant, pooled, expected }) {
    for (const [name, report] of [
      ["f(PX) = P f(X)", equivariant],
      ["the mean over the tokens stays", pooled],
    ] as const) {
      if (report.holds === expected && report.vacuous === null) continue;
      if (report.vacuous !== null) return `${name} holds for nothing: ${report.vacuous}`;
      return expected
        ? `${name} should hold, and is broken by ${report.worst}`
        : `${name} should be broken, and holds for all ${report.elements}`;
    }
    return null;
  },
});

function tables(record: AttentionCheckRecord): Table[] {
  const { tokens, width, heads, position, causal, equivariant, pooled } = record;
  const rows = [
    ["f(PX) = P f(X)", equivariant],
    ["mean over tokens stays", pooled],
  ] as const;
  const what = [
    position === "none" ? "no positions" : `${position} positions`,
    ...(causal ? ["causal"] : []),
  ];
  return [
    lines(`multi-head attention: ${tokens} tokens of width ${width}, ${heads} heads, ${what.join(", ")}`),
    {
      columns: [
        { title: "claim" },
        { title: "verdict" },
        { title: "permutations", align: "right" },
        { title: "largest deviation", align: "right" },
        { title: "by" },
        { title: "largest output", align: "right" },
      ],
      rows: rows.map(([claim, report]) => [
        claim,
        report.holds ? (report.vacuous === null ? "holds" : `vacuous: ${report.vacuous}`) : "BROKEN",
        `${report.held} of ${report.elements}`,
        short(report.deviation),
        report.worst ?? "–",
        short(report.largest),
      ]),
      notes: [
        `equal means: to ${short(equivariant.limit)}; ${equivariant.unchanged} of ${equivariant.elements} permutations leave f(X) as it is`,
      ],
    },
  ];
}
