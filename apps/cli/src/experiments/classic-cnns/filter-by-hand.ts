import { imageRow, matrixGrid } from "@gradlab/figures";
import type { Pixels } from "../../pictures.js";
import { check, type Experiment } from "../experiment.js";
import { crossCorrelate, energyOf } from "./cross-correlate.js";

const image = [
  [0, 0, -1, 0, 0, 0, 1, 0, 0],
  [0, -1, -1, -1, 0, 1, 1, 1, 0],
  [-1, -1, -1, -1, 0, 1, 1, 1, 1],
  [0, -1, -1, -1, 0, 1, 1, 1, 0],
  [0, 0, -1, 0, 0, 0, 1, 0, 0],
];
const kernel = [
  [0, -0.5, 0],
  [-0.5, 1, -0.5],
  [0, -0.5, 0],
];
const filtered = [
  [0, 1, -0.5, 1, 0, -1, 0.5, -1, 0],
  [1, 0, 1, 0, 0, 0, -1, 0, -1],
  [-0.5, 1, 1, 0.5, 0, -0.5, -1, -1, 0.5],
  [1, 0, 1, 0, 0, 0, -1, 0, -1],
  [0, 1, -0.5, 1, 0, -1, 0.5, -1, 0],
];

/** One convolution worked out by hand, then the same loop on a photograph. */
export const filterByHand: Experiment = {
  id: "classic-cnns/filter-by-hand",
  title: "A convolution by hand",
  about:
    "What a convolutional layer computes, as a plain loop: the zero-padded cross-correlation of a 5 × 9 pattern with a " +
    "3 × 3 kernel that answers to corners and borders, and the same kernel on the brightness of a picture. The energy " +
    "is the sum of squares.",
  async run({ document, photograph, embed }) {
    const got = crossCorrelate(image, kernel).map((row) => row.map((value) => value + 0)); // −0 → 0
    const { pixels, image: picture } = await photograph([227, 227]);
    const response = await embed(asPicture(crossCorrelate(brightness(pixels), kernel)));
    return {
      checks: [
        check("response of the 5 × 9 pattern", filtered, got),
        check("energy before", 24, energyOf(image)),
        check("energy after", 22, energyOf(got)),
      ],
      figures: [
        {
          svg: matrixGrid(
            [
              { label: "pattern", rows: image },
              { label: "kernel", rows: kernel },
              { label: "response", rows: got },
            ],
            { document, cell: 28 },
          ),
          caption:
            "Flat regions answer with minus their brightness, borders and corners with something else.",
        },
        {
          svg: imageRow(
            [
              { ...picture, caption: "picture" },
              { ...response, caption: "response of the same kernel" },
            ],
            { document, width: 620 },
          ),
          caption:
            "The kernel on the brightness of the picture; mid-grey is no response. The kernel's weights add up to −1, so that flat regions come out as negatives and edges stand out against them.",
        },
      ],
    };
  },
};

/** Luma of ITU-R BT.601, 0 … 1. */
function brightness({ width, height, data }: Pixels): number[][] {
  return Array.from({ length: height }, (_, i) =>
    Array.from({ length: width }, (_, j) => {
      const at = 3 * (i * width + j);
      return (0.299 * data[at]! + 0.587 * data[at + 1]! + 0.114 * data[at + 2]!) / 255;
    }),
  );
}

/** Numbers as greys: 0 in the middle; all but the strongest hundredth between black and white. */
function asPicture(rows: readonly (readonly number[])[]): Pixels {
  const height = rows.length;
  const width = rows[0]!.length;
  const values = rows.flat();
  const strengths = values.map(Math.abs).sort((a, b) => a - b);
  const white = strengths[Math.floor(0.99 * (strengths.length - 1))]! || 1;
  const data = new Uint8ClampedArray(3 * width * height);
  for (const [i, value] of values.entries()) data.fill(127.5 + (127.5 * value) / white, 3 * i, 3 * i + 3);
  return { width, height, data: new Uint8Array(data.buffer) };
}
