import { fillNormal, integer, normal, permutation, randomStream, uint32, uniform } from "../src/index.js";

/** The table of README.md: the first draws of a few streams, which every machine must give. */
export function readmeTable(): string[][] {
  const streams = [0, 1, 2].map((index) => ({ seed: 0, purpose: "readme", index }));
  const rows = [
    [
      "stream",
      "`uint32`",
      "`uniform`",
      "`normal`",
      "`integer(0, 1000)`",
      "`permutation(6)`",
      "mean, std of 10⁶ normals",
    ],
  ];
  for (const options of streams) {
    // Every draw is the first of its stream.
    const first = () => randomStream(options);
    const normals = fillNormal(first(), new Float64Array(1e6));
    const mean = normals.reduce((sum, x) => sum + x, 0) / normals.length;
    const std = Math.sqrt(normals.reduce((sum, x) => sum + (x - mean) ** 2, 0) / normals.length);
    rows.push([
      `\`${options.seed}, "${options.purpose}", ${options.index}\``,
      `${uint32(first())}`,
      `${uniform(first())}`,
      `${normal(first())}`,
      `${integer(first(), 0, 1000)}`,
      permutation(first(), 6).join(" "),
      `${mean.toFixed(5)}, ${std.toFixed(5)}`,
    ]);
  }
  return rows;
}
