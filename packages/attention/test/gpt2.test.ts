import { readFileSync } from "node:fs";
import { disposeParams, generate } from "@gradlab/core";
import { encodeFloat16, type RawTensor, writeSafetensors } from "@gradlab/safetensors";
import { readTorch } from "@gradlab/torch-files";
import { tensor2d } from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { applyGpt, gptModel } from "../src/index.js";
import { type Gpt2Config, gpt2 } from "../src/weights.js";
import { apart, backends, expectNoLeak, numbers, useBackend } from "./tensors.js";

const golden = JSON.parse(readFileSync(new URL("golden/gpt2.json", import.meta.url), "utf8")) as {
  config: Gpt2Config;
  ids: number[][];
  logits: number[];
  pth: string;
};
const pth = Uint8Array.from(Buffer.from(golden.pth, "base64"));
const state = (): Map<string, RawTensor> => readTorch(pth).tensors;

/** The file as safetensors, changed before it is written. */
function safetensors(change: (tensors: Map<string, RawTensor>) => void = () => undefined): Uint8Array {
  const tensors = new Map([...state()].filter(([name]) => !name.endsWith(".attn.bias")));
  change(tensors);
  return writeSafetensors(tensors);
}

describe.each(backends)("on %s", (backend) => {
  beforeAll(() => useBackend(backend));

  test.each([
    ["a .pth with masks and transformer. in its names", () => pth],
    ["safetensors", () => safetensors()],
    [
      "safetensors without prefix and head",
      () =>
        safetensors((tensors) => {
          for (const [name, raw] of [...tensors]) {
            tensors.delete(name);
            if (name.startsWith("transformer.")) tensors.set(name.slice(12), raw);
          }
        }),
    ],
  ])("the logits of a GPT-2 are those of its formula: %s", async (_, file) => {
    await expectNoLeak(async () => {
      const { config, read } = gpt2(golden.config);
      const params = read(file());
      const ids = tensor2d(golden.ids, undefined, "int32");
      const logits = applyGpt(params, ids, config);
      expect(apart(await numbers(logits), golden.logits)).toBeLessThan(1e-4);
      expect(Math.max(...golden.logits.map(Math.abs))).toBeGreaterThan(1);
      ids.dispose();
      disposeParams(params as never);
    });
  });
});

describe("on cpu", () => {
  beforeAll(() => useBackend("cpu"));

  test("a head of its own, and half precision, are read too", async () => {
    const file = safetensors((tensors) => {
      const head = tensors.get("lm_head.weight")!;
      tensors.set("lm_head.weight", {
        dtype: "F16",
        shape: head.shape,
        data: encodeFloat16((head.data as Float32Array).map((value) => 2 * value)),
      });
    });
    const { config, read } = gpt2({ ...golden.config, tie_word_embeddings: false });
    const params = read(file);
    expect(params.head!.shape).toEqual([12, 13]);
    const logits = await numbers(applyGpt(params, tensor2d(golden.ids, undefined, "int32"), config));
    // Numbers below 2 in half precision: 2^-11 each, over 12 products with numbers of a norm.
    expect(
      apart(
        logits,
        golden.logits.map((logit) => 2 * logit),
      ),
    ).toBeLessThan(12 * 2 ** -11);
    disposeParams(params as never);
  });

  test("it writes, token after token", async () => {
    const { config, read } = gpt2(golden.config);
    const params = read(pth);
    const written: number[] = [];
    for await (const { id } of generate(gptModel(params, config), [3, 1], { length: 8 })) written.push(id);
    const known = [3, 1];
    while (known.length < 10) {
      const ids = tensor2d([known], undefined, "int32");
      const last = (await numbers(applyGpt(params, ids, config))).slice(-13);
      known.push(last.indexOf(Math.max(...last)));
    }
    expect(written).toEqual(known.slice(2));
    disposeParams(params as never);
  });

  test.each<[string, () => unknown, string]>([
    [
      "a configuration of another width",
      () => gpt2({ ...golden.config, n_embd: 6 }).read(pth),
      "gpt2.read: tensors: expected the 28 of this configuration, got wte.weight [13, 12] instead of [13, 6]; wpe.weight",
    ],
    [
      "more blocks than there are",
      () => gpt2({ ...golden.config, n_layer: 3 }).read(pth),
      "no h.2.ln_1.weight [12]; no h.2.ln_1.bias [12]",
    ],
    [
      "fewer blocks than there are",
      () => gpt2({ ...golden.config, n_layer: 1 }).read(pth),
      "h.1.ln_1.weight [12], which it has no use for",
    ],
    [
      "a head that is not tied",
      () =>
        gpt2(golden.config).read(
          safetensors((tensors) =>
            tensors.set("lm_head.weight", { dtype: "F32", shape: [13, 12], data: new Float32Array(156) }),
          ),
        ),
      "a lm_head.weight that is not wte.weight, although they are tied",
    ],
    [
      "whole numbers",
      () =>
        gpt2(golden.config).take(
          new Map(state()).set("transformer.ln_f.bias", {
            dtype: "I32",
            shape: [12],
            data: new Int32Array(12),
          }),
        ),
      "ln_f.bias of I32",
    ],
    [
      "another activation",
      () => gpt2({ ...golden.config, activation_function: "silu" }),
      'gpt2: config.activation_function: expected one of gelu_new, gelu, relu, got "silu"',
    ],
    [
      "scores of another scale",
      () => gpt2({ ...golden.config, scale_attn_by_inverse_layer_idx: true }),
      "gpt2: config.scale_attn_by_inverse_layer_idx: expected false, got true",
    ],
    [
      "no number of heads",
      () => gpt2({ ...golden.config, n_head: undefined } as never),
      "gpt2: config.heads: expected an integer, at least 1, got undefined",
    ],
  ])("%s: refused", (_, work, message) => {
    expect(work).toThrow(message);
  });
});
