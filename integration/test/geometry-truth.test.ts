import { expect, test } from "vitest";
import { variable } from "../geometry/dual.js";
import type { Grid } from "../geometry/grid.js";
import { geometryOps } from "../geometry/ops.js";
import { goldenResults, opCases } from "../op-parity/op-cases.js";
import type { OpCase } from "../op-parity/op-parity.js";

// The definitions that random cases are compared with are compared here with PyTorch in float64, value and gradient.

type Attrs = Record<string, unknown>;

/** A list of `n`, as the definitions take what tfjs takes as one number. */
const list = (value: unknown, n: number): unknown => (Array.isArray(value) ? value : Array(n).fill(value));

const windows =
  (name: string, n: number) =>
  ({ attrs = {} }: OpCase): [string, Attrs] => [
    name,
    {
      ...attrs,
      strides: list(attrs.strides, n),
      dilations: list(attrs.dilations ?? 1, n),
      filterSize: list(attrs.filterSize, n),
    },
  ];
const renamed =
  (name: string, more: Attrs = {}) =>
  ({ attrs = {} }: OpCase): [string, Attrs] => [name, { ...more, ...attrs }];
const fused =
  (name: string, n: number) =>
  (opCase: OpCase): [string, Attrs] => {
    const [, attrs] = windows(name, n)(opCase);
    return [name, { transposeA: false, transposeB: false, ...attrs, hasBias: opCase.inputs.length > 2 }];
  };

/** Ops that the goldens name otherwise, or whose arguments they write otherwise. */
const translations: Readonly<Record<string, (opCase: OpCase) => [string, Attrs]>> = {
  conv2d: (opCase) =>
    windows(opCase.inputs[0]!.shape.length === 3 ? "conv2d of one image" : "conv2d", 2)(opCase),
  conv1d: renamed("conv1d", { dilation: 1 }),
  conv2dTranspose: windows("conv2dTranspose", 2),
  depthwiseConv2d: windows("depthwiseConv2d", 2),
  depthwiseConv2dDilated: windows("depthwiseConv2d", 2),
  separableConv2d: windows("separableConv2d", 2),
  conv3d: windows("conv3d", 3),
  maxPool: windows("maxPool", 2),
  avgPool: windows("avgPool", 2),
  maxPool3d: windows("maxPool3d", 3),
  avgPool3d: windows("avgPool3d", 3),
  dilation2d: windows("dilation2d", 2),
  fusedConv2d: fused("fused.conv2d", 2),
  fusedMatMul: fused("fused.matMul", 2),
  gather: renamed("gather", { batchDims: 0 }),
  gatherNd: renamed("gatherND"),
  scatterNd: renamed("scatterND"),
  unsortedSegmentSum: ({ attrs }) => ["unsortedSegmentSum", { segments: attrs!.numSegments }],
  softmax: renamed("softmax", { axis: -1 }),
  logSoftmax: renamed("logSoftmax", { axis: -1 }),
  softmaxCrossEntropy: renamed("losses.softmaxCrossEntropy"),
  sigmoidCrossEntropy: renamed("losses.sigmoidCrossEntropy"),
  norm: renamed("norm euclidean"),
  lrn: renamed("localResponseNormalization"),
  batchNorm: renamed("batchNorm", { hasOffset: true, hasScale: true }),
  resizeBilinear: renamed("image.resizeBilinear", { halfPixelCenters: false }),
  resizeNearestNeighbor: renamed("image.resizeNearestNeighbor", {
    alignCorners: false,
    halfPixelCenters: false,
  }),
  leakyRelu: renamed("leakyRelu", { alpha: 0.2 }),
  clipByValue: ({ attrs }) => ["clipByValue", { low: attrs!.min, high: attrs!.max }],
  cumsum: renamed("cumsum", { exclusive: false, reverse: false }),
  cumprod: renamed("cumprod", { exclusive: false, reverse: false }),
  split: ({ attrs, inputs }) => {
    const { parts, axis } = attrs as { parts: number | number[]; axis: number };
    const sizes = Array.isArray(parts) ? parts : Array(parts).fill(inputs[0]!.shape[axis]! / parts);
    return ["split", { sizes, axis }];
  },
  pad: renamed("pad", { value: 0 }),
  spaceToBatchND: ({ attrs }) => ["spaceToBatchND", { blocks: attrs!.blockShape, paddings: attrs!.paddings }],
  batchToSpaceND: ({ attrs }) => ["batchToSpaceND", { blocks: attrs!.blockShape, crops: attrs!.crops }],
  basicLstmCell: ({ attrs }) => ["basicLSTMCell", { forget: attrs!.forgetBias }],
  oneHot: renamed("oneHot", { on: 1, off: 0 }),
  stridedSlice: renamed("stridedSlice", { beginMask: 0, endMask: 0, shrinkAxisMask: 0 }),
  depthToSpace: ({ attrs }) => ["depthToSpace", { block: attrs!.blockSize, format: "NHWC" }],
  topk: renamed("topk"),
};

