import { readFileSync } from "node:fs";
import { disposeTraining, flattenParams, type Params, saveCheckpoint, startTraining } from "@gradlab/core";
import type { LayerGraph } from "@gradlab/receptive-field";
import { readSafetensors, SafetensorsError, writeSafetensors } from "@gradlab/safetensors";
import { TorchFileError } from "@gradlab/torch-files";
import { tensor4d } from "@tensorflow/tfjs-core";
import { beforeEach, expect, test } from "vitest";
import { applyNetwork, network } from "../src/index.js";
import { readWeights, toTorchState, type WeightsFile, writeWeights } from "../src/weights.js";
import { closedFormState, torchFile } from "./closed-form-state.js";
import { closedFormWeights } from "./closed-form-weights.js";
import { disposeState, expectNoLeak, numbers, useBackend } from "./tensors.js";

const graph = network("resnet18", { width: 0.125, classes: 3, inputSize: 33 });

beforeEach(() => useBackend("cpu"));

/** Fails unless the weights read are bit for bit those in closed form; disposes them. */
async function expectClosedForm(read: WeightsFile): Promise<void> {
  const own = closedFormWeights(graph);
  for (const record of ["params", "statistics"] as const) {
    const found = flattenParams(read[record]);
    expect(found.map(([path]) => path)).toEqual(flattenParams(own[record]).map(([path]) => path));
    for (const [i, [, expected]] of flattenParams(own[record]).entries()) {
      expect(found[i]![1].shape).toEqual(expected.shape);
      expect(await found[i]![1].data()).toEqual(await expected.data());
    }
  }
  disposeState(own);
  disposeState(read);
}

test("every kind of file gives the same weights and is told by its bytes alone", async () => {
  await expectNoLeak(async () => {
    const weights = closedFormWeights(graph);
    const state = await toTorchState(graph, weights);
    const grouped = startTraining<{ params: Params; statistics: Params }>(
      weights,
      { name: "sgd", learningRate: 0.1 },
      { trainable: (path) => path.startsWith("params.") },
    );
    const files = {
      weights: await writeWeights(graph, weights, { metadata: { network: "resnet18" } }),
      checkpoint: await saveCheckpoint(grouped),
      safetensors: writeSafetensors(state, { metadata: { format: "pt" } }),
      torch: torchFile(closedFormState(graph)),
    };
    disposeTraining(grouped);
    disposeState(weights);
    for (const [format, file] of Object.entries(files)) {
      const read = readWeights(graph, file);
      expect(read).toMatchObject({ format, ignored: [] });
      const strings = { weights: [["network", "resnet18"]], safetensors: [["format", "pt"]] } as Record<
        string,
        unknown
      >;
      expect([...read.metadata]).toEqual(strings[format] ?? []);
      file.fill(0); // the bytes are not kept
      await expectClosedForm(read);
    }
  });
});

test("a checkpoint of parameters alone is read", async () => {
  await expectNoLeak(async () => {
    const small = network("small-cnn");
    const { params, statistics } = closedFormWeights(small);
    const training = startTraining(params, { name: "sgd", learningRate: 0.1 });
    const read = readWeights(small, await saveCheckpoint(training));
    expect(read.format).toBe("checkpoint");
    expect(flattenParams(read.params).map(([path, { shape }]) => [path, shape])).toEqual(
      flattenParams(params).map(([path, { shape }]) => [path, shape]),
    );
    disposeTraining(training);
    disposeState(read);
    disposeState({ params, statistics });
  });
});

const torchFiles = new URL("../../torch-files/test/golden/", import.meta.url);

// Layers of the module that scripts/golden/torch_files.py of torch-files saves.
const saved: LayerGraph = {
  input: { shape: [5, 5], channels: 3 },
  layers: [
    { name: "features.0", op: "conv", kernel: 3, filters: 4, bias: false },
    { name: "features.1", op: "pointwise", fn: "batch-norm" },
    { name: "features.2", op: "pointwise", fn: "relu" },
    { name: "features.3", op: "conv", kernel: 3, filters: 6 },
    { name: "flatten", op: "flatten" },
    { name: "classifier", op: "dense", units: 5 },
  ],
};

