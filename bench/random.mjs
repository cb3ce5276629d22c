import { fillNormal, fillUniform, integer, normal, randomStream, uint32, uniform } from "@gradlab/random";
import { interleaved } from "./interleaved.mjs";

const COUNT = 1 << 19;

const single = new Float32Array(COUNT);
const double = new Float64Array(COUNT);
const stream = randomStream({ seed: 0, purpose: "bench" });

const mathUniform = (target) => () => {
  for (let i = 0; i < COUNT; i++) target[i] = Math.random();
};

/** Box-Muller, two numbers of two: the common way without a package. */
const mathNormal = (target) => () => {
  for (let i = 0; i < COUNT; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - Math.random()));
    const angle = 2 * Math.PI * Math.random();
    target[i] = radius * Math.cos(angle);
    target[i + 1] = radius * Math.sin(angle);
  }
};

const each = (draw) => () => {
  for (let i = 0; i < COUNT; i++) double[i] = draw(i);
};

const cases = [
  ["fillUniform Float32Array", () => fillUniform(stream, single), "Math.random", mathUniform(single)],
  ["fillUniform Float64Array", () => fillUniform(stream, double), "Math.random", mathUniform(double)],
  ["uniform", each(() => uniform(stream)), "Math.random", mathUniform(double)],
  [
    "fillNormal Float32Array",
    () => fillNormal(stream, single),
    "Box-Muller of Math.random",
    mathNormal(single),
  ],
  [
    "fillNormal Float64Array",
    () => fillNormal(stream, double),
    "Box-Muller of Math.random",
    mathNormal(double),
  ],
  ["normal", each(() => normal(stream)), "Box-Muller of Math.random", mathNormal(double)],
  [
    "integer below 1000",
    each(() => integer(stream, 0, 1000)),
    "floor of 1000 Math.random",
    each(() => Math.floor(1000 * Math.random())),
  ],
  [
    "randomStream with its first number",
    each((index) => uint32(randomStream({ seed: 0, purpose: "bench", index }))),
    "Math.random",
    mathUniform(double),
  ],
];

/**
 * Numbers per second, and how many times as many as the reference makes: medians of nine pairs, ours and the
 * reference's run one after the other, so that other load on the machine weighs on both.
 */
export function run() {
  return cases.map(([name, ours, reference, theirs]) => {
    const { ours: time, ratio } = interleaved(ours, theirs);
    return {
      name: `random: ${name}`,
      value: COUNT / time / 1e3,
      unit: "million/s",
      reference,
      ratio: 1 / ratio,
    };
  });
}
