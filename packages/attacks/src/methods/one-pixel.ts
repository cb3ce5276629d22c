import type { Attack } from "../attack.js";
import { marginOf } from "../driver/judge.js";
import { logitsAt, logitsAtAll } from "../driver/query.js";
import type { Sample } from "../driver/sample.js";
import { expectInteger, expectNumber } from "../expect-values.js";

export interface OnePixelOptions {
  /** How many pixels; 1 unless given. */
  readonly pixels?: number;
  /** Candidates that compete; 100 unless given, 400 in the paper. */
  readonly population?: number;
  /** 75 unless given. */
  readonly generations?: number;
  /** The weight of a difference of two candidates; 0.5 unless given. */
  readonly weight?: number;
}

/**
 * The one-pixel attack: differential evolution over the place and the colour of a few pixels. Needs the scores alone.
 *
 * Images are `[height, width, channels]`. A child takes the place of its parent where it is better.
 *
 * @see Su, Vargas, Sakurai 2019, §III, https://arxiv.org/abs/1710.08864
 */
export function onePixel(options: OnePixelOptions = {}): Attack {
  const { pixels = 1, population = 100, generations = 75, weight = 0.5 } = options;
  expectInteger("onePixel: pixels", pixels, 1);
  expectInteger("onePixel: population", population, 4);
  expectInteger("onePixel: generations", generations, 1);
  expectNumber("onePixel: weight", weight, "a number in (0, 2]", (x) => x > 0 && x <= 2);
  return {
    name: "one-pixel",
    norm: "l0",
    goal: "nearest",
    needs: "scores",
    targeting: "both",
    *run(sample) {
      const draws = sample.draws("one-pixel");
      const channels = sample.shape.length < 3 ? 1 : sample.shape.at(-1)!;
      const genes = pixels * (1 + channels);
      // A place and colours, all in [0, 1).
      let parents = Array.from({ length: population }, () => draws.uniform(genes));
      const looks = (all: readonly Float64Array[]) => all.map((each) => painted(sample, each, channels));
      let worth = (yield* logitsAtAll(looks(parents))).map((logits) => marginOf(logits, sample));
      for (let g = 0; g < generations; g++) {
        if (sample.found() !== null) return;
        const children = parents.map(() => {
          const [a, b, c] = [0, 0, 0].map(() => parents[draws.integer(0, population)]!) as [
            Float64Array,
            Float64Array,
            Float64Array,
          ];
          return a.map((value, i) => {
            const child = value + weight * (b[i]! - c[i]!);
            // What leaves the range is drawn again.
            return child >= 0 && child < 1 ? child : draws.uniform(1)[0]!;
          });
        });
        const theirs = (yield* logitsAtAll(looks(children))).map((logits) => marginOf(logits, sample));
        parents = parents.map((parent, i) => (theirs[i]! > worth[i]! ? children[i]! : parent));
        worth = worth.map((value, i) => Math.max(value, theirs[i]!));
      }
      const best = worth.indexOf(Math.max(...worth));
      yield* logitsAt(painted(sample, parents[best]!, channels));
    },
  };
}

/** The image with the pixels that a candidate describes. */
function painted({ x, lower, upper }: Sample, genes: Float64Array, channels: number): Float32Array {
  const result = x.slice();
  const places = x.length / channels;
  for (let at = 0; at < genes.length; at += 1 + channels) {
    const pixel = Math.min(Math.floor(genes[at]! * places), places - 1);
    for (let c = 0; c < channels; c++) {
      const i = pixel * channels + c;
      result[i] = lower[i]! + genes[at + 1 + c]! * (upper[i]! - lower[i]!);
    }
  }
  return result;
}
