import { layerHistograms, learningCurves } from "@gradlab/figures";
import { check, type StudyEvent } from "@gradlab/studies";
import { defineExperiment } from "../experiment.js";
import type { LayerAtStart } from "./look-at-start.js";

/** Root mean squares of the gradients of the kernels in PyTorch 1.13, weights and images in closed form. */
const pytorch = {
  drawn: [0.06297514, 0.15672021, 0.1189805, 0.13017501, 0.23810788],
  zero: [0, 0, 0, 0, 8.7278668e-5],
};

const schemes = ["torch", "xavier-uniform", "he-normal"] as const;
const names = { torch: "PyTorch", "xavier-uniform": "Xavier", "he-normal": "He" };

/** small-cnn before it has learned anything. */
export const atStart = defineExperiment({
  id: "classic-cnns/at-start",
  title: "Weights and gradients before anything is learned",
  about:
    "small-cnn as PyTorch draws it, U(−a, a) with a = 1/√n for kernels of n numbers a unit, and what its loss on 10 generated shapes " +
    "says of every kernel; then the same biases with every kernel zero. Gradients are compared with PyTorch 1.13, on weights and " +
    "images that are a formula (a hash of their index): root mean squares by layer. What is drawn has the standard deviation a/√3, as far " +
    "as chance lets it: given is by how many of its own standard deviations it is off. PyTorch's weights have a sixth of the variance of He's, " +
    "which are made for ReLUs: what comes forward and what goes back loses on its way, and every gradient is smaller.",
  usesBackend: true,
  async *run({ seed }): AsyncGenerator<StudyEvent, AtStart> {
    const { closedFormSizes, drawnAtStart, sizesAtStart } = await import("./look-at-start.js");
    const { drawn, zero } = await closedFormSizes();
    const layers = await drawnAtStart(seed);
    const torch = layers.map(({ gradients: { mean, std } }) => Math.hypot(mean!, std!));
    return { drawn, zero, layers, sizes: [torch, ...(await sizesAtStart(schemes.slice(1), seed))] };
  },
  checks: ({ drawn, zero, layers, sizes }) => [
    // Single precision, through five layers.
    check("sizes of the gradients of conv1, conv2, conv3, fc1, fc2", pytorch.drawn, drawn, 1e-5),
    check("the same with every kernel zero", pytorch.zero, zero, 1e-9),
    check("drawn weights: standard deviation, in deviations from a/√3", layers.map(() => 0), layers.map(deviations), 4),
    check("drawn weights beyond ±a", layers.map(() => 0), layers.map((layer) => Math.max(0, largest(layer) - 1 / Math.sqrt(layer.fanIn))), 1e-7),
    check("kernels zero: share of the gradients that is exactly 0, all layers but the last", [1, 1, 1, 1], layers.slice(0, -1).map(({ zeroGradients: { zeros, count } }) => zeros / count)),
    check("gradient of conv1, He's weights larger than Xavier's, and those larger than PyTorch's", [1, 1], [+(sizes[2]![0]! > sizes[1]![0]!), +(sizes[1]![0]! > sizes[0]![0]!)]),
  ], // biome-ignore format: a table
  figures: ({ layers, sizes }, { document }) => [
    {
      svg: layerHistograms(
        ["weights", "gradients", "gradients, kernels zero"],
        layers.map(({ layer, fanIn, weights, gradients, zeroGradients }) => ({
          name: layer,
          note: `n = ${fanIn}`,
          histograms: [weights, gradients, zeroGradients].map(({ min, max, bins }) =>
            min === null || max === null ? null : { min, max, bins },
          ),
        })),
        { document },
      ),
      caption:
        "Kernels of small-cnn, first to last, as PyTorch draws them: the weights are spread evenly, and wider where fewer of them are added up; their gradients are not. With every kernel zero only the last layer has a gradient.",
    },
    {
      svg: learningCurves(
        schemes.map((scheme, i) => ({
          name: names[scheme],
          points: sizes[i]!.map((size, layer) => [layer + 1, size] as const),
        })),
        { document, timeLabel: "layer with weights", errorLabel: "size of the gradient", height: 300 },
      ),
      caption:
        "Root mean squares of the gradients of the kernels, first to last, by how the weights are drawn.",
    },
  ],
});

interface AtStart {
  readonly drawn: readonly number[];
  readonly zero: readonly number[];
  readonly layers: readonly LayerAtStart[];
  /** By scheme and layer. */
  readonly sizes: readonly (readonly number[])[];
}

/** A sample of n numbers of U(−a, a) has a standard deviation that varies by √(1/5n) of itself: its kurtosis is 9/5. */
function deviations({ fanIn, weights: { std, count } }: LayerAtStart): number {
  return (std! * Math.sqrt(3 * fanIn) - 1) / Math.sqrt(0.2 / count);
}

const largest = ({ weights: { min, max } }: LayerAtStart) => Math.max(-min!, max!);
