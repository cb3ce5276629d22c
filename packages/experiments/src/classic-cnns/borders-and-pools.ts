import {
  averageKernel,
  averagePool,
  crossCorrelate,
  maxFromRelu,
  maxPool,
  maxPoolFromRelu,
  maxPoolLayers,
  minPool,
  type PaddingMode,
  pad,
  type WindowOptions,
} from "@gradlab/classic-cnns/by-hand";
import { imageRow, imageSource, matrixGrid } from "@gradlab/figures";
import { randomStream, uniform } from "@gradlab/random";
import { check } from "@gradlab/studies";
import { defineExperiment } from "../experiment.js";
import { photograph } from "../photograph.js";
import { brightness } from "./brightness.js";
import { countingPlane, plus } from "./counting-plane.js";
import { greyPicture } from "./grey-picture.js";

const layers: readonly (readonly [kernel: readonly [number, number], options: WindowOptions])[] = [
  [[3, 3], { padding: 1 }],
  [[5, 3], { padding: [2, 1] }],
  [[3, 3], { padding: 1, stride: 2 }],
  [[3, 5], { padding: [0, 1], stride: [3, 4] }],
];

const padded: readonly PaddingMode[] = ["zero", "edge", "reflect", "symmetric", "circular"];

/** What happens at borders, what strides leave, and pooling in terms of what is already there. */
export const bordersAndPools = defineExperiment({
  id: "classic-cnns/borders-and-pools",
  title: "Borders, strides and pooling",
  about:
    "Padding decides what a kernel sees beyond the border, the stride at which places it is laid on. Average pooling is " +
    "a convolution with equal weights; the minimum is the maximum upside down; and since max(a, b) = a + relu(b − a), " +
    "three convolutions with a ReLU behind the first two are a whole 2 × 2 max-pool, here on random whole numbers.",
  async *run({ seed }, inputs) {
    const nine = countingPlane(3, 3, 1);
    const [small, large] = [countingPlane(3, 3), countingPlane(4, 4)];
    const strided = { window: 3, padding: 1, stride: 2 };
    const random = randomStream({ seed, purpose: "classic-cnns/borders-and-pools" });
    const noise = Array.from({ length: 6 }, () =>
      Array.from({ length: 8 }, () => Math.floor(19 * uniform(random)) - 9),
    );
    const sizes = layers.map(([[height, width], options]) => {
      const y = crossCorrelate(countingPlane(8, 8), countingPlane(height, width), options);
      return [y.length, y[0]!.length];
    });
    const reflected = pad(nine, 1, "reflect");
    const bright = brightness((yield* photograph([160, 160], inputs, seed)).pixels);
    const pools = [
      ["brightness", bright],
      ["largest of 8 × 8", maxPool(bright, { window: 8 })],
      ["average", averagePool(bright, { window: 8 })],
      ["smallest", minPool(bright, { window: 8 })],
    ] as const;
    return {
      noise,
      pooled: maxPoolFromRelu(noise),
      borders: padded.map((mode) => ({ label: mode, rows: pad(countingPlane(2, 3, 1), [2, 2], mode) })),
      pools: pools.map(([caption, plane]) => ({
        caption,
        picture: greyPicture(plane),
        pixelated: plane !== bright,
      })),
      checks: [
        check("sizes of 8 × 8 by kernel, padding and stride", [[8, 8], [8, 8], [4, 4], [2, 2]], sizes),
        check(
          "1 … 9 with reflected borders",
          [[5, 4, 5, 6, 5], [2, 1, 2, 3, 2], [5, 4, 5, 6, 5], [8, 7, 8, 9, 8], [5, 4, 5, 6, 5]],
          reflected,
        ),
        check("largest of 2 × 2 at stride 1", [[4, 5], [7, 8]], maxPool(small, { window: 2, stride: 1 })),
        check("average of 2 × 2 at stride 1", [[2, 3], [5, 6]], averagePool(small, { window: 2, stride: 1 })),
        check("largest of 3 × 3 at stride 3", [[10]], maxPool(large, { window: 3 })),
        check(
          "two channels, largest of 3 × 3, padding 1, stride 2",
          [[[5, 7], [13, 15]], [[6, 8], [14, 16]]],
          [large, plus(large, 1)].map((plane) => maxPool(plane, strided)),
        ),
        check(
          "average pooling as a convolution",
          averagePool(noise, { window: 2 }),
          crossCorrelate(noise, averageKernel(2), { stride: 2 }),
        ),
        check(
          "smallest of 2 × 2, from the largest",
          [[0, 2], [8, 10]],
          minPool(large, { window: 2 }),
        ),
        check(
          "the larger of 3 and −5, −5 and 3, from ReLU",
          [3, 3],
          [maxFromRelu(3, -5), maxFromRelu(-5, 3)],
        ),
        check(
          "2 × 2 max-pool from convolutions and ReLU",
          maxPool(noise, { window: 2 }),
          maxPoolFromRelu(noise),
        ),
      ],
    }; // biome-ignore format: matrices
  },
  checks: ({ checks }) => checks,
  figures: ({ noise, pooled, borders, pools }, { document }) => [
    {
      svg: matrixGrid(borders, { document, cell: 20 }),
      caption: "Two rows and columns around 1 … 6, in five ways.",
    },
    {
      svg: matrixGrid(
        [
          { label: "random numbers", rows: noise },
          { label: "max-pool", rows: pooled },
          ...maxPoolLayers.slice(1).map(({ filters }, i) => ({
            label: `layer ${i + 2}`,
            rows: filters.map((filter) => filter.map((tap) => tap[0]![0]!)),
          })),
        ],
        { document, cell: 26 },
      ),
      caption:
        "The largest of every 2 × 2 by convolutions and ReLU alone. Layer 1 takes left, −left and right − left of both rows. Layers 2 and 3 are 1 × 1, a filter per row: behind a ReLU, 1, −1, 1 adds up to the larger one.",
    },
    {
      svg: imageRow(
        pools.map(({ caption, picture, pixelated }) => ({ ...imageSource(picture), caption, pixelated })),
        { document, width: 720 },
      ),
      caption: "Pooling a picture: the largest spreads what is light, the smallest what is dark.",
    },
  ],
});
