import { lmsMisadjustment, predictPerformance, simulate, stabilityBounds } from "../src/index.js";

const VALUES = [0.2, 0.5, 1, 2];

/** The table of README.md: the misadjustment of LMS, by three formulas and by simulation. */
export function readmeTable(): string[][] {
  const R = VALUES.map((value, i) => VALUES.map((_, j) => (i === j ? value : 0)));
  const environment = { R, optimum: [1, -0.5, 2, 0.3], jmin: 0.01 };
  const { mean, meanSquareSafe, meanSquareGaussian } = stabilityBounds(R);
  const rows = [
    [
      "`mu`",
      "`mu tr R / 2`",
      "`mu tr R / (2 - mu tr R)`",
      "`predictPerformance`",
      "`simulate`",
      "standard error",
    ],
  ];
  for (const mu of [0.005, 0.02, 0.05, 0.1, 0.2, 0.4]) {
    const settled = Math.ceil(40 / mu);
    const { smallStep, better } = lmsMisadjustment(R, mu);
    const predicted = predictPerformance(environment, { mu, steps: 1 });
    const measured = simulate(environment, { mu, steps: settled + 4000, settled, runs: 100 });
    rows.push([
      `${mu}`,
      smallStep.toFixed(4),
      better?.toFixed(4) ?? "diverged",
      predicted.misadjustment?.toFixed(4) ?? predicted.verdict,
      measured.misadjustment?.toFixed(4) ?? measured.verdict,
      measured.standardErrors.misadjustment?.toFixed(4) ?? "",
    ]);
  }
  const limit = (value: number) => `stable to ${value.toFixed(4)}`;
  rows.push([
    "bound",
    `mean: ${limit(mean.limit)}`,
    limit(meanSquareSafe.limit),
    limit(meanSquareGaussian.limit),
    "",
    "",
  ]);
  return rows;
}
