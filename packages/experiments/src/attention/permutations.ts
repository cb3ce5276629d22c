import { attentionMap } from "@gradlab/figures";
import { check, describeBackend } from "@gradlab/studies";
import { defineExperiment } from "../experiment.js";
import type { LayerDraw, Symmetries } from "./permutation-draws.js";

const draws = 25;
const all = 120;

/** Self-attention does not know the order of its tokens. */
export const permutations = defineExperiment({
  id: "attention/permutations",
  title: "Attention commutes with every permutation of its tokens; positions break it",
  about:
    "Five tokens X of five whole numbers 0 … 9, weights Wq, Wk, Wv of U(0, 1), f(X) = softmax(½ XWq (XWk)ᵀ) XWv. For all 120 permutations P: f(PX) = P f(X), and the mean over the " +
    "tokens does not move; also with one softmax over all 25 scores. But here this says little: the scores are so large that all queries look at one and the same token. In the median of " +
    `${draws} draws f(PX) is f(X) itself for all 120, and sinusoidal positions, which must break the symmetry, leave the 24 that keep this token in its place. So the same again where the softmax is ` +
    "not saturated, X/9, weights of N(0, 1), scale 1/√5: all 120 hold, only the identity leaves f(X) as it is, and only the identity survives positions. An emulated GPU looks at one draw alone.",
  usesBackend: true,
  // biome-ignore lint/correctness/useYield: all at once
  async *run({ seed }, _inputs, { signal, openBackend }) {
    const { drawLayer, saturatedCounts } = await import("./permutation-draws.js");
    const backend = await openBackend();
    return {
      on: describeBackend(backend),
      saturated: await drawLayer(seed, true, signal),
      soft: await drawLayer(seed, false, signal),
      // Thousands of small commands: an emulated GPU takes minutes.
      counts: backend.software ? null : await saturatedCounts(draws, signal),
    };
  },
  checks: ({ saturated, soft, counts }) => {
    const held = ({ equivariant, pooled }: Symmetries) => [equivariant.held, pooled.held];
    const deviations = ({ rows, whole }: LayerDraw) =>
      [rows, whole].flatMap(({ equivariant, pooled }) =>
        [equivariant, pooled].map(({ deviation, largest }) => deviation / largest),
      );
    const both = [
      ["whole numbers", saturated],
      ["unsaturated", soft],
    ] as const;
    return [
      ...both.flatMap(([name, layer]) => [
        check(`${name}: of ${all} permutations, f(PX) = P f(X), mean stays`, [all, all], held(layer.rows)),
        check(`${name}, one softmax over all scores: the same`, [all, all], held(layer.whole)),
        // A few roundings of 2^-24, in sums of five.
        check(`${name}: largest deviations, of the largest output`, [0, 0, 0, 0], deviations(layer), 1e-6),
      ]),
      ...(counts === null
        ? []
        : [
            check(
              `whole numbers, median of ${draws} draws: permutations with f(PX) = f(X), and those that positions do not break`,
              [all, 24],
              [median(counts.unchanged), median(counts.unbroken)],
            ),
          ]),
      check(
        "unsaturated: permutations with f(PX) = f(X); with positions: f(PX) = P f(X), mean stays",
        [1, 1, 1],
        [soft.rows.equivariant.unchanged, ...held(soft.placed)],
      ),
    ];
  },
  figures: ({ on, saturated, soft }, { document }) => [
    {
      svg: attentionMap(
        [
          { label: "whole numbers", weights: saturated.weights },
          { label: "unsaturated", weights: soft.weights },
        ],
        { document },
      ),
      caption: `What each of five tokens looks at, computed on ${on}: with whole numbers and scale ½ every query has chosen, mostly the same token; with small numbers it mixes.`,
    },
  ],
});

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[(values.length - 1) / 2]!;
