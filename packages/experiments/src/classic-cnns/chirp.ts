import { crossCorrelate1d } from "@gradlab/classic-cnns/by-hand";
import { curvesOverPoints, imageRow, imageSource } from "@gradlab/figures";
import { check } from "@gradlab/studies";
import { defineExperiment } from "../experiment.js";
import { greyPicture } from "./grey-picture.js";

const samples = 2400;
/** Cycles per sample, at the beginning and at the end. */
const [from, to] = [0.03, 0.47];
const taps = 65;
const bands = 48;

/** A tone that rises, seen by a bank of kernels; and what a stride of 2 makes of it. */
export const chirp = defineExperiment({
  id: "classic-cnns/chirp",
  title: "A bank of kernels hears a tone; a stride of 2 mishears it",
  about:
    `A tone rises from ${from} to ${to} cycles per sample. ${bands} pairs of 1-D kernels, a cosine and a sine under a Gaussian window of ${taps} taps, ` +
    "answer by the size of the pair: a spectrogram, whose ridge is the frequency at that time. Every second sample of the tone, as a stride of 2 " +
    "leaves it, holds frequencies up to ¼ of a cycle per old sample only: f above it comes out as ½ − f, and the ridge comes down again. A blur " +
    "in front, a sinc of half the band under a Hamming window, takes away what would come out wrong.",
  async *run() {
    const tone = Array.from({ length: samples }, (_, t) =>
      Math.cos(2 * Math.PI * (from * t + ((to - from) * t * t) / (2 * samples))),
    );
    const blurred = crossCorrelate1d(tone, lowPass(), { padding: "same" });
    const every = (x: readonly number[]) => x.filter((_, t) => t % 2 === 0);
    const pictures = {
      whole: spectrogram(tone, 1),
      strided: spectrogram(every(tone), 2),
      blurred: spectrogram(every(blurred), 2),
    };
    const times = [0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9];
    return {
      pictures,
      known: times.map((at) => from + (to - from) * at),
      whole: times.map((at) => ridge(pictures.whole, at)),
      strided: times.map((at) => ridge(pictures.strided, at)),
      // What is heard of the tone above ¼, at 0.8 of the time: with the blur in front, and without.
      left: loudest(pictures.blurred, 0.8) / loudest(pictures.strided, 0.8),
      kept: loudest(pictures.blurred, 0.2) / loudest(pictures.strided, 0.2),
    };
  },
  checks: ({ known, whole, strided, left, kept }) => {
    // Half the distance of two bands.
    const half = 0.5 / bands / 2;
    return [
      check(
        "ridge at 0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9 of the time, cycles per sample",
        known,
        whole,
        Number(half.toPrecision(2)),
      ),
      // The bands of the strided tone lie half as far apart; half a band of time resolution is added.
      check(
        "the same after a stride of 2: f, then ½ − f",
        known.map((f) => Math.min(f, 0.5 - f)),
        strided,
        Number(half.toPrecision(2)),
      ),
      check(
        "a tone above ¼ behind the blur, as a share of what it was: below a hundredth",
        1,
        +(left < 0.01),
      ),
      check("a tone below ¼ behind the blur, as a share of what it was", 1, kept, 0.02),
    ];
  },
  figures: ({ pictures }, { document }) => {
    const shown = (rows: readonly (readonly number[])[]) => {
      const most = Math.max(...rows.flat());
      // About 300 columns, and bands that are tall enough to be seen.
      const column = Math.ceil(rows[0]!.length / 300);
      const picture = rows.flatMap((row) => {
        const thinned = row.filter((_, t) => t % column === 0).map((value) => value / most);
        return Array.from({ length: 4 }, () => thinned);
      });
      return imageSource(greyPicture(picture));
    };
    const wave = Array.from({ length: 241 }, (_, i) => i / 10);
    const cosine = (f: number) => wave.map((t) => [t, Math.cos(2 * Math.PI * f * t)] as const);
    return [
      {
        svg: imageRow(
          [
            { ...shown(pictures.whole), caption: "the tone" },
            { ...shown(pictures.strided), caption: "every second sample" },
            { ...shown(pictures.blurred), caption: "blurred, then every second" },
          ],
          { document, width: 720 },
        ),
        caption:
          "Time to the right, frequency upwards: 0 … ½ of a cycle per sample, then, of every second sample, 0 … ¼ of a cycle per old one.",
      },
      {
        svg: curvesOverPoints(
          Array.from({ length: 13 }, (_, i) => [2 * i, Math.cos(2 * Math.PI * 0.4 * 2 * i)]),
          [
            { name: "0.4 cycles per sample", points: cosine(0.4) },
            { name: "0.1 cycles per sample", points: cosine(0.1) },
          ],
          { document, height: 260, xLabel: "sample", yLabel: "tone", pointsName: "every second sample" },
        ),
        caption: "Why: at every second sample a tone of 0.4 and one of 0.5 − 0.4 = 0.1 have the same values.",
      },
    ];
  },
});

/** Sizes of the answers, highest frequency first, `[band][time]`. The window is as long in old samples at any stride. */
function spectrogram(tone: readonly number[], stride: 1 | 2): number[][] {
  const length = (taps - 1) / stride + 1;
  const middle = (length - 1) / 2;
  return Array.from({ length: bands }, (_, i) => {
    const f = (bands - i - 0.5) * (0.5 / bands);
    const window = Array.from({ length }, (__, t) => Math.exp(-0.5 * ((t - middle) / (length / 6)) ** 2));
    const answers = [Math.cos, Math.sin].map((wave) =>
      crossCorrelate1d(
        tone,
        window.map((w, t) => w * wave(2 * Math.PI * f * (t - middle))),
        { padding: "same" },
      ),
    );
    return answers[0]!.map((value, t) => Math.hypot(value, answers[1]![t]!));
  });
}

/** The frequency that answers loudest at a share of the time, in cycles per old sample. */
function ridge(rows: readonly (readonly number[])[], at: number): number {
  const width = rows[0]!.length;
  const t = Math.round(at * (width - 1));
  const column = rows.map((row) => row[t]!);
  const top = column.indexOf(Math.max(...column));
  return ((bands - top - 0.5) * (0.5 / bands)) / Math.round(samples / width);
}

function loudest(rows: readonly (readonly number[])[], at: number): number {
  const t = Math.round(at * (rows[0]!.length - 1));
  return Math.max(...rows.map((row) => row[t]!));
}

/** A low-pass of half the band: sin(πt/2)/(πt) under a Hamming window, whose sum is 1. */
function lowPass(): number[] {
  const length = 63;
  const kernel = Array.from({ length }, (_, i) => {
    const t = i - (length - 1) / 2;
    const sinc = t === 0 ? 0.5 : Math.sin((Math.PI * t) / 2) / (Math.PI * t);
    return sinc * (0.54 + 0.46 * Math.cos((2 * Math.PI * t) / (length - 1)));
  });
  const sum = kernel.reduce((total, tap) => total + tap, 0);
  return kernel.map((tap) => tap / sum);
}
