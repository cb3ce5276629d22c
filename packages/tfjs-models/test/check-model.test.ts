import { checkModel } from "@gradlab/tfjs-models";
import { expect, test } from "vitest";
import { GraphModelFile } from "./graph-model-file.js";

const conv = { name: "c", filters: 2, kernel_size: [3, 3], batch_input_shape: [null, 8, 8, 3] };

interface Weight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype?: string;
}

const kernel: Weight = { name: "c/kernel", shape: [3, 3, 3, 2] };
const bias: Weight = { name: "c/bias", shape: [2] };

function check(config: object, weights: readonly Weight[], after: readonly object[] = []) {
  const layers = [{ class_name: "Conv2D", config: { ...conv, ...config } }, ...after];
  const manifest = weights.map((weight) => ({ dtype: "float32", ...weight }));
  const bytes = manifest.reduce((sum, { shape }) => sum + 4 * shape.reduce((a, b) => a * b, 1), 0);
  const json = {
    modelTopology: { class_name: "Sequential", config: { name: "s", layers } },
    weightsManifest: [{ paths: ["w.bin"], weights: manifest }],
  };
  return () => checkModel(json, new Uint8Array(bytes));
}

test("a layer is refused for which the manifest has no weights, or others, before anybody makes some", () => {
  expect(check({}, [kernel, bias])).not.toThrow();
  expect(check({ use_bias: false }, [kernel])).not.toThrow();
  expect(check({}, [kernel])).toThrow(
    'layer "c" (Conv2D): weights: expected bias [2] in weightsManifest, got none of that name',
  );
  expect(check({ filters: 1e6 }, [kernel, bias])).toThrow(
    'layer "c" (Conv2D): weights: expected kernel [3, 3, 3, 1000000] in weightsManifest, got [3, 3, 3, 2]',
  );
  expect(check({}, [kernel, bias, bias])).toThrow(
    'weightsManifest: expected every weight once, got "c/bias"',
  );
});

test("outputs of billions of numbers are refused by the name of the layer", () => {
  const up = { class_name: "UpSampling2D", config: { name: "up", size: [1e5, 1e5] } };
  expect(check({}, [kernel, bias], [up])).toThrow(
    'layer "up" (UpSampling2D): expected an output of at most 134217728 numbers, got 600000x600000x2',
  );
});

test("the nodes of a graph have what they read, and constants their values", () => {
  const file = () => {
    const made = new GraphModelFile([1, 8, 8, 3]);
    made.node("r", "ResizeBilinear", ["x", made.integers("size", [4, 4])]);
    made.output("r");
    return made;
  };
  const whole = file();
  expect(() => checkModel(whole.json, whole.weightBytes)).not.toThrow();
  const nodes = (change: (node: { name: string; input?: string[] }) => object) => ({
    ...whole.json,
    modelTopology: { node: whole.nodes.map(change) },
  });
  const bare = nodes((node) => (node.name === "r" ? { ...node, input: ["x"] } : node));
  expect(() => checkModel(bare, whole.weightBytes)).toThrow(
    'node "r" (ResizeBilinear): expected at least 2 inputs, got 1',
  );
  const renamed = nodes((node) =>
    node.name === "size"
      ? { ...node, name: "other" }
      : { ...node, ...(node.input && { input: ["x", "other"] }) },
  );
  expect(() => checkModel(renamed, whole.weightBytes)).toThrow(
    'node "other" (Const): expected its value in weightsManifest, got none',
  );
  const huge = new GraphModelFile([1, 8, 8, 3]);
  huge.node("r", "ResizeBilinear", ["x", huge.integers("size", [1e5, 1e5])]);
  expect(() => checkModel(huge.json, huge.weightBytes)).toThrow(
    'node "r" (ResizeBilinear): expected sizes of at most 1048576 in all, got 100000, 100000',
  );
  const sized = (input: readonly number[], size: number) => {
    const made = new GraphModelFile(input);
    made.node("r", "ResizeBilinear", ["x", made.integers("size", [size, size])]);
    made.output("r");
    return () => checkModel(made.json, made.weightBytes);
  };
  // Eight times as far along each axis, where that is more than a million.
  expect(sized([1, 8, 8, 3], 1024)).not.toThrow();
  expect(sized([1, 8, 8, 3], 1025)).toThrow("sizes of at most 1048576 in all");
  expect(sized([1, 200, 200, 1], 1600)).not.toThrow();
  expect(sized([1, 200, 200, 1], 1601)).toThrow("sizes of at most 2560000 in all");
  expect(sized([1, -1, -1, 3], 4096)).not.toThrow();
  expect(sized([1, -1, -1, 3], 4097)).toThrow("sizes of at most 16777216 in all");
});

test("a placeholder's sizes are whole numbers", () => {
  const made = new GraphModelFile([1, 8, 8, 3]);
  made.output("x");
  const text = JSON.stringify(made.json).replace('"size":"8"', '"size":[1000000,1000000]');
  expect(text).toContain("[1000000,1000000]");
  expect(() => checkModel(JSON.parse(text), made.weightBytes)).toThrow("expected integers as sizes");
});
