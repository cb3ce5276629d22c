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

/** A second or two each. */
const deep = ["resnet34", "resnet101", "resnet152"];

const titleOf = ({ name, options }: LogitsCase) => {
  return `${name} on ${options.inputSize.join(" x ")}${options.width === undefined ? "" : `, width ${options.width}`}`;
};

describe.each(backends)("on %s", (backend) => {
  beforeEach(() => useBackend(backend));

  // Every network that torchvision has, and the others written in PyTorch, with the same weights in closed form. VGG and
  // AlexNet in their full width and images of 224 pixels run with GRADLAB_SLOW=1 only, and on wasm only; the cpu
  // backend also leaves out ResNet-50 and ResNeXt-50, which take it seconds.
  // Tolerance: float32 sums in another order, through up to 152 layers.
  for (const one of golden.cases) {
    const isQuick =
      !one.slow || (backend === "wasm" && deep.includes(one.name) && one.options.inputSize[0] < 224);
    const isPossible = backend === "wasm" || !one.slow;
    const isHeavy = backend === "cpu" && ["resnet50", "resnext50"].includes(one.name);
    test.skipIf(!isPossible || ((!isQuick || isHeavy) && !isSlow))(
      `${titleOf(one)} computes the logits of PyTorch`,
      () =>
        expectNoLeak(async () => {
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
        }),
      60_000,
    );
  }
});
