import { crossCorrelate, type Plane } from "@gradlab/classic-cnns/by-hand";
import { imageRow, imageSource } from "@gradlab/figures";
import { normal, randomStream } from "@gradlab/random";
import { check } from "@gradlab/studies";
import { defineExperiment } from "../experiment.js";
import { signedPicture } from "./grey-picture.js";

const size = 32;
const kernelSize = 5;
const margin = (kernelSize - 1) / 2;
/** How far the picture is moved, up and to the left. */
const [down, across] = [3, 2];

/** What keeps a layer from knowing where it looks, and what tells it. */
export const shifts = defineExperiment({
  id: "classic-cnns/shifts",
  title: "Convolution commutes with shifts; borders, strides and dense layers do not",
  about:
    `Two windows of ${size} × ${size} on the same noise, ${down} rows and ${across} columns apart, under a random kernel of ${kernelSize} × ${kernelSize}. Their responses are equal to the bit ` +
    "where they show the same place. Padding with zeros changes those whose kernel reaches over a border: they can be counted. With stride 2 a shift of 2 is a shift of 1 place; after a " +
    "shift of 1 the response is made of other places, and differs, in mean square and relative to the response, by 2 (1 − ρ), ρ being the correlation of the kernel " +
    "with itself one pixel on. A dense layer of random weights has nothing to do with shifts: its answers differ by 2.",
  async *run({ seed }) {
    const random = randomStream({ seed, purpose: "classic-cnns/shifts" });
    const noise = plane(256, 256, () => normal(random));
    const kernel = plane(kernelSize, kernelSize, () => normal(random));
    const [first, second] = [crop(noise, 0, 0), crop(noise, down, across)];
    const valid = [crossCorrelate(first, kernel), crossCorrelate(second, kernel)] as const;
    const padded = (x: Plane) => crossCorrelate(x, kernel, { padding: "same" });
    const same = [padded(first), padded(second)] as const;
    // Of all the noise, for many places: every second response, from an even and from an odd start.
    const strided = (from: number) =>
      crossCorrelate(
        noise.map((row) => row.slice(from)),
        kernel,
        { stride: 2 },
      );
    const [even, odd, two] = [strided(0), strided(1), strided(2)];
    const n = 16;
    const weights = plane(n * n, n * n, () => normal(random) / n);
    const dense = (x: Plane) =>
      weights.map((row) => row.reduce((sum, w, i) => sum + w * x[Math.floor(i / n)]![i % n]!, 0));
    const small = noise.slice(0, n).map((row) => row.slice(0, n));
    // Turned around at the border, so that nothing is lost.
    const turned = (x: Plane) =>
      x.map((_, i) => x[(i + down) % n]!.map((__, j) => x[(i + down) % n]![(j + across) % n]!));
    const answer = dense(small);
    const grid = plane(n, n, (i, j) => answer[i * n + j]!);
    return {
      inside: differing(valid[0], valid[1], down, across),
      padded: differing(same[0], same[1], down, across),
      difference: plane(
        size - down,
        size - across,
        (i, j) => same[0][i + down]![j + across]! - same[1][i]![j]!,
      ),
      pictures: { first, second, response: same[0] },
      stride: {
        two: differing(even, two, 0, 1).count,
        one: relative(even, odd),
        theory: 2 * (1 - correlationWithItself(kernel)),
        places: even.length * odd[0]!.length,
      },
      dense: relative(
        turned(grid),
        plane(n, n, (i, j) => dense(turned(small))[i * n + j]!),
      ),
      denseOutputs: n * n,
    };
  },
  checks: ({ inside, padded, stride, dense, denseOutputs }) => {
    const overlap = (size - down) * (size - across);
    // Rows and columns that neither of the two kernels leaves.
    const untouched = (size - down - 2 * margin) * (size - across - 2 * margin);
    return [
      check(
        "without padding: places compared, and different",
        [(28 - down) * (28 - across), 0],
        [inside.places, inside.count],
      ),
      check(
        "with zeros around: places compared, and different",
        [overlap, overlap - untouched],
        [padded.places, padded.count],
      ),
      check("different places further than 2 from a border", 0, padded.deep),
      check("stride 2, the picture moved by 2: different places", 0, stride.two),
      // Neighbouring responses overlap: an average over 25 of them counts as one. Four standard errors.
      check(
        "stride 2, moved by 1: mean square of the difference, relative",
        stride.theory,
        stride.one,
        Number((4 * stride.theory * Math.sqrt((2 * 25) / stride.places)).toPrecision(2)),
      ),
      check("a dense layer: the same", 2, dense, Number((4 * Math.sqrt(8 / denseOutputs)).toPrecision(2))),
    ];
  },
  figures: ({ pictures: { first, second, response }, difference }, { document }) => [
    {
      svg: imageRow(
        [
          { ...imageSource(signedPicture(first)), caption: "noise", pixelated: true },
          { ...imageSource(signedPicture(second)), caption: "3 down, 2 across", pixelated: true },
          { ...imageSource(signedPicture(response)), caption: "response", pixelated: true },
          {
            ...imageSource(signedPicture(difference)),
            caption: "difference",
            pixelated: true,
          },
        ],
        { document, width: 720 },
      ),
      caption:
        "Zeros around the picture: the responses to the two windows differ along the borders, and nowhere else. Mid-grey is 0.",
    },
  ],
});

function plane(height: number, width: number, value: (i: number, j: number) => number): number[][] {
  return Array.from({ length: height }, (_, i) => Array.from({ length: width }, (__, j) => value(i, j)));
}

const crop = (x: Plane, top: number, left: number) =>
  x.slice(top, top + size).map((row) => row.slice(left, left + size));

/** Places that two responses share, those where they differ in any bit, and those of these further than 2 from a border. */
function differing(a: Plane, b: Plane, top: number, left: number) {
  let [places, count, deep] = [0, 0, 0];
  for (let i = 0; i + top < a.length && i < b.length; i++) {
    for (let j = 0; j + left < a[0]!.length && j < b[0]!.length; j++) {
      places += 1;
      if (Object.is(a[i + top]![j + left], b[i]![j])) continue;
      count += 1;
      const ends = [i, j, a.length - 1 - i - top, a[0]!.length - 1 - j - left];
      if (Math.min(...ends) >= margin) deep += 1;
    }
  }
  return { places, count, deep };
}

/** Mean of (a − b)², in means of a² and b². */
function relative(a: Plane, b: Plane): number {
  let [difference, power] = [0, 0];
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    for (let j = 0; j < Math.min(a[i]!.length, b[i]!.length); j++) {
      difference += (a[i]![j]! - b[i]![j]!) ** 2;
      power += (a[i]![j]! ** 2 + b[i]![j]! ** 2) / 2;
    }
  }
  return difference / power;
}

/** Σ k[a][b] k[a][b + 1] / Σ k². */
function correlationWithItself(kernel: Plane): number {
  let [shifted, power] = [0, 0];
  for (const row of kernel) {
    for (const [b, tap] of row.entries()) {
      power += tap * tap;
      shifted += tap * (row[b + 1] ?? 0);
    }
  }
  return shifted / power;
}
