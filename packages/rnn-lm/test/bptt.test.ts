import { disposeParams, flattenParams, lossAndGradients } from "@gradlab/core";
import { corpusOf, generateText, textColumns } from "@gradlab/datasets";
import { slice, type Tensor2D, tensor2d } from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import {
  applyLanguageModel,
  bpttGradients,
  gradientNoise,
  initLanguageModelState,
  type LanguageModelParams,
  languageModelLoss,
} from "../src/index.js";
import { expectClose, expectNoLeak } from "./tensors.js";

const { dictionary, ids } = corpusOf(generateText({ tokens: 600 }));
const spec = {
  cell: "lstm",
  vocabulary: dictionary.tokens.length,
  embedding: 5,
  hidden: 7,
  layers: 2,
} as const;
const { inputs, targets, shape } = textColumns(ids, { columns: 4, length: 24 }).batch(0);
const tokens = () => ({ inputs: tensor2d(inputs, [...shape], "int32"), targets: tensor2d(targets, [...shape], "int32") }); // biome-ignore format: one line

async function flat(params: LanguageModelParams): Promise<Record<string, number[]>> {
  const all = flattenParams(params).map(
    async ([path, tensor]) => [path, Array.from(await tensor.data())] as const,
  );
  return Object.fromEntries(await Promise.all(all));
}

test("truncated to the whole length it is the full gradient; to less the loss is the same, the gradient and the memory are not", async () => {
  const state = initLanguageModelState(spec, { seed: 1, batch: 4 });
  const text = tokens();
  await expectNoLeak(async () => {
    const { loss, gradients } = lossAndGradients(
      { params: state.params },
      ({ params }) => languageModelLoss(spec, { params, carry: state.carry }, text).loss,
    );
    const expected = await flat(gradients);
    const full = await bpttGradients(spec, state, text);
    const whole = await bpttGradients(spec, state, text, { length: 24 });
    const cut = await bpttGradients(spec, state, text, { length: 6 });
    expect(await flat(full.gradients)).toEqual(expected);
    expect(await flat(whole.gradients)).toEqual(expected);
    expect(full.loss).toBe((await loss.data())[0]);
    expect(Math.abs(cut.loss - full.loss)).toBeLessThan(2e-6);
    const truncated = await flat(cut.gradients);
    // The output layer sees the same states; the weights of the recurrence lose what goes back over a cut.
    expectClose(truncated.kernel!, expected.kernel!, 1e-6);
    const difference = Math.max(...truncated["layers.0.recurrent"]!.map((g, i) => Math.abs(g - expected["layers.0.recurrent"]![i]!))); // biome-ignore format: one line
    expect(difference).toBeGreaterThan(1e-5);
    expect(cut.heldBytes).toBeLessThan(full.heldBytes / 3);
    expect(cut.heldBytes).toBeGreaterThan(full.heldBytes / 12);
    for (const one of [gradients, full.gradients, whole.gradients, cut.gradients]) disposeParams(one);
    loss.dispose();
  });
  await expect(bpttGradients(spec, state, text, { length: 7 })).rejects.toThrow(
    "bpttGradients: length: expected a divisor of 24, got 7",
  );
  disposeParams(state);
  for (const tensor of Object.values(text)) tensor.dispose();
});

test("a truncated gradient is the sum of those of the pieces, each from the state that is a constant to it", async () => {
  const state = initLanguageModelState(spec, { seed: 1, batch: 4 });
  const text = tokens();
  const cut = await bpttGradients(spec, state, text, { length: 12 });
  const part = (ids: Tensor2D, from: number) => slice(ids, [0, from], [4, 12]) as Tensor2D;
  const middle = applyLanguageModel(spec, state.params, part(text.inputs, 0), state.carry).carry;
  const pieces = [state.carry, middle].map((carry, i) =>
    lossAndGradients(
      { params: state.params },
      ({ params }) =>
      languageModelLoss(spec, { params, carry }, { inputs: part(text.inputs, 12 * i), targets: part(text.targets, 12 * i) }).loss, // biome-ignore format: one line
    ),
  );
  const [first, second] = [await flat(pieces[0]!.gradients), await flat(pieces[1]!.gradients)];
  for (const [path, values] of Object.entries(await flat(cut.gradients))) {
    expectClose(
      values,
      first[path]!.map((g, i) => (g + second[path]![i]!) / 2),
      1e-6,
      path,
    );
  }
});

test("the noise of a gradient is 0 where both halves say the same, and what the formula makes of two that differ", async () => {
  const state = initLanguageModelState(spec, { seed: 1, batch: 4 });
  const twice = (tokens: Int32Array) => Int32Array.of(...tokens.subarray(0, 48), ...tokens.subarray(0, 48));
  const same = await gradientNoise(spec, state, { inputs: twice(inputs), targets: twice(targets), shape });
  for (const { path, norm, signal, noise } of same) {
    expect(Math.abs(noise), path).toBeLessThan(1e-6 * norm ** 2 + 1e-12);
    expect(Math.abs(signal / norm ** 2 - 1), path).toBeLessThan(1e-5);
  }
  let found: Awaited<ReturnType<typeof gradientNoise>> = [];
  await expectNoLeak(async () => {
    found = await gradientNoise(spec, state, { inputs, targets, shape });
  });
  const halves = await Promise.all(
    [0, 2].map(async (from) => {
      const rows = (ids: Int32Array) => tensor2d(ids.subarray(from * 24, (from + 2) * 24), [2, 24], "int32");
      const carry = initLanguageModelState(spec, { seed: 1, batch: 2 }).carry;
      return flat(lossAndGradients({ params: state.params }, ({ params }) => languageModelLoss(spec, { params, carry }, { inputs: rows(inputs), targets: rows(targets) }).loss).gradients); // biome-ignore format: one line
    }),
  );
  for (const { path, norm, noise, signal, scale } of found) {
    const [a, b] = halves.map((half) => half[path]!) as [number[], number[]];
    const squares = (values: number[]) => values.reduce((sum, value) => sum + value ** 2, 0);
    const whole = squares(a.map((value, i) => (value + b[i]!) / 2));
    // Of two halves: the variance of one text is that of a half, |a - b|²/2, times its two texts.
    const variance = squares(a.map((value, i) => value - b[i]!));
    expect(Math.abs(norm / Math.sqrt(whole) - 1), path).toBeLessThan(1e-4);
    expect(Math.abs(noise / variance - 1), path).toBeLessThan(1e-3);
    expect(Math.abs(signal - (whole - variance / 4)), path).toBeLessThan(1e-5 * (whole + variance));
    expect(scale === null, path).toBe(signal <= 0);
  }
  await expect(gradientNoise(spec, state, { inputs, targets, shape: [1, 96] })).rejects.toThrow(
    "gradientNoise: batch: expected an even number of texts, got 1",
  );
});
