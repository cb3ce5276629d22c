import {
  crossCorrelate,
  im2col,
  type LearnKernelOptions,
  learnKernel,
  matMul,
  transpose,
} from "@gradlab/classic-cnns/by-hand";
import { learningCurves, matrixGrid } from "@gradlab/figures";
import { check } from "@gradlab/studies";
import { defineExperiment } from "../experiment.js";

const steps = 30;
const ones = [[1, 1]];

/** A kernel that is found from what it does. */
export const learnedKernel = defineExperiment({
  id: "classic-cnns/learned-kernel",
  title: "A kernel learned from one picture",
  about:
    "The kernel [1, −1] found again by gradient descent from a picture and its edges, squared error summed over all " +
    "places. The matrix of the error is the sum of all windows with themselves, [18 12; 12 18]: its eigenvalue is 6 " +
    "along [1, −1], where the way from zero leads, and 30 along [1, 1]. So a step keeps 1 − 2 · 0.03 · 6 = 0.64 of the " +
    "distance, and rates beyond 1/30 diverge wherever there is a part along [1, 1].",
  async *run() {
    const x = Array.from({ length: 6 }, () => [1, 1, 0, 0, 0, 0, 1, 1]);
    const y = crossCorrelate(x, [[1, -1]]);
    const learn = (rate: number, options: Pick<LearnKernelOptions, "start"> = {}) =>
      learnKernel([[x, y]], { size: [1, 2], rate, steps, ...options });
    const windows = im2col([x], { kernel: [1, 2] });
    const { kernel, losses } = learn(0.03);
    const curves = [
      { name: "0.01", losses: learn(0.01).losses },
      { name: "0.03", losses },
      { name: "0.03*", losses: learn(0.03, { start: ones }).losses },
      { name: "0.035*", losses: learn(0.035, { start: ones }).losses, diverged: true },
    ];
    const first = [1, 2, 3].map((count) => learnKernel([[x, y]], { size: [1, 2], rate: 0.03, steps: count }));
    return { x, y, kernel, curves, checks: [
      check("all windows with themselves", [[18, 12], [12, 18]], matMul(windows, transpose(windows))),
      check("kernel after 30 steps", [[1, -1]], kernel, 0.001),
      check(
        "what is left of the way after 30 steps, 0.64^30",
        0.64 ** steps,
        1 - kernel[0]![0]!,
        1e-14,
      ),
      check("squared error at the start", 12, losses[0]!),
      check(
        "first tap after 1, 2, 3 steps, 1 − 0.64^n",
        [0.36, 0.5904, 0.737856],
        first.map((learned) => learned.kernel[0]![0]!),
        1e-14,
      ),
    ] }; // biome-ignore format: matrices
  },
  checks: ({ checks }) => checks,
  figures: ({ x, y, kernel, curves }, { document }) => [
    {
      svg: matrixGrid(
        [
          { label: "picture", rows: x },
          { label: "its edges", rows: y },
          {
            label: "learned",
            rows: kernel.map((row) => row.map((tap) => Math.round(tap * 1e4) / 1e4)),
          },
        ],
        { document, cell: 26 },
      ),
      caption: `The pair that the kernel is learned from, and the kernel after ${steps} steps, rounded.`,
    },
    {
      svg: learningCurves(
        curves.map(({ losses: errors, ...curve }) => ({
          ...curve,
          points: errors.map((error, step) => [step, error] as const),
        })),
        { document, timeLabel: "step", errorLabel: "squared error" },
      ),
      caption:
        "The error by rate, from zero or (*) from [1, 1]. From zero only the part along [1, −1] is wrong. From [1, 1] the other part swings with −0.8 of itself at rate 0.03, and grows by 1.1 at rate 0.035, just beyond 1/30.",
    },
  ],
});
