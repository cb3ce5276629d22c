import { courseIndex, courseMarkdown, experiments } from "@gradlab/experiments";
import { initMadaline, truthTable } from "@gradlab/lms";
import { isInput, studies } from "@gradlab/studies";
import { expect, test } from "vitest";
import { elmanStates, elmanWeights } from "../../../packages/experiments/src/claims/elman.js";
import { softmaxLoss } from "../../../packages/experiments/src/claims/softmax-loss.js";
import { wilsonInterval } from "../../../packages/experiments/src/classic-cnns/wilson-interval.js";
import { expectedTestError } from "../../../packages/experiments/src/lms/expected-test-error.js";
import { signGradientByHand } from "../../../packages/experiments/src/lms/straight-through.js";
import { formulaOf } from "../../../packages/studies/src/studies/neuron.js";
import { figureDocument } from "../src/pictures.js";

test("the mean error of a polynomial through every point is that of Lagrange's basis", () => {
  const x = [-1, -0.4, 0.1, 0.5, 1];
  const testAt = Array.from({ length: 31 }, (_, i) => -1 + i / 15);
  const basis = (at: number, i: number) =>
    x.reduce((product, node, j) => (j === i ? product : (product * (at - node)) / (x[i]! - node)), 1);
  let known = 0;
  for (const at of testAt) for (const i of x.keys()) known += (0.3 ** 2 * basis(at, i) ** 2) / testAt.length;
  const { expected } = expectedTestError({ x, degree: 4, testAt, noise: 0.3, draws: 10 });
  expect(Math.abs(expected / known - 1)).toBeLessThan(1e-12);
});

test("the mean error of a straight line is that of the textbook, and its spread that of a quadratic form", () => {
  const x = [-1, 0, 2, 3];
  const testAt = [0, 1];
  // σ² (1/n + (x − x̄)² / Σ(x − x̄)²), with x̄ = 1 and a sum of squares of 10.
  const { expected, standardError } = expectedTestError({ x, degree: 1, testAt, noise: 2, draws: 8 });
  expect(expected).toBeCloseTo(4 * ((1 / 4 + 1 / 10 + 1 / 4) / 2), 12);
  // Orthonormal: 1/2 and (x − 1)/√10. Their Gram matrix over the two points is [[1/4, −1/(4√10)], [·, 1/20]].
  const squares = 1 / 16 + 2 / 160 + 1 / 400;
  expect(standardError).toBeCloseTo(4 * Math.sqrt((2 * squares) / 8), 12);
});

test("straight-through slopes are the derivatives of a net whose signs are ramps near where they stand", () => {
  const X = truthTable(2);
  const t = [-1, 1, 1, -1];
  let active = 0;
  for (let index = 0; index < 20; index++) {
    const net = initMadaline([2, 2, 1], { seed: 3, index, scale: 0.6 });
    const start = net.layers.flatMap((layer) => [...layer]);
    const at = (w: readonly number[], k: number) => {
      const x = X.data.subarray(3 * k, 3 * k + 3);
      const first = [0, 1].map((unit) => [0, 1, 2].reduce((sum, i) => sum + w[3 * unit + i]! * x[i]!, 0));
      return { first, join: (y: readonly number[]) => w[6]! + w[7]! * y[0]! + w[8]! * y[1]! };
    };
    const ramp = (s: number, s0: number) => (s0 < 0 ? -1 : 1) + (Math.abs(s0) <= 1 ? s - s0 : 0);
    const error = (w: readonly number[]) =>
      t.reduce((sum, target, k) => {
        const [now, before] = [at(w, k), at(start, k)];
        const s0 = before.join(before.first.map((s) => (s < 0 ? -1 : 1)));
        const s = now.join(now.first.map((one, unit) => ramp(one, before.first[unit]!)));
        return sum + 0.5 * (ramp(s, s0) - target) ** 2;
      }, 0);
    // The error is of degree 4 in a weight at most: central differences are off by 1e-12 and by rounding.
    const known = start.map(
      (w, i) => (error(start.with(i, w + 1e-5)) - error(start.with(i, w - 1e-5))) / 2e-5,
    );
    const got = signGradientByHand(net, X, t);
    for (const [i, value] of got.entries()) expect(Math.abs(value - known[i]!)).toBeLessThan(1e-8);
    active += got.filter((value) => value !== 0).length;
  }
  expect(active).toBeGreaterThan(60);
});

