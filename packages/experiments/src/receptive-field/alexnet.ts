import { imageRow, imageSource, unitsOverImage } from "@gradlab/figures";
import { exampleNetworks, receptiveField } from "@gradlab/receptive-field";
import type { Picture } from "@gradlab/studies";
import { check, middleUnits } from "@gradlab/studies";
import { defineExperiment } from "../experiment.js";
import { photograph, pictureName } from "../photograph.js";

/** What one pixel is seen by, on the network that started it all. */
export const alexnet = defineExperiment({
  id: "receptive-field/alexnet-227",
  title: "AlexNet: how much of a photograph one unit sees",
  about:
    "The original AlexNet on 227 × 227 pixels, its fully connected layers as convolutions. The first layer sees patches " +
    "of 11 pixels, 4 apart; the last convolution sees 163 pixels, and the fully connected ones more than the whole " +
    "picture. Coordinates count the first pixel as 1.",
  async *run({ seed }, inputs) {
    const field = receptiveField(exampleNetworks["alexnet-227"], { inputSize: 227, origin: "one" });
    const column = (key: "n" | "jump" | "size" | "start") => field.layers.map((row) => row[key][0] ?? null);
    const unitEdges = (layer: string) => {
      const [y] = field.unit(layer, [1, 1]).axes;
      return [y?.edges?.[0] ?? null, y?.center ?? null, y?.edges?.[1] ?? null];
    };
    const around = (layer: string, pixel: number): [number, number] => {
      const row = field.layers.find(({ name }) => name === layer);
      const unit = (pixel - (row?.start[0] ?? 0)) / (row?.jump[0] ?? 1);
      const [low, high] = field.unit(layer, [unit, unit]).axes[0]?.pixels ?? [Number.NaN, Number.NaN];
      return [low + 1, high + 1];
    };
    const photo = yield* photograph([227, 227], inputs, seed);
    return {
      columns: { n: column("n"), jump: column("jump"), size: column("size"), start: column("start") },
      edges: {
        conv1: unitEdges("conv1"),
        pool1: unitEdges("pool1"),
        conv2: unitEdges("conv2"),
        pool2: unitEdges("pool2"),
      },
      around: { conv1: around("conv1", 114), pool1: around("pool1", 114), conv2: around("conv2", 114) },
      units: middleUnits(field).filter((box) => box !== null),
      photo,
    };
  },
  checks: ({ columns, edges, around }) => [
    check("units n of conv1 … fc7-conv", [55, 27, 27, 13, 13, 13, 13, 6, 1, 1], columns.n),
    check("jump of conv1 … fc7-conv", [4, 8, 8, 16, 16, 16, 16, 32, 32, 32], columns.jump),
    check("size of conv1 … fc7-conv", [11, 19, 51, 67, 99, 131, 163, 195, 355, 355], columns.size),
    check("start of conv1 … fc7-conv", [6, 10, 10, 18, 18, 18, 18, 34, 114, 114], columns.start),
    check("unit (1, 1) of conv1: low edge, centre, high edge", [4.5, 10, 15.5], edges.conv1),
    check("unit (1, 1) of pool1", [8.5, 18, 27.5], edges.pool1),
    check("unit (1, 1) of conv2", [-7.5, 18, 43.5], edges.conv2),
    check("unit (1, 1) of pool2", [0.5, 34, 67.5], edges.pool2),
    check("pixels of conv1 around pixel 114", [109, 119], around.conv1),
    check("pixels of pool1 around pixel 114", [105, 123], around.pool1),
    check("pixels of conv2 around pixel 114", [89, 139], around.conv2),
  ],
  figures: ({ units, around, photo }, { document }) => {
    const patches = Object.entries(around).map(([layer, [low, high]]) => {
      const size = high - low + 1;
      const patch = imageSource(cutOut(photo.pixels, low - 1, size));
      return { ...patch, caption: `${layer}: ${size} × ${size}`, pixelated: true };
    });
    return [
      {
        svg: unitsOverImage({ image: imageSource(photo.pixels), units }, { document, width: 720 }),
        caption: `What the middle unit of each layer sees of ${pictureName(photo)}. Hatched: padding, which the fully connected layers look into.`,
      },
      {
        svg: imageRow(patches, { document, width: 620 }),
        caption:
          "The same picture through one unit of the first three layers: those centred on pixel (114, 114).",
      },
    ];
  },
});

/** The square of a picture whose rows and columns start at `first`. */
function cutOut({ width, data }: Picture, first: number, size: number): Picture {
  const patch = new Uint8Array(3 * size * size);
  for (let row = 0; row < size; row++) {
    const from = 3 * ((first + row) * width + first);
    patch.set(data.subarray(from, from + 3 * size), 3 * size * row);
  }
  return { width: size, height: size, data: patch };
}
