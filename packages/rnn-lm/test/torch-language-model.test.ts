import { readFileSync } from "node:fs";
import { disposeParams, disposeTraining, startTraining } from "@gradlab/core";
import { textColumns } from "@gradlab/datasets";
import type { RawTensor } from "@gradlab/safetensors";
import { tensor2d, tidy } from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import {
  applyLanguageModel,
  initCarry,
  initLanguageModel,
  languageModelFromTorch,
  languageModelToTorch,
  recurrentSpec,
  trainLanguageModel,
} from "../src/index.js";
import { expectClose, expectNoLeak, numbers } from "./tensors.js";

interface Golden {
  readonly sizes: { readonly batch: number; readonly steps: number };
  readonly ids: number[];
  readonly tensors: Readonly<Record<string, { readonly shape: number[]; readonly values: number[] }>>;
  readonly logits: number[];
  readonly losses: number[];
  readonly norms: number[];
}
const golden: Golden = JSON.parse(
  readFileSync(new URL("golden/torch-language-model.json", import.meta.url), "utf8"),
);
const tensors = new Map(
  Object.entries(golden.tensors).map(([name, { shape, values }]): [string, RawTensor] => [
    name,
    { dtype: "F32", shape, data: Float32Array.from(values) },
  ]),
);

test("a model of PyTorch expects the same here, and its training goes the same way", async () => {
  const { spec, params } = languageModelFromTorch(tensors);
  expect(spec).toEqual({ cell: "lstm", vocabulary: 11, embedding: 4, hidden: 5, layers: 2, tied: false });
  const { batch, steps } = golden.sizes;
  const rows = golden.ids.length / batch;
  const inputs = Array.from({ length: batch }, (_, b) => golden.ids.slice(b * rows, b * rows + steps));
  const logits = tidy(() => applyLanguageModel(spec, params, tensor2d(inputs, [batch, steps], "int32"), initCarry(recurrentSpec(spec), batch)).logits); // biome-ignore format: one line
  expectClose(await numbers(logits), golden.logits, 1e-6);
  const training = startTraining(
    { params, carry: initCarry(recurrentSpec(spec), batch) },
    { name: "adam", learningRate: 0.01 },
  );
  const losses: number[] = [];
  const norms: number[] = [];
  const columns = textColumns(Int32Array.from(golden.ids), { columns: batch, length: steps });
  const options = { batch: columns.batch, steps: 5, maxNorm: 0.5 };
  for await (const { loss, gradientNorm } of trainLanguageModel(spec, training, options)) {
    losses.push(loss);
    norms.push(gradientNorm);
  }
  // Single precision, through five updates of Adam.
  expectClose(losses, golden.losses, 1e-5);
  expectClose(norms, golden.norms, 1e-5);
  expect(losses[4]).toBeLessThan(losses[0]!);
  disposeTraining(training);
  disposeParams(params);
});

test("weights come back from PyTorch's names and layout as they were, tied ones too", async () => {
  for (const tied of [false, true]) {
    const spec = { cell: "gru", vocabulary: 6, embedding: 4, hidden: 4, layers: 2, tied } as const;
    const params = initLanguageModel(spec, { seed: 3 });
    const names = { embedding: "encoder", recurrent: "rnn", output: "decoder" };
    const written = await languageModelToTorch(spec, params, names);
    expect([...written.keys()].filter((name) => !name.startsWith("rnn."))).toEqual([
      "encoder.weight",
      "decoder.weight",
      "decoder.bias",
    ]);
    const read = languageModelFromTorch(written, names);
    expect(read.spec).toEqual(spec);
    for (const name of ["embedding", "kernel", "bias"] as const) {
      expect(await read.params[name]?.data()).toEqual(await params[name]?.data());
    }
    disposeParams(params);
    disposeParams(read.params);
  }
});

test("what is missing or of another shape is named, and nothing is left behind", async () => {
  await expectNoLeak(() => {
    expect(() => languageModelFromTorch(tensors, { output: "decoder" })).toThrow(
      "languageModelFromTorch: decoder.weight: expected a tensor of this name, got embed.weight",
    );
    const odd = new Map(tensors).set("lstm.weight_hh_l0", {
      dtype: "F32",
      shape: [6, 3],
      data: new Float32Array(18),
    });
    expect(() => languageModelFromTorch(odd)).toThrow(
      "expected 4, 3 or 1 times as many rows as columns, got [6, 3]",
    );
    const whole = new Map(tensors).set("linear.bias", {
      dtype: "I32",
      shape: [11],
      data: new Int32Array(11),
    });
    expect(() => languageModelFromTorch(whole)).toThrow(
      'languageModelFromTorch: linear.bias: expected numbers of floating point, got "I32"',
    );
  });
});
