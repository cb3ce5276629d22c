import { reachDiagram } from "@gradlab/figures";
import { parseNetwork, receptiveField } from "@gradlab/receptive-field";
import { check } from "@gradlab/studies";
import { defineExperiment } from "../experiment.js";

/** 5x5 with stride 2 beside two 3x3: their units slide at different speeds. */
const misaligned = parseNetwork("left 5/2 p2:1, first 3/1 from input, right 3/1, sum = left + right");

/** A 1x1 with stride 4 beside a padded 3x3, twice: strides that jump over pixels. */
const holey = parseNetwork(
  "a 1/4, b 3/2 p1:0 from input, c 1/2, ab = a + c, d 1/2, e 3/2 p1:0 from ab, de = d + e",
);

/** Two answers that tools for chains cannot give. */
export const branches = defineExperiment({
  id: "receptive-field/branches",
  title: "Branches that do not line up, and fields with holes",
  about:
    "Two toy networks of the receptive-field library by Google Research. In the first, two branches slide over the " +
    "input at different speeds, so that no single size exists: every unit gets its exact union. In the second, strides " +
    "jump over pixels: the field spans 11 pixels, of which 9 contribute.",
  async *run() {
    const drifting = receptiveField(misaligned);
    const [merge] = drifting.misalignments;
    const units = [0, 1, 2, 3, 4].map((unit) => drifting.unit("sum", [unit, unit]).axes[0]);
    const open = receptiveField(holey);
    const last = open.layers.find(({ name }) => name === "de");
    const runsOf = (field: typeof open, layer: string) => (unit: number) => ({
      unit,
      runs: field.pixelsOf(layer, [unit, unit]).flatMap(({ axes }) => axes[0] ?? []),
    });
    return {
      clipped: units.map((axis) => (axis?.clipped ? axis.clipped[1] - axis.clipped[0] + 1 : null)),
      jumps: merge?.inputs.map(({ jump }) => jump) ?? null,
      jump: drifting.layers.at(-1)?.jump[0] ?? null,
      last: [last?.size, last?.jump, last?.padding].map((axes) => axes?.[0] ?? null),
      contributing: last?.contributing[0] ?? null,
      holes: last?.holes ?? null,
      drifting: [0, 1, 2, 3, 4].map(runsOf(drifting, "sum")),
      open: [1, 2, 3].map(runsOf(open, "de")),
    };
  },
  checks: ({ clipped, jumps, jump, last, contributing, holes }) => [
    check("misaligned: pixels seen by units 0 … 4, cut off at the border", [5, 6, 5, 6, 7], clipped),
    check("misaligned: jumps of the two branches", [2, 1], jumps),
    check("misaligned: jump of the merge", null, jump),
    check("holes: size, jump, padding", [11, 8, 5], last),
    check("holes: pixels that contribute along an axis", 9, contributing),
    check("holes: pixels of the 11 × 11 box that do not contribute", 121 - 81, holes),
  ],
  figures: ({ drifting, open }, { document }) => [
    {
      svg: reachDiagram(drifting, { document, width: 520 }),
      caption:
        "The misaligned network: what units 0 … 4 see along one axis. No two neighbours see the same width; the border cuts two pixels off unit 0.",
    },
    {
      svg: reachDiagram(open, { document, width: 760 }),
      caption: "The network with holes: dashed pixels lie inside the field of the unit and never reach it.",
    },
  ],
});
