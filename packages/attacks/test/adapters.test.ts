import { log, softmax, type Tensor, tidy } from "@tensorflow/tfjs-core";
import { layers, model, sequential } from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, test } from "vitest";
import { graphClassifier, layersClassifier, pgd, runAttack } from "../src/index.js";
import { predictions, smallCnn, uniformTensor, useBackend } from "./models.js";

beforeAll(() => useBackend("cpu"));

const body = () => [
  // Weights are drawn without a seed; with this bias no unit stays below zero for all images.
  layers.conv2d({
    inputShape: [8, 8, 1],
    filters: 3,
    kernelSize: 3,
    activation: "relu",
    biasInitializer: "ones",
  }),
  layers.batchNormalization(),
  layers.flatten(),
  layers.dropout({ rate: 0.5 }),
];

describe("a LayersModel", () => {
  const ends = {
    "a dense layer with softmax": () => [layers.dense({ units: 4, activation: "softmax" })],
    "a dense layer with softmax, without bias": () => [
      layers.dense({ units: 4, activation: "softmax", useBias: false }),
    ],
    "an activation of its own": () => [
      layers.dense({ units: 4 }),
      layers.activation({ activation: "softmax" }),
    ],
    "a softmax and a reshape, as MobileNet": () => [
      layers.reshape({ targetShape: [1, 1, 12 * 9] }),
      layers.conv2d({ filters: 4, kernelSize: 1 }),
      layers.activation({ activation: "softmax" }),
      layers.reshape({ targetShape: [4] }),
    ],
    "a softmax layer": () => [layers.dense({ units: 4 }), layers.softmax()],
  };

  test.each(Object.keys(ends) as (keyof typeof ends)[])(
    "that ends in %s is attacked by its logits",
    async (name) => {
      const whole = sequential({ layers: [...body(), ...ends[name]()] });
      const x = uniformTensor([3, 8, 8, 1], "layers");
      const classifier = layersClassifier(whole, { model: model as never });
      const logits = classifier.logits(x, []);
      const probabilities = whole.predict(x) as Tensor;
      // Logits differ from the logarithms of their softmax by one number for each image.
      const [a, b] = [await softmax(logits).data(), await probabilities.data()];
      for (const [i, value] of Array.from(b).entries()) expect(a[i]).toBeCloseTo(value, 6);
      const logs = await log(probabilities).data();
      const own = await logits.data();
      expect(Math.abs(own[0]! - logs[0]!)).toBeGreaterThan(1e-3);
      const labels = await predictions(classifier, x);
      const { preflight } = await runAttack(classifier, pgd({ steps: 2 }), x, labels, { epsilon: 0.1 });
      // Dropout is off, and no softmax is left.
      expect(preflight!.warnings).toEqual([]);
      const raw = {
        bounds: [0, 1] as const,
        classes: 4,
        logits: (images: Tensor) => whole.predict(images) as Tensor,
      };
      const seen = await runAttack(raw, pgd({ steps: 1 }), x, labels, { epsilon: 0.1 });
      expect(seen.preflight!.warnings.map(({ kind }) => kind)).toContain("softmax");
    },
  );

  test("with linear scores is taken as it is, and one with a sigmoid is refused", async () => {
    const linear = sequential({ layers: [...body(), layers.dense({ units: 4 })] });
    const x = uniformTensor([2, 8, 8, 1], "linear");
    const classifier = layersClassifier(linear, { model: model as never });
    expect(Array.from(await classifier.logits(x, []).data())).toEqual(
      Array.from(await (linear.predict(x) as Tensor).data()),
    );
    const strange = sequential({ layers: [...body(), layers.dense({ units: 4, activation: "sigmoid" })] });
    expect(() => layersClassifier(strange, { model: model as never })).toThrow(
      /expected a softmax or linear scores at the end, got Dense .* with sigmoid: give the attack/,
    );
    // Every position has a softmax of its own.
    const everywhere = sequential({
      layers: [
        layers.conv2d({ inputShape: [2, 1, 1], filters: 2, kernelSize: 1 }),
        layers.softmax(),
        layers.flatten(),
      ],
    });
    expect(() => layersClassifier(everywhere, { model: model as never })).toThrow(/got Flatten/);
    expect(() => layersClassifier({} as never, { model: model as never })).toThrow(
      /whole: expected a LayersModel/,
    );
  });
});

describe("a GraphModel", () => {
  const inner = smallCnn();
  const values: Record<string, (x: Tensor) => Tensor> = {
    "dense/BiasAdd": (x) => inner.logits(x, []),
    probabilities: (x) => tidy(() => softmax(inner.logits(x, []))),
  };
  const whole = { execute: (x: Tensor, output: string) => values[output.replace(/:0$/, "")]!(x) };
  const nodes = [
    { name: "x", op: "Placeholder" },
    { name: "dense/BiasAdd", op: "BiasAdd", input: ["x"] },
    { name: "probabilities", op: "Softmax", input: ["dense/BiasAdd:0"] },
    { name: "shaped", op: "Reshape", input: ["probabilities", "shape"] },
    { name: "Identity", op: "Identity", input: ["shaped"] },
    { name: "gate", op: "Sigmoid", input: ["x"] },
  ];

  test("is cut before the softmax that its output leads back to", async () => {
    const x = uniformTensor([2, 8, 8, 1], "graph");
    const known = Array.from(await inner.logits(x, []).data());
    for (const output of ["Identity", "probabilities", "dense/BiasAdd"]) {
      const classifier = graphClassifier(whole, { classes: 5, nodes, output });
      expect(Array.from(await classifier.logits(x, []).data())).toEqual(known);
    }
    expect(() => graphClassifier(whole, { classes: 5, nodes, output: "gate" })).toThrow(
      /got Sigmoid "gate": name the node/,
    );
    expect(() => graphClassifier(whole, { classes: 5, nodes, output: "none" })).toThrow(
      /expected a node of the graph, got "none"/,
    );
  });
});
