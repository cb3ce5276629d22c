import { conv2d, crossCorrelate, type Plane, transpose } from "@gradlab/classic-cnns/by-hand";
import { imageRow, imageSource, matrixGrid } from "@gradlab/figures";
import { check } from "@gradlab/studies";
import { defineExperiment } from "../experiment.js";
import { photograph } from "../photograph.js";
import { brightness } from "./brightness.js";
import { countingPlane, plus } from "./counting-plane.js";
import { signedPicture } from "./grey-picture.js";

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

/** Convolutions worked out by hand, then the same loop on a photograph. */
export const filterByHand = defineExperiment({
  id: "classic-cnns/filter-by-hand",
  title: "A convolution by hand",
  about:
    "What a convolutional layer computes, as a plain loop: a kernel is laid on every place of a picture, and what lies " +
    "on each other is multiplied and added up. Small pictures whose results fit on paper; a 5 × 9 pattern with a 3 × 3 " +
    "kernel that answers to corners and borders; the same kernel on the brightness of a picture. The energy is the sum " +
    "of squares.",
  async *run({ seed }, inputs) {
    const got = crossCorrelate(image, kernel, { padding: "same" });
    const photo = yield* photograph([227, 227], inputs, seed);
    const response = signedPicture(crossCorrelate(brightness(photo.pixels), kernel, { padding: "same" }));

    const [x, taps] = [countingPlane(3, 3), countingPlane(2, 2)];
    const volume = [x, plus(x, 1)];
    const filter = [taps, plus(taps, 1)];
    const filters = [0, 1, 2].map((more) => filter.map((one) => plus(one, more)));

    const bar = Array.from({ length: 6 }, () => [1, 1, 0, 0, 0, 0, 1, 1]);
    const fall = [[1, -1]];
    const edges = crossCorrelate(bar, fall);
    const diagonal = Array.from({ length: 5 }, (_, i) => Array.from({ length: 5 }, (_, j) => +(i === j)));
    const diagonalEdges = crossCorrelate(diagonal, fall);
    return { photo, response, x, taps, small: crossCorrelate(x, taps), bar, edges, diagonal, diagonalEdges, got,
      checks: [
        check("3 × 3 with a kernel of 2 × 2", [[19, 25], [37, 43]], crossCorrelate(x, taps)),
        check("two channels, summed", [[[56, 72], [104, 120]]], conv2d(volume, [filter])),
        check(
          "two channels with three filters",
          [[[56, 72], [104, 120]], [[76, 100], [148, 172]], [[96, 128], [192, 224]]],
          conv2d(volume, filters),
        ),
        check("a bar with [1, −1]", Array(6).fill([0, 1, 0, 0, 0, -1, 0]), edges),
        check(
          "the bar lying down with [1, −1]",
          Array(8).fill([0, 0, 0, 0, 0]),
          crossCorrelate(transpose(bar), fall),
        ),
        check(
          "a diagonal with [1, −1]",
          [[1, 0, 0, 0], [-1, 1, 0, 0], [0, -1, 1, 0], [0, 0, -1, 1], [0, 0, 0, -1]],
          diagonalEdges,
        ),
        check("response of the 5 × 9 pattern", filtered, got),
        check("energy before", 24, energyOf(image)),
        check("energy after", 22, energyOf(got)),
      ],
    }; // biome-ignore format: matrices
  },
  checks: ({ checks }) => checks,
  figures: ({ photo, response, x, taps, small, bar, edges, diagonal, diagonalEdges, got }, { document }) => [
    {
      svg: matrixGrid(
        [
          { label: "picture", rows: x },
          { label: "kernel", rows: taps },
          { label: "response", rows: small },
        ],
        { document },
      ),
      caption: "Top left: 0 · 0 + 1 · 1 + 3 · 2 + 4 · 3 = 19. A 2 × 2 kernel fits into 3 × 3 at four places.",
    },
    {
      svg: matrixGrid(
        [
          { label: "bar", rows: bar },
          { label: "[1, −1] on it", rows: edges },
          { label: "diagonal", rows: diagonal },
          { label: "[1, −1] on it", rows: diagonalEdges },
        ],
        { document, cell: 24 },
      ),
      caption:
        "The kernel [1, −1] answers 1 where the picture falls to the right, −1 where it rises, and nothing along an edge that runs its own way.",
    },
    {
      svg: matrixGrid(
        [
          { label: "pattern", rows: image },
          { label: "kernel", rows: kernel },
          { label: "response", rows: got },
        ],
        { document, cell: 28 },
      ),
      caption: "Flat regions answer with minus their brightness, borders and corners with something else.",
    },
    {
      svg: imageRow(
        [
          { ...imageSource(photo.pixels), caption: "picture" },
          { ...imageSource(response), caption: "response of the same kernel" },
        ],
        { document, width: 620 },
      ),
      caption:
        "The kernel on the brightness of the picture; mid-grey is no response. The kernel's weights add up to −1, so that flat regions come out as negatives and edges stand out against them.",
    },
  ],
});

/** Sum of squares. */
function energyOf(plane: Plane): number {
  return plane.flat().reduce((sum, value) => sum + value * value, 0);
}