test("the gradient of a loss behind one softmax and behind two is that of central differences", () => {
  const z = Float64Array.of(0.3, -1.2, 2.5, 0.9, -0.4);
  for (const softmaxes of [1, 2] as const) {
    const { gradient, loss } = softmaxLoss(z, 3, softmaxes);
    for (const i of z.keys()) {
      const at = (by: number) => softmaxLoss(z.with(i, z[i]! + by), 3, softmaxes).loss;
      expect(Math.abs(gradient[i]! - (at(1e-5) - at(-1e-5)) / 2e-5)).toBeLessThan(1e-9);
    }
    const p = Array.from(z, (value) => Math.exp(value) / z.reduce((sum, one) => sum + Math.exp(one), 0));
    const outputs = softmaxes === 1 ? [...z] : p;
    expect(loss).toBeCloseTo(
      Math.log(outputs.reduce((sum, one) => sum + Math.exp(one), 0)) - outputs[3]!,
      12,
    );
  }
});

test("the states of the Elman network are those of three units written out", () => {
  const { W, V, b } = elmanWeights;
  let h = [0, 0, 0];
  for (const state of elmanStates(4)) {
    h = [0, 1, 2].map((j) => {
      let sum = b[j]! + V[0][j]! + V[1][j]! + V[2][j]!;
      for (let i = 0; i < 3; i++) sum += h[i]! * W[i]![j]!;
      return Math.tanh(sum);
    });
    for (const j of [0, 1, 2]) expect(Math.abs(state[j]! - h[j]!)).toBeLessThan(1e-14);
  }
});

test("shares at the ends of Wilson's interval are 1.96 of their own standard deviations from what was seen", () => {
  for (const [hits, count] of [[0, 10], [3, 10], [478, 500], [500, 500]] as const) {
    const [low, high] = wilsonInterval(hits, count);
    const share = hits / count;
    expect(low <= share && share <= high).toBe(true);
    for (const end of [low, high]) {
      // The square root of a rounding error, where the end is 0 or 1.
      const deviations = Math.abs(share - end) - 1.959964 * Math.sqrt((end * (1 - end)) / count);
      expect(Math.abs(deviations)).toBeLessThan(1e-8);
    }
    expect(high - low).toBeGreaterThan(0);
  }
}); // biome-ignore format: a table

/** They compute without tensors: every check holds for another seed too, and every figure can be drawn. */
const without = experiments.filter(
  ({ id }) => id.startsWith("claims/") || /^classic-cnns\/(shifts|chirp|n-grams|pools)$/.test(id),
);
test.each(without.map(({ id }) => id))(
  "%s holds for another seed, and its figures have captions",
  async (id) => {
    const one = experiments.find((experiment) => experiment.id === id)!;
    const events = one.run(
      { seed: 7 },
      {},
      {
        signal: new AbortController().signal,
        openBackend: () => Promise.reject(new Error("no backend here")),
      },
    );
    let next = await events.next();
    while (!next.done) next = await events.next();
    expect(one.checks(next.value).filter(({ ok }) => !ok)).toEqual([]);
    const document = await figureDocument();
    const figures = one.figures(next.value, { document });
    expect(figures.map(({ svg, caption }) => [svg.tagName, caption.endsWith(".")])).toEqual(
      figures.map(() => ["svg", true]),
    );
  },
);

test("the formula of every function of three inputs has its truth table", () => {
  for (let number = 0; number < 256; number++) {
    const outputs = Array.from({ length: 8 }, (_, row) => ((number >> row) & 1 ? 1 : -1));
    const formula = formulaOf(outputs, 3);
    for (const [row, output] of outputs.entries()) {
      const isTrue = (literal: string) =>
        literal.startsWith("not ") ? !isOn(literal.slice(4)) : isOn(literal);
      const isOn = (name: string) => ((row >> (3 - Number(name.slice(1)))) & 1) === 1;
      const got =
        formula === "true" ||
        (formula !== "false" &&
          formula.split(" or ").some((term) => term.replace(/[()]/g, "").split(" and ").every(isTrue)));
      expect([number, formula, row, got]).toEqual([number, formula, row, output === 1]);
    }
  }
});

test("the course index asks of every experiment, and its commands and flags are there", async () => {
  const questions = courseIndex.flatMap((chapter) => chapter.questions);
  expect(new Set(questions.map(({ experiment }) => experiment))).toEqual(
    new Set(experiments.map(({ id }) => id)),
  );
  for (const { command } of questions) {
    if (command === undefined) continue;
    const [name, ...words] = command.split(" ");
    const study = studies.find((one) => one.name === name);
    expect([command, study?.name]).toEqual([command, name]);
    const inputs = Object.values(study!.options).filter(isInput);
    const flags = Object.keys(study!.options).map(
      (option) => `--${option.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    );
    for (const word of words) {
      if (word.startsWith("--") && word !== "--out") expect(flags).toContain(word);
    }
    if (words.at(-1)?.endsWith(".jpg")) expect(inputs.some(({ positional }) => positional)).toBe(true);
  }
  await expect(courseMarkdown()).toMatchFileSnapshot("../../../docs/course.md");
});
