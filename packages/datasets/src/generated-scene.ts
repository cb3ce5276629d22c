import { uniform as drawUniform, randomStream } from "@gradlab/random";
import { expectInteger } from "./expect-values.js";
import type { Pixels } from "./pixels.js";

/**
 * A landscape for machines without photographs: sky, sun, ranges of hills and
 * trees, with grain. Made of smooth and of busy regions, as pictures are.
 *
 * @param size `[height, width]` in pixels.
 * @param seed Another landscape for every seed; 0 unless given.
 * @returns Red, green and blue.
 * @throws {TypeError | RangeError} when a length is not positive or the seed not a safe integer.
 */
export function generatedScene(
  [height, width]: readonly [height: number, width: number],
  seed = 0,
): Pixels & { readonly data: Uint8Array } {
  expectInteger("generatedScene: size[0]", height, 1);
  expectInteger("generatedScene: size[1]", width, 1);
  expectInteger("generatedScene: seed", seed, 0);
  const stream = randomStream({ seed, purpose: "generated-scene", index: 0 });
  const uniform = () => drawUniform(stream);
  const data = new Uint8Array(3 * width * height);
  const sun = { x: width * (0.2 + 0.6 * uniform()), y: height * (0.12 + 0.14 * uniform()), r: height * 0.07 };
  const ranges = [0.46, 0.58, 0.72].map((base, depth) => ({
    base,
    color: [
      [126, 148, 178],
      [84, 122, 108],
      [46, 84, 52],
    ][depth]!,
    waves: Array.from({ length: 5 }, (_, octave) => ({
      amplitude: (0.075 / 2 ** octave) * (0.6 + 0.8 * uniform()),
      frequency: (2 * Math.PI * 2 ** octave * (0.8 + 0.4 * uniform())) / width,
      phase: 2 * Math.PI * uniform(),
    })),
  }));
  const ridge = ({ base, waves }: (typeof ranges)[number], x: number) =>
    height *
    (base +
      waves.reduce(
        (sum, { amplitude, frequency, phase }) => sum + amplitude * Math.sin(frequency * x + phase),
        0,
      ));
  const trees = Array.from({ length: 26 }, () => {
    const x = width * uniform();
    const tall = height * (0.09 + 0.12 * uniform());
    return { x, tall, foot: ridge(ranges[2]!, x) + tall * 0.35, shade: 0.7 + 0.5 * uniform() };
  });
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const t = y / height;
      let color = [120 + 110 * t, 170 + 50 * t, 224 - 14 * t];
      const glow = Math.max(0, 1 - Math.hypot(x - sun.x, y - sun.y) / (sun.r * 4));
      color = color.map((value, i) => value + glow * [60, 46, 10][i]!);
      if (Math.hypot(x - sun.x, y - sun.y) < sun.r) color = [255, 240, 196];
      for (const range of ranges) {
        const below = y - ridge(range, x);
        if (below > 0) color = range.color.map((value) => value * (1 - Math.min(0.35, below / height)));
      }
      for (const { x: at, tall, foot, shade } of trees) {
        const up = foot - y;
        if (up >= 0 && up < tall && Math.abs(x - at) < (1 - up / tall) * tall * 0.3) {
          color = [28 * shade, 60 * shade, 34 * shade];
        }
      }
      const grain = 14 * (uniform() - 0.5);
      const place = 3 * (y * width + x);
      for (let i = 0; i < 3; i++) data[place + i] = Math.max(0, Math.min(255, Math.round(color[i]! + grain)));
    }
  }
  return { width, height, data };
}