/** Made of several ops, each of which is compared by itself. */
const composed = ["oneHotMatMul", "batchNormTrain", "gelu", "mish", "whereGreater", "whereCast"];

/** Where elements are the same, PyTorch takes the first and the definition the one that the direction moves ahead. */
const TIES = "maxPool with ties";

const compared = opCases.filter(({ op }) => !composed.includes(op));

for (const opCase of compared) {
  test(`the definition of ${opCase.op} agrees with PyTorch: ${opCase.name}`, () => {
    const golden = goldenResults[opCase.name]!;
    const [name, attrs] = (translations[opCase.op] ?? renamed(opCase.op))(opCase);
    const op = geometryOps.find((candidate) => candidate.name === name)!;
    expect(op, name).toBeDefined();
    const trained = Object.keys(golden.gradients ?? {}).map(Number);
    const moving = (direction: (input: number, i: number) => number): Grid[] =>
      [
        op.definition(
          opCase.inputs.map(
            ({ shape, dtype }, input): Grid => ({
              shape,
              dtype: dtype ?? "float32",
              data: golden.inputs[input]!.map((v, i) =>
                variable(Math.fround(v), trained.includes(input) ? direction(input, i) : 0),
              ),
            }),
          ),
          attrs,
        ),
      ].flat();

    // Nine digits are stored of inputs, weights and results: each is off by 5e-9 of itself.
    const outputs = moving(() => 0);
    for (const [i, want] of golden.outputs.entries()) {
      expect(outputs[i]!.shape).toEqual(want.shape);
      const scale = Math.max(1e-30, ...want.values.map(Math.abs));
      for (const [j, value] of want.values.entries())
        expect(Math.abs(outputs[i]!.data[j]!.v - value) / scale, `output ${i}, element ${j}`).toBeLessThan(
          2e-8,
        );
    }

    // ⟨weights, J v⟩ = ⟨gradient, v⟩ in three directions.
    if (trained.length === 0 || opCase.name === TIES) return;
    for (const r of [1, 2, 3]) {
      const along = (input: number, i: number) => Math.sin(r * (i + 1) + input);
      let [got, want, terms] = [0, 0, 0];
      for (const [i, { data }] of moving(along).entries()) {
        if (golden.weights[i] === undefined) continue;
        for (const [j, { d, n }] of data.entries()) {
          got += golden.weights[i]![j]! * d;
          terms += Math.abs(golden.weights[i]![j]!) * n;
        }
      }
      for (const input of trained)
        for (const [i, g] of golden.gradients![input]!.entries()) want += g * along(input, i);
      expect(Math.abs(got - want) / Math.max(terms, 1e-30), `direction ${r}`).toBeLessThan(2e-8);
    }
  });
}

test("most goldens are compared", () => {
  expect(compared.length).toBeGreaterThan(180);
});
