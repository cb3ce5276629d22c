import {
  composeKernels,
  crossCorrelate,
  crossCorrelate1d,
  crossCorrelateSeparably,
  derivativeKernel,
  edgeKernel,
  gaussianKernel,
  gaussianKernel1d,
  laplacianKernel,
  type Plane,
  separate,
} from "@gradlab/classic-cnns/by-hand";
import { imageRow, imageSource, matrixGrid } from "@gradlab/figures";
import { check, type Picture } from "@gradlab/studies";
import { defineExperiment } from "../experiment.js";
import { photograph } from "../photograph.js";
import { brightness } from "./brightness.js";
import { greyPicture, signedPicture, strengthPicture } from "./grey-picture.js";

const box = [[1, 1, 1], [1, 1, 1], [1, 1, 1]]; // biome-ignore format: a kernel

/** The kernels that everybody knows, taken apart, put together and laid on a picture. */
export const kernels = defineExperiment({
  id: "classic-cnns/kernels",
  title: "Kernels one can name",
  about:
    "Blur, edges in any direction, Laplacian and higher derivatives. Two kernels in turn are one of size k1 + k2 − 1; a " +
    "kernel of rank 1 is a column after a row, k + k multiplications instead of k · k; the difference of order d has " +
    "d + 1 taps and turns t^d into d!.",
  async *run({ seed }, inputs) {
    const bright = brightness((yield* photograph([227, 227], inputs, seed)).pixels);
    const options = { padding: "same", paddingMode: "edge" } as const;
    const blur = gaussianKernel(13, 2);
    const blurred = crossCorrelate(bright, blur, options);
    const twoPasses = crossCorrelateSeparably(bright, separate(blur)!, options);
    const directions = ["right", "up and right", "up", "up and left"].map((name, i) => {
      const kernel = edgeKernel((i * Math.PI) / 4);
      return { name, kernel, response: crossCorrelate(bright, kernel, options) };
    });
    const [right, , up] = directions;
    const strength = right!.response.map((row, i) =>
      row.map((value, j) => Math.hypot(value, up!.response[i]![j]!)),
    );
    const fives = composeKernels(box, box);
    const cubes = Array.from({ length: 6 }, (_, t) => t ** 3);
    const sobel = edgeKernel(0).map((row) => row.map((tap) => 8 * tap));
    const factors = separate(sobel)!;
    return {
      pictures: {
        bright: greyPicture(bright),
        blurred: greyPicture(blurred),
        laplacian: signedPicture(crossCorrelate(bright, laplacianKernel(), options)),
        laplacianOfBlur: signedPicture(crossCorrelate(blurred, laplacianKernel(), options)),
        strength: strengthPicture(strength),
      },
      directions: directions.map(({ name, kernel, response }) => ({
        name,
        kernel,
        picture: signedPicture(response),
      })),
      fives,
      checks: [
        check(
          "Gaussian 3 × 3, σ = 1",
          [[0.0751, 0.1238, 0.0751], [0.1238, 0.2042, 0.1238], [0.0751, 0.1238, 0.0751]],
          gaussianKernel(3, 1),
          0.5e-4,
        ),
        check("eight times the edge kernel to the right", [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], sobel),
        check(
          "its column and row",
          [[0.5, 1, 0.5], [-2, 0, 2]],
          [factors.column, factors.row],
        ),
        check("column and row of the Laplacian", null, separate(laplacianKernel()) && 1),
        check("rows and columns of two 3 × 3 kernels in one", [5, 5], [fives.length, fives[0]!.length]),
        check(
          "blur in two passes, largest difference",
          0,
          largestDifference(blurred, twoPasses),
          1e-13,
        ),
        check(
          "two boxes in turn and their one kernel, largest difference",
          0,
          largestDifference(crossCorrelate(crossCorrelate(bright, box), box), crossCorrelate(bright, fives)),
          1e-12,
        ),
        check("taps of the derivative of order 4", [1, -4, 6, -4, 1], derivativeKernel(4)),
        check("third difference of 0, 1, 8, 27, 64, 125", [6, 6, 6], crossCorrelate1d(cubes, derivativeKernel(3))),
        check(
          "edges to the lower right are those to the upper left with the other sign",
          0,
          largestDifference(
            crossCorrelate(bright, edgeKernel(-Math.PI / 4), options),
            directions[3]!.response.map((row) => row.map((value) => -value)),
          ),
          1e-15,
        ),
      ],
    }; // biome-ignore format: matrices
  },
  checks: ({ checks }) => checks,
  figures: ({ pictures, directions, fives }, { document }) => [
    {
      svg: imageRow(
        [
          shown("brightness", pictures.bright),
          shown("blurred, σ = 2", pictures.blurred),
          shown("Laplacian", pictures.laplacian),
          shown("Laplacian of the blur", pictures.laplacianOfBlur),
        ],
        { document, width: 760 },
      ),
      caption:
        "A blur, the Laplacian, and one after the other. Mid-grey is 0; the Laplacian alone answers to every grain, after a blur to what is left of edges: light on their dark side, dark on their light side.",
    },
    {
      svg: imageRow(
        directions.map(({ name, picture }) => shown(name, picture)),
        { document, width: 760 },
      ),
      caption:
        "Slopes in four directions: light where the picture gets brighter that way, dark where darker.",
    },
    {
      svg: matrixGrid(
        directions.map(({ name, kernel }) => ({
          label: name,
          rows: kernel.map((row) => row.map(rounded)),
        })),
        { document, cell: 44 },
      ),
      caption: "Their kernels, cos θ times the one to the right plus sin θ times the one upwards, rounded.",
    },
    {
      svg: imageRow([shown("brightness", pictures.bright), shown("length of the slope", pictures.strength)], {
        document,
        width: 620,
      }),
      caption: "Right and up together, √(right² + up²): edges of all directions.",
    },
    {
      svg: matrixGrid(
        [
          { label: "box", rows: box },
          { label: "two boxes in turn", rows: fives },
          {
            label: "third difference",
            rows: [derivativeKernel(3)],
          },
          { label: "Gaussian, σ = 1", rows: [gaussianKernel1d(5, 1).map(rounded)] },
        ],
        { document, cell: 36 },
      ),
      caption: "Two boxes in turn are a tent; the more boxes, the closer to a Gaussian.",
    },
  ],
});

const shown = (caption: string, picture: Picture) => ({ ...imageSource(picture), caption });

function largestDifference(a: Plane, b: Plane): number {
  const other = b.flat();
  return a.flat().reduce((most, value, i) => Math.max(most, Math.abs(value - other[i]!)), 0);
}

/** To be read, without −0. */
function rounded(value: number): number {
  return Math.round(1000 * value) / 1000 + 0;
}
