import { generateShapes, shapeNames } from "../src/index.js";

/** Grey as a character, ten levels. */
const INK = " .:-=+*#%@";

/** One image of every class, of seed 0: a few numbers of each and its middle row in ten levels of grey. */
export function readmeTable(): string[][] {
  const { images, labels } = generateShapes({ count: shapeNames.length, classes: shapeNames.length });
  const rows = [["label", "name", "mean of image", "darkest", "brightest", "middle row of image"]];
  for (const [i, label] of labels.entries()) {
    const pixels = images.subarray(i * 784, (i + 1) * 784);
    const row = [...pixels.subarray(14 * 28, 15 * 28)];
    rows.push([
      `${label}`,
      shapeNames[label]!,
      (pixels.reduce((sum, x) => sum + x, 0) / 784).toFixed(2),
      `${Math.min(...pixels)}`,
      `${Math.max(...pixels)}`,
      `\`[${row.map((x) => INK[Math.floor((x * INK.length) / 256)]).join("")}]\``,
    ]);
  }
  return rows;
}
