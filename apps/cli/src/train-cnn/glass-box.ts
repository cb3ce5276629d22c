import { type LayerHistogramRow, layerHistograms } from "@gradlab/figures";
import type { Inspection } from "./inspect-run.js";

/**
 * How activations, weights and gradients are distributed, layer by layer: those with a kernel, and the ReLUs with the
 * count of what is dead in them.
 */
export function glassBox(
  { activations, weights, gradients, deadUnits }: Inspection,
  document: Document,
): SVGSVGElement {
  const rows = activations.flatMap(({ layer, histogram }): LayerHistogramRow[] => {
    const kernel = weights.find(({ path }) => path === `${layer}.kernel`);
    const gradient = gradients.find(({ path }) => path === `${layer}.kernel`);
    const relu = deadUnits.find((unit) => unit.layer === layer);
    if (kernel === undefined && relu === undefined) return [];
    return [
      {
        name: layer,
        histograms: [histogram, kernel?.histogram, gradient?.histogram].map(drawable),
        ...(relu && { note: `${relu.dead} of ${relu.of} dead` }),
      },
    ];
  });
  return layerHistograms(["activations", "weights", "gradients"], rows, { document });
}

/** As the figure takes it; null where no number is finite. */
function drawable(histogram: Inspection["activations"][number]["histogram"] | undefined) {
  if (histogram === undefined || histogram.min === null || histogram.max === null) return null;
  return { min: histogram.min, max: histogram.max, counts: histogram.bins };
}