test.each([
  ["network-zip.pth", "torch"],
  ["network-legacy.pth", "torch-legacy"],
  ["checkpoint-zip.pth", "torch"],
  ["checkpoint-legacy.pth", "torch-legacy"],
])("%s, written by PyTorch, computes the logits of its module", async (name, format) => {
  await expectNoLeak(async () => {
    const file = readFileSync(new URL(name, torchFiles));
    const golden = JSON.parse(readFileSync(new URL("torch-files.json", torchFiles), "utf8"));
    const read = readWeights(saved, file);
    expect(read.format).toBe(format);
    const nhwc = Float32Array.from({ length: 150 }, (_, i) => {
      const [b, at, c] = [Math.floor(i / 75), Math.floor(i / 3) % 25, i % 3];
      return Math.sin(0.7 * ((b * 3 + c) * 25 + at));
    });
    const x = tensor4d(nhwc, [2, 5, 5, 3]);
    const logits = await numbers(applyNetwork(saved, read, x));
    const expected: number[] = golden.logits.values.flat();
    // float32 sums of 54 terms at most, of size 1; the images are rounded on both sides
    for (const [i, value] of logits.entries()) expect(Math.abs(value - expected[i]!)).toBeLessThan(2e-6);
    expect(logits.length).toBe(10);
    x.dispose();
    disposeState(read);
  });
});

test("writeWeights gives the same bytes for the same weights, with names that say where they belong", async () => {
  await expectNoLeak(async () => {
    const weights = closedFormWeights(graph);
    const file = await writeWeights(graph, weights, { metadata: new Map([["classes", "3"]]) });
    expect(await writeWeights(graph, weights, { metadata: { classes: "3" } })).toEqual(file);
    const { tensors, metadata } = readSafetensors(file);
    expect([...metadata]).toEqual([
      ["classes", "3"],
      ["gradlab.weights", "1"],
    ]);
    expect(tensors.get("params.layer1.0.conv1.kernel")?.shape).toEqual([3, 3, 8, 8]);
    expect(tensors.get("statistics.bn1.variance")?.shape).toEqual([8]);
    await expect(writeWeights(graph, weights, { metadata: { "gradlab.weights": "2" } })).rejects.toThrow(
      new RangeError("writeWeights: metadata: expected keys other than gradlab.weights, got it"),
    );
    await expect(writeWeights(graph, { ...weights, statistics: {} })).rejects.toThrow(
      "writeWeights: statistics: bn1.mean: expected a tensor [8], got none",
    );
    disposeState(weights);
  });
});

test("files of another kind, version or network are refused", async () => {
  const weights = closedFormWeights(graph);
  const own = await writeWeights(graph, weights);
  const training = startTraining(weights.params, { name: "sgd", learningRate: 0.1 });
  const checkpoint = await saveCheckpoint(training);
  disposeTraining(training);
  disposeState(weights);
  await expectNoLeak(() => {
    const other = network("resnet18", { width: 0.125, classes: 4, inputSize: 33 });
    for (const file of [own, torchFile(closedFormState(graph))]) {
      expect(() => readWeights(other, file)).toThrow(
        /^readWeights: tensors: expected the 102 tensors of the graph, got 2 of another shape \(/,
      );
    }
    expect(() => readWeights(graph, checkpoint)).toThrow(
      /^readWeights: tensors: expected the 102 tensors of the graph, got 40 missing \("statistics.bn1.mean" \[8\], /,
    );
    const { tensors } = readSafetensors(own);
    const later = writeSafetensors(tensors, { metadata: { "gradlab.weights": "2" } });
    expect(() => readWeights(graph, later)).toThrow(
      new RangeError('readWeights: metadata "gradlab.weights": expected "1", got "2"'),
    );
    expect(() => readWeights(graph, own.subarray(0, -1))).toThrow(SafetensorsError);
    expect(() => readWeights(graph, new Uint8Array([0x50, 0x4b, 3, 4, 0]))).toThrow(TorchFileError);
    expect(() => readWeights(graph, new TextEncoder().encode('{"a": 1}'))).toThrow(
      new RangeError(
        "readWeights: bytes: expected safetensors, a checkpoint or a file of torch.save, got JSON",
      ),
    );
    expect(() => readWeights(graph, new Uint8Array())).toThrow(/ got no byte$/);
    expect(() => readWeights(graph, "a.pth" as never)).toThrow(
      new TypeError('readWeights: bytes: expected a Uint8Array or an ArrayBuffer, got "a.pth"'),
    );
  });
});
