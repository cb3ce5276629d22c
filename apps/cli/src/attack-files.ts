import { pngFile, svgText } from "@gradlab/figures";
import type { AttackRecord, Figure } from "@gradlab/studies";
import { renderPng } from "./pictures.js";

/** The contact sheet as PNG, and what was found as pictures of their own: adversarial image and difference. */
export async function attackFiles(
  { samples, beside }: AttackRecord,
  figures: readonly Figure[],
): Promise<(readonly [name: string, content: Uint8Array])[]> {
  const sheets = figures.map(
    async ({ name, svg }) => [`${name}.png`, await renderPng(svgText(svg))] as const,
  );
  const pictures = samples.flatMap(({ success }, i) => {
    if (!success) return [];
    const number = `${i}`.padStart(4, "0");
    const { adversarial, difference } = beside.pictures[i]!;
    return [
      [`${number}-adversarial.png`, pngFile(adversarial)] as const,
      [`${number}-difference.png`, pngFile(difference)] as const,
    ];
  });
  return [...(await Promise.all(sheets)), ...pictures];
}
