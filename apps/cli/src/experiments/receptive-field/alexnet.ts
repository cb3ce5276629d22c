import { imageRow, unitsOverImage } from "@gradlab/figures";
import { exampleNetworks, receptiveField } from "@gradlab/receptive-field";
import type { Pixels } from "../../pictures.js";
import { middleUnits } from "../../unit-boxes.js";
import { check, type Experiment, type Value } from "../experiment.js";

/** What one pixel is seen by, on the network that started it all. */
export const alexnet: Experiment = {
  id: "receptive-field/alexnet-227",
  title: "AlexNet: how much of a photograph one unit sees",
  about:
    "The original AlexNet on 227 × 227 pixels, its fully connected layers as convolutions. The first layer sees patches " +
    "of 11 pixels, 4 apart; the last convolution sees 163 pixels, and the fully connected ones more than the whole " +
    "picture. Coordinates count the first pixel as 1.",
  async run({ document, photograph, embed }) {
    const graph = exampleNetworks["alexnet-227"]!;
    const field = receptiveField(graph, { inputSize: 227, origin: "one" });
    const column = (key: "n" | "jump" | "size" | "start"): Value =>
      field.layers.map((row) => row[key][0] ?? null);
    const unitEdges = (layer: string): Value => {
      const [y] = field.unit(layer, [1, 1]).axes;
      return [y?.edges?.[0] ?? null, y?.center ?? null, y?.edges?.[1] ?? null];
    };
    const around = (layer: string, pixel: number): [number, number] => {
      const row = field.layers.find(({ name }) => name === layer);
      const unit = (pixel - (row?.start[0] ?? 0)) / (row?.jump[0] ?? 1);
      const [low, high] = field.unit(layer, [unit, unit]).axes[0]?.pixels ?? [Number.NaN, Number.NaN];
      return [low + 1, high + 1];
    };
    const { image, pixels, isGenerated } = await photograph([227, 227]);
    const patches = ["conv1", "pool1", "conv2"].map(async (layer) => {
      const [low, high] = around(layer, 114);
      const patch = await embed(cutOut(pixels, low - 1, high - low + 1));
      return { ...patch, caption: `${layer}: ${high - low + 1} × ${high - low + 1}`, pixelated: true };
    });
    const units = middleUnits(field).filter((box) => box !== null);
    const picture = isGenerated ? "a generated picture" : "a photograph";
    return {
      checks: [
        check("units n of conv1 … fc7-conv", [55, 27, 27, 13, 13, 13, 13, 6, 1, 1], column("n")),
        check("jump of conv1 … fc7-conv", [4, 8, 8, 16, 16, 16, 16, 32, 32, 32], column("jump")),
        check("size of conv1 … fc7-conv", [11, 19, 51, 67, 99, 131, 163, 195, 355, 355], column("size")),
        check("start of conv1 … fc7-conv", [6, 10, 10, 18, 18, 18, 18, 34, 114, 114], column("start")),
        check("unit (1, 1) of conv1: low edge, centre, high edge", [4.5, 10, 15.5], unitEdges("conv1")),
        check("unit (1, 1) of pool1", [8.5, 18, 27.5], unitEdges("pool1")),
        check("unit (1, 1) of conv2", [-7.5, 18, 43.5], unitEdges("conv2")),
        check("unit (1, 1) of pool2", [0.5, 34, 67.5], unitEdges("pool2")),
        check("pixels of conv1 around pixel 114", [109, 119], around("conv1", 114)),
        check("pixels of pool1 around pixel 114", [105, 123], around("pool1", 114)),
        check("pixels of conv2 around pixel 114", [89, 139], around("conv2", 114)),
      ],
      figures: [
        {
          svg: unitsOverImage({ image, units }, { document, width: 720 }),
          caption: `What the middle unit of each layer sees of ${picture}. Hatched: padding, which the fully connected layers look into.`,
        },
        {
          svg: imageRow(await Promise.all(patches), { document, width: 620 }),
          caption:
            "The same picture through one unit of the first three layers: those centred on pixel (114, 114).",
        },
      ],
    };
  },
};

/** The square of a picture whose rows and columns start at `first`. */
function cutOut({ width, data }: Pixels, first: number, size: number): Pixels {
  const patch = new Uint8Array(3 * size * size);
  for (let row = 0; row < size; row++) {
    const from = 3 * ((first + row) * width + first);
    patch.set(data.subarray(from, from + 3 * size), 3 * size * row);
  }
  return { width: size, height: size, data: patch };
}
