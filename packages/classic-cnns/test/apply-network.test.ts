import { readFileSync } from "node:fs";
import { disposeParams } from "@gradlab/core";
import { beforeEach, describe, expect, test } from "vitest";
import { applyNetwork, type NetworkName, type NetworkOptions, network } from "../src/index.js";
import { closedFormImages, closedFormWeights } from "./closed-form-weights.js";
import { backends, expectNoLeak, isSlow, numbers, useBackend } from "./tensors.js";

interface LogitsCase {
  readonly name: NetworkName;
  readonly options: NetworkOptions & { inputSize: readonly [number, number]; channels: number };
  readonly batch: number;
  readonly slow: boolean;
  readonly logits: number[][];
}

const golden: { cases: LogitsCase[] } = JSON.parse(
  readFileSync(new URL("golden/logits.json", import.meta.url), "utf8"),
);

describe.each(backends)("on %s", (backend) => {
  beforeEach(() => useBackend(backend));

  // Every network that torchvision has, and the others written in PyTorch, with the same weights in closed form. The
  // networks in their full width (VGG, AlexNet) or depth (ResNet-34, 101, 152) run with GRADLAB_SLOW=1 only, and on wasm
  // only; the cpu backend also leaves out ResNet-50 and ResNeXt-50, which take it seconds.
  // Tolerance: float32 sums in another order, through up to 152 layers.
  const cases = golden.cases.filter(({ name, slow }) => {
    if (backend === "cpu") return !slow && (isSlow || !["resnet50", "resnext50"].includes(name));
    return !slow || isSlow;
  });
  test.each(cases)(
    "$name of $options computes the logits of PyTorch",
    async (one) => {
      await expectNoLeak(async () => {
        const graph = network(one.name, one.options);
        const state = closedFormWeights(graph);
        const [height, width] = one.options.inputSize;
        const x = closedFormImages(one.batch, height, width, one.options.channels);
        const logits = await numbers(applyNetwork(graph, state, x));
        const expected = one.logits.flat();
        const scale = Math.max(...expected.map(Math.abs));
        const error = Math.max(...logits.map((value, i) => Math.abs(value - expected[i]!)));
        expect(logits.length).toBe(expected.length);
        expect(error / scale).toBeLessThan(1e-5);
        x.dispose();
        disposeParams(state);
      });
    },
    60_000,
  );
});
