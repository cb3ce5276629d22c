import { learningCurves } from "@gradlab/figures";
import { check } from "@gradlab/studies";
import { defineExperiment } from "../experiment.js";
import type { Sizes } from "./train-from-zero.js";

const layers = ["conv1", "conv2", "conv3", "fc1", "fc2"];
const steps = 7;

/** Why weights must not start at zero. */
export const zeroWeights = defineExperiment({
  id: "classic-cnns/zero-weights",
  title: "What zero weights keep from learning",
  about:
    "small-cnn with every weight zero. The error that reaches a layer has been multiplied by the weights of the next " +
    "one: it is exactly 0 everywhere before the last layer, whatever the activation and the biases. With zero biases " +
    "too, the last layer sees zeros and only its bias can move; behind a ReLU not even that, since its slope at 0 is " +
    "0. A sigmoid of 0 is one half: then the last layer can learn, and once its weights are no longer zero, the one " +
    "before it, and so on, one layer a step. Given are the largest gradients of the loss, and the step after which a " +
    "weight of each layer is no longer zero.",
  usesBackend: true,
  // biome-ignore lint/correctness/useYield: all at once
  async *run({ seed }, _inputs, { signal }) {
    const { gradientSizes, openZeroNetworks, trainFromZero } = await import("./train-from-zero.js");
    const { relu, sigmoid, linearEnd, images } = openZeroNetworks(seed);
    const reluDrawn = await gradientSizes(relu, "torch", images);
    const sigmoidDrawn = await gradientSizes(sigmoid, "torch", images);
    const linear = await gradientSizes(linearEnd, "zero", images);
    const allZero = await gradientSizes(relu, "zero", images);
    const moved = await trainFromZero(linearEnd, images, { steps: 3, signal });
    const stuck = await trainFromZero(relu, images, { steps: 3, signal });
    const woken = await trainFromZero(sigmoid, images, { steps, signal });
    return { reluDrawn, sigmoidDrawn, linear, allZero, moved, stuck, woken };
  },
  checks: ({ reluDrawn, sigmoidDrawn, linear, allZero, moved, stuck, woken }) => {
    const known = [0, 0, 0, 0];
    return [
      check(`biases as PyTorch draws them, ReLU: gradients of ${layers.slice(0, -1).join(", ")}`, known, ofKernels(reluDrawn)),
      check("the same with sigmoids", known, ofKernels(sigmoidDrawn)),
      check("the bias of fc1, with ReLU and with sigmoid", [0, 0], [reluDrawn["fc1.bias"]!, sigmoidDrawn["fc1.bias"]!]),
      check("parameters that have a gradient: with ReLU, with sigmoid", [2, 2], [count(reluDrawn), count(sigmoidDrawn)]),
      check("zero biases, no ReLU at the end: gradients of all weights", [0, 0, 0, 0, 0], [...ofKernels(linear), linear["fc2.kernel"]!]),
      check("parameters that have a gradient, and that have moved after 3 steps", [1, 1], [count(linear), count(moved.at(-1)!)]),
      check("zero biases, a ReLU at the end: parameters that have a gradient, and that have moved after 3 steps", [0, 0], [count(allZero), count(stuck.at(-1)!)]),
      check(`sigmoids: the step after which ${layers.join(", ")} are no longer zero`, [5, 4, 3, 2, 1], layers.map((layer) => firstMoved(woken, layer))),
    ]; // biome-ignore format: a table
  },
  figures: ({ woken }, { document }) => [
    {
      svg: learningCurves(
        layers.map((name) => ({
          name,
          points: woken.flatMap((sizes, i) => {
            const size = sizes[`${name}.kernel`]!;
            return size > 0 ? [[i + 1, size] as const] : [];
          }),
        })),
        { document, timeLabel: "step", errorLabel: "largest weight" },
      ),
      caption:
        "The largest weight of every layer, from zero, with sigmoids. A curve begins where its layer wakes, one step after the layer behind it. With ReLUs there is no curve at all.",
    },
  ],
});

/** The largest numbers of all kernels but the last. */
const ofKernels = (sizes: Sizes) => layers.slice(0, -1).map((layer) => sizes[`${layer}.kernel`] ?? null);

/** How many of them are not zero. */
const count = (sizes: Sizes) => Object.values(sizes).filter((size) => size !== 0).length;

/** The step after which the weights of a layer are no longer zero. */
function firstMoved(trace: readonly Sizes[], layer: string): number | null {
  const at = trace.findIndex((sizes) => sizes[`${layer}.kernel`]! > 0);
  return at < 0 ? null : at + 1;
}
