import { readFileSync } from "node:fs";
import { crossEntropy, disposeParams, flattenParams, mapParams, type Params } from "@gradlab/core";
import type { LayerGraph } from "@gradlab/receptive-field";
import {
  cast,
  grad,
  grads as gradientsOf,
  keep,
  mean,
  mul,
  ones,
  square,
  sum,
  type Tensor,
  type Tensor4D,
  tensor1d,
  tensor4d,
  tidy,
  type Variable,
  variableGrads,
} from "@tensorflow/tfjs-core";
import { beforeEach, describe, expect, test } from "vitest";
import {
  applyNetwork,
  applyNetworkTraining,
  initNetwork,
  layerFacts,
  type NetworkName,
  type NetworkOptions,
  type NetworkState,
  network,
} from "../src/index.js";
import { closedFormImages, closedFormUnit, closedFormWeights, torchIndex } from "./closed-form-weights.js";
import { backends, expectNoLeak, isSlow, numbers, stateless, useBackend } from "./tensors.js";

interface TrainingCase {
  readonly name: NetworkName;
  readonly options: NetworkOptions & { inputSize: readonly [number, number]; channels: number };
  readonly batch: number;
  readonly labels: number[];
  readonly loss: number;
  readonly logits: number[][];
  /** Of each parameter's gradient, and of each running statistic afterwards. */
  readonly gradients: Seen[];
  readonly statistics: Seen[];
}

/** A tensor in PyTorch's layout. */
interface Seen {
  /** Some of its elements, evenly from the first to the last. */
  readonly elements: number[];
  readonly norm: number;
  /** The sum of all elements, each times a number of its own in [-1, 1): no two can be exchanged. */
  readonly weighted: number;
}

const golden: { cases: TrainingCase[] } = JSON.parse(
  readFileSync(new URL("golden/training.json", import.meta.url), "utf8"),
);

/** The first of the streams of the numbers that elements are weighted with. */
const gradientStream = 200_000;

/**
 * Fails unless a tensor is what PyTorch saw of tensor `t`: the elements to `tolerance` of the root mean square, which is
 * taken for at least `least`, and sum and norm of all of them alike.
 */
async function expectSeen(
  tensor: Tensor,
  indexOf: (i: number) => number,
  expected: Seen,
  t: number,
  { path, tolerance, least = 0 }: { path: string; tolerance: number; least?: number },
): Promise<void> {
  const data = await tensor.data();
  const n = data.length;
  const values = new Float64Array(n); // in PyTorch's order
  for (let i = 0; i < n; i++) values[indexOf(i)] = data[i]!;
  const size = Math.max(expected.norm / Math.sqrt(n), least);
  const { elements } = expected;
  expect(elements).toHaveLength(Math.min(n, 12));
  for (const [i, element] of elements.entries()) {
    const place = Math.floor((i * (n - 1)) / Math.max(elements.length - 1, 1));
    expect(Math.abs(values[place]! - element) / size, `${path} [${place}]`).toBeLessThan(tolerance);
  }
  const norm = Math.hypot(...blockNorms(values));
  expect(Math.abs(norm - expected.norm) / (size * Math.sqrt(n)), `${path}: norm`).toBeLessThan(tolerance);
  const weighted = values.reduce((sum, value, i) => sum + value * closedFormUnit(i, gradientStream + t), 0);
  expect(Math.abs(weighted - expected.weighted) / (size * Math.sqrt(n)), `${path}: sum`).toBeLessThan(
    tolerance,
  );
}

/** The norms of pieces, since a call takes only so many arguments. */
function blockNorms(values: Float64Array): number[] {
  return Array.from({ length: Math.ceil(values.length / 1000) }, (_, i) =>
    Math.hypot(...values.subarray(i * 1000, (i + 1) * 1000)),
  );
}

/** Parameters or statistics in PyTorch's order, with the place of each element there. */
const pathsOf = (graph: LayerGraph, kind: "parameters" | "statistics") =>
  layerFacts(graph).flatMap((fact) =>
    fact[kind].map(({ role, shape }) => ({
      path: `${fact.layer.name}.${role}`,
      indexOf: torchIndex(fact, shape),
    })),
  );

const stateOf = (params: Params): NetworkState => ({ params, statistics: {} });

/** A mask of its own random numbers is nothing to compare. */
const withoutDropout = (graph: LayerGraph): LayerGraph => ({
  ...graph,
  layers: graph.layers.map((layer) => {
    return layer.op === "pointwise" && layer.fn === "dropout" ? { ...layer, rate: 0 } : layer;
  }),
});

describe.each(backends)("on %s", (backend) => {
  beforeEach(() => useBackend(backend));

  // What this catches: gradients of padded and strided windows, of groups, of LRN, of adaptive pools; biased for
  // unbiased variance and the other way round; a wrong momentum. Tolerance: float32
  // through up to 120 normalizations by variances of as few as 16 values.
  // The cpu backend takes the two that it can differentiate in seconds, and the others with GRADLAB_SLOW=1.
  for (const one of golden.cases) {
    const isDeep = one.name === "densenet121" || one.name === "mobilenet-v2";
    const isQuick = backend === "wasm" || one.name === "small-cnn" || one.name === "resnet18";
    test.skipIf(!isQuick && !isSlow)(
      `${one.name}: loss, gradients and running statistics of PyTorch`,
      () =>
        expectNoLeak(async () => {
          const graph = withoutDropout(network(one.name, one.options));
          const weights = closedFormWeights(graph);
          const params = mapParams(weights.params, (tensor) => tensor.variable());
          const [height, width] = one.options.inputSize;
          const x = closedFormImages(one.batch, height, width, one.options.channels);
          const labels = tensor1d(one.labels, "int32");
          let after: Params = {};
          let logits: Tensor | undefined;
          const { value, grads } = tidy(() =>
            variableGrads(
              () => {
                const pass = applyNetworkTraining(graph, { ...weights, params }, x);
                logits = keep(pass.logits);
                after = mapParams(pass.statistics, (tensor) => keep(tensor));
                return crossEntropy(pass.logits, labels);
              },
              flattenParams(params).map(([, variable]) => variable as Variable),
            ),
          );
          expect(Math.abs((await numbers(value))[0]! - one.loss)).toBeLessThan(1e-4);
          const scale = Math.max(...one.logits.flat().map(Math.abs));
          for (const [i, logit] of (await numbers(logits!)).entries()) {
            expect(Math.abs(logit - one.logits.flat()[i]!) / scale).toBeLessThan(1e-4);
          }
          const byPath = new Map(
            flattenParams(params).map(([path, variable]) => [path, grads[(variable as Variable).name]!]),
          );
          // Of a gradient that is all cancellation only the size of what cancels is known.
          const rms = one.gradients.map(({ norm }) => norm);
          const least = Math.max(...rms) * 1e-4;
          for (const [t, { path, indexOf }] of pathsOf(graph, "parameters").entries()) {
            const gradient = byPath.get(path)!;
            await expectSeen(gradient, indexOf, one.gradients[t]!, t, {
              path,
              tolerance: isDeep ? 6e-3 : 1e-3,
              least: least / Math.sqrt(gradient.size),
            });
          }
          const running = new Map(flattenParams(after));
          for (const [t, { path, indexOf }] of pathsOf(graph, "statistics").entries()) {
            await expectSeen(running.get(path)!, indexOf, one.statistics[t]!, t, { path, tolerance: 1e-4 });
          }
          for (const record of [weights, params, after]) disposeParams(record);
          for (const tensor of [x, labels, ...Object.values(grads)]) tensor.dispose();
        }),
      60_000,
    );
  }

  // A default that nothing states, as PyTorch has it: momentum 0.1, epsilon 1e-5; and others where a layer says so.
  test.each([
    [{}, 0.1, 1e-5],
    [{ momentum: 0.3 }, 0.3, 1e-5],
    [{ momentum: 0 }, 0, 1e-5],
    [{ momentum: 1, epsilon: 0.5 }, 1, 0.5],
  ])("a batch norm that says %o moves by %d and adds %d", async (fields, momentum, epsilon) => {
    const graph: LayerGraph = {
      input: { shape: [1, 1], channels: 1 },
      layers: [{ name: "bn", op: "pointwise", fn: "batch-norm", ...fields }],
    };
    await expectNoLeak(async () => {
      const one = (value: number) => tensor1d([value]);
      const state: NetworkState = {
        params: { bn: { scale: one(1), offset: one(0) } },
        statistics: { bn: { mean: one(5), variance: one(7) } },
      };
      // Numbers so near each other that the epsilon counts: mean 2, variance 1e-4, unbiased 1e-4 · 4/3.
      const x = tensor4d([1.99, 2.01, 1.99, 2.01], [4, 1, 1, 1]);
      const pass = applyNetworkTraining(graph, state, x);
      const running = Object.fromEntries(flattenParams(pass.statistics));
      expect((await numbers(running["bn.mean"]!))[0]).toBeCloseTo(5 * (1 - momentum) + 2 * momentum, 5);
      const variance = 7 * (1 - momentum) + ((1e-4 * 4) / 3) * momentum;
      expect((await numbers(running["bn.variance"]!))[0]).toBeCloseTo(variance, 5);
      const deviation = Math.sqrt(1e-4 + epsilon);
      // 0.01 is a difference of numbers near 2: 2^-23 of it is lost, a 10^-5 part.
      expect((await numbers(pass.logits))[1]! / (0.01 / deviation)).toBeCloseTo(1, 4);
      const inference = (await numbers(applyNetwork(graph, state, x)))[0]!;
      expect(inference).toBeCloseTo((1.99 - 5) / Math.sqrt(7 + epsilon), 6);
      disposeParams(state);
      x.dispose();
    });
  });

  test("dropout drops the stated share, scales the rest, and goes by seed, step and layer", async () => {
    const graph: LayerGraph = {
      input: { shape: [20, 25], channels: 4 },
      layers: [{ name: "drop", op: "pointwise", fn: "dropout", rate: 0.3 }],
    };
    const x = tidy(() => ones([2, 20, 25, 4]) as Tensor4D);
    const drop = async (options: object, batch = x, of = graph) =>
      numbers(applyNetworkTraining(of, stateless, batch, options).logits);
    const first = await drop({ seed: 5, step: 3 });
    const dropped = first.filter((value) => value === 0).length;
    // 4000 units: 4 standard deviations of the binomial distribution are 116.
    expect(Math.abs(dropped - 1200)).toBeLessThan(116);
    expect(first.every((value) => value === 0 || value === Math.fround(1 / 0.7))).toBe(true);
    expect(await drop({ seed: 5, step: 3 })).toEqual(first);
    expect(await drop({ seed: 5, step: 4 })).not.toEqual(first);
    expect(await drop({ seed: 6, step: 3 })).not.toEqual(first);
    const renamed = { ...graph, layers: [{ ...graph.layers[0]!, name: "other" }] };
    expect(await drop({ seed: 5, step: 3 }, x, renamed)).not.toEqual(first);
    const one = tidy(() => ones([1, 20, 25, 4]) as Tensor4D);
    expect(await drop({ seed: 5, step: 3 }, one)).toEqual(first.slice(0, 2000));
    // The first numbers are part of the interface: the same on every backend, for good.
    expect(first.slice(0, 12).map((value) => Number(value > 0))).toEqual([
      0, 0, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1,
    ]);
    const inference = await numbers(applyNetwork(graph, stateless, x));
    expect(inference.every((value) => value === 1)).toBe(true);
    x.dispose();
    one.dispose();
  });

  test("pools as PyTorch: padding is no maximum, a zero in an average, nothing behind a rounded-up end", async () => {
    const x = tensor4d([-1, -2, -3, -4, -5, -6, -7, -8, -9], [1, 3, 3, 1]);
    const pool = (fields: object) => {
      const layers = [
        { name: "p", op: "pool", kernel: 2, stride: 2, ...fields },
      ] as unknown as LayerGraph["layers"];
      return numbers(applyNetwork({ input: { shape: [3, 3], channels: 1 }, layers }, stateless, x));
    };
    // torch.nn.functional.max_pool2d, avg_pool2d(x, 2, 2, padding, ceil_mode)
    expect(await pool({ mode: "max", padding: 1 })).toEqual([-1, -2, -4, -5]);
    expect(await pool({ mode: "max", ceilMode: true })).toEqual([-1, -3, -7, -9]);
    expect(await pool({ mode: "avg", padding: 1 })).toEqual([-0.25, -1.25, -2.75, -7]);
    expect(await pool({ mode: "avg", ceilMode: true })).toEqual([-3, -4.5, -7.5, -9]);
    expect(await pool({ mode: "avg", padding: [[0, 1], [0, 1]] })).toEqual([-3, -2.25, -3.75, -2.25]); // biome-ignore format: pairs
    // Windows over [pad -7 -8 -9 pad]: rounding up would add one that starts in the end padding; it is left out.
    expect(await pool({ mode: "avg", kernel: [3, 2], padding: [0, 1], ceilMode: true })).toEqual([
      -2,
      -5.5 / 1,
    ]);
    x.dispose();
  });

  test("adaptive pools cover what PyTorch says, up and down", async () => {
    const x = tensor4d([1, 2, 3, 4, 5, 6], [1, 2, 3, 1]);
    const pool = (fields: object) => {
      const layers = [{ name: "p", op: "adaptive-pool", ...fields }] as unknown as LayerGraph["layers"];
      return numbers(applyNetwork({ input: { shape: [2, 3], channels: 1 }, layers }, stateless, x));
    };
    expect(await pool({ mode: "avg", outputSize: [2, 2] })).toEqual([1.5, 2.5, 4.5, 5.5]);
    expect(await pool({ mode: "max", outputSize: [1, 2] })).toEqual([5, 6]);
    expect(await pool({ mode: "avg", outputSize: [3, 3] })).toEqual([1, 2, 3, 2.5, 3.5, 4.5, 4, 5, 6]);
    expect(await pool({ mode: "max", outputSize: [2, 3] })).toEqual([1, 2, 3, 4, 5, 6]);
    x.dispose();
  });

  // A gradient that goes to every one of equal numbers (that of tfjs's max) counts a blank background many times.
  test("of equal numbers, the first in reading order has the gradient of a maximum, as in PyTorch", async () => {
    const gradientOf = async (fields: object) => {
      const layers = [{ name: "p", mode: "max", ...fields }] as unknown as LayerGraph["layers"];
      const graph: LayerGraph = { input: { shape: [3, 5], channels: 1 }, layers };
      return numbers(
        tidy(() =>
          grad((x: Tensor) => sum(applyNetwork(graph, stateless, x as Tensor4D)))(ones([1, 3, 5, 1])),
        ),
      );
    };
    await expectNoLeak(async () => {
      // torch.nn.functional.adaptive_max_pool2d(torch.ones(1, 1, 3, 5), (2, 3)).sum().backward()
      expect(await gradientOf({ op: "adaptive-pool", outputSize: [2, 3] })).toEqual([
        1, 1, 0, 1, 0, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0,
      ]);
      expect(await gradientOf({ op: "global-pool" })).toEqual([1, ...new Array(14).fill(0)]);
    });
  });

  // tfjs-core has no gradient of a dilated depthwise convolution.
  test("a dilated depthwise convolution is one with zeros between channels, its gradients too", async () => {
    await expectNoLeak(async () => {
      const fields = { kernel: [2, 3], stride: 1, padding: [1, 2], dilation: [3, 2], bias: false } as const;
      const graphOf = (groups: number): LayerGraph => ({
        input: { shape: [7, 8], channels: 2 },
        layers: [{ name: "c", op: "conv", filters: 4, groups, ...fields }],
      });
      const x = closedFormImages(2, 7, 8, 2);
      const kernel = closedFormImages(2, 3, 1, 4); // [2, 3, 1, 4]: filters 0 and 1 read channel 0, 2 and 3 channel 1
      const own = tensor4d([1, 1, 0, 0, 0, 0, 1, 1], [1, 1, 2, 4]);
      const results = [true, false].map((isDepthwise) =>
        tidy(() => {
          const y = (k: Tensor4D, x: Tensor4D) => {
            const whole = isDepthwise ? k : (mul(k, own) as Tensor4D);
            return applyNetwork(
              graphOf(isDepthwise ? 2 : 1),
              stateOf({ c: { kernel: whole } }),
              x,
            ) as Tensor4D;
          };
          const energy = (k: Tensor, x: Tensor) => sum(square(y(k as Tensor4D, x as Tensor4D)));
          return [y(kernel, x), ...gradientsOf(energy)([kernel, x])];
        }),
      );
      const [found, expected] = results as [Tensor[], Tensor[]];
      for (const [i, tensor] of expected.entries()) {
        const [a, b] = [await numbers(found[i]!), await numbers(tensor)];
        expect(a).toHaveLength(b.length);
        const scale = Math.max(...b.map(Math.abs));
        // Sums of at most 7 * 8 * 2 products in float32.
        for (const [j, value] of a.entries()) expect(Math.abs(value - b[j]!) / scale).toBeLessThan(1e-5);
      }
      for (const tensor of [x, kernel, own]) tensor.dispose();
    });
  });

  test("convolutions that crop, leave units over, or have windows that are not square", async () => {
    const x = closedFormImages(1, 6, 9, 2);
    const pixels = await numbers(x.clone());
    const kernel = closedFormImages(3, 2, 2, 3);
    const taps = await numbers(kernel.clone());
    // padding [y, x] as [begin, end]; each checked against the definition of a convolution
    const windows = [
      { stride: [2, 3], padding: [[0, 0], [1, 2]] },
      { stride: [1, 1], padding: [[-1, 2], [0, -2]] },
      { stride: [3, 2], padding: [[2, 2], [0, 0]] },
      { stride: [1, 1], padding: [[1, 1], [1, 1]], dilation: [2, 3] },
    ] as const; // biome-ignore format: pairs
    for (const fields of windows) {
      const graph: LayerGraph = {
        input: { shape: [6, 9], channels: 2 },
        layers: [{ name: "c", op: "conv", kernel: [3, 2], filters: 3, bias: false, ...fields }],
      };
      const [, rows, columns] = layerFacts(graph)[0]!.outputShape as [number, number, number];
      const dilation = "dilation" in fields ? fields.dilation : [1, 1];
      const expected: number[] = [];
      for (let y = 0; y < rows; y++) {
        for (let x = 0; x < columns; x++) {
          for (let f = 0; f < 3; f++) {
            let value = 0;
            for (let i = 0; i < 3; i++) {
              for (let j = 0; j < 2; j++) {
                const at = y * fields.stride[0] - fields.padding[0][0] + i * dilation[0];
                const to = x * fields.stride[1] - fields.padding[1][0] + j * dilation[1];
                // Negative padding at the end crops: what lies behind it is not seen.
                const inside =
                  at >= Math.max(0, -fields.padding[0][0]) &&
                  at < 6 + Math.min(0, fields.padding[0][1]) &&
                  to >= Math.max(0, -fields.padding[1][0]) &&
                  to < 9 + Math.min(0, fields.padding[1][1]);
                if (!inside) continue;
                for (let c = 0; c < 2; c++) {
                  value += pixels[(at * 9 + to) * 2 + c]! * taps[((i * 2 + j) * 2 + c) * 3 + f]!;
                }
              }
            }
            expected.push(value);
          }
        }
      }
      const found = await numbers(applyNetwork(graph, stateOf({ c: { kernel } }), x));
      expect(found).toHaveLength(expected.length);
      for (const [i, value] of found.entries()) expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-5);
    }
    x.dispose();
    kernel.dispose();
  });

  test("onLayer sees every layer once, in order, and the result is the last", async () => {
    await expectNoLeak(async () => {
      const graph = network("squeezenet1-1", { classes: 3, inputSize: 32, width: 0.125 });
      const state = closedFormWeights(graph);
      const x = closedFormImages(1, 32, 32, 3);
      const seen: string[] = [];
      let mapSum: Tensor | undefined;
      const logits = applyNetwork(graph, state, x, {
        onLayer: (name, value) => {
          seen.push(`${name} ${value.shape.slice(1).join("x")}`);
          if (name === "features.3.concat") mapSum = keep(sum(value));
        },
      });
      expect(seen).toEqual(
        layerFacts(graph).map(({ layer, outputShape: [channels, ...size] }) => {
          return `${layer.name} ${[...size, channels].join("x")}`;
        }),
      );
      expect(Number.isFinite((await numbers(mapSum!))[0])).toBe(true);
      for (const tensor of [logits, x]) tensor.dispose();
      disposeParams(state);
    });
  });
});

test("what does not fit is refused by path and shape, and nothing is left behind", async () => {
  await useBackend("cpu");
  const graph = network("resnet18", { classes: 3, inputSize: 32, width: 0.125 });
  const state = initNetwork(graph);
  const { params } = state;
  const x = closedFormImages(1, 32, 32, 3);
  await expectNoLeak(() => {
    for (const [name, apply] of [
      ["applyNetwork", applyNetwork],
      ["applyNetworkTraining", applyNetworkTraining],
    ] as const) {
      expect(() => apply(graph, { ...state, statistics: {} }, x)).toThrow(
        `${name}: statistics: bn1.mean: expected a tensor [8], got none`,
      );
      expect(() => apply(graph, { ...state, params: { ...params, conv1: {} } }, x)).toThrow(
        `${name}: params: conv1.kernel: expected a tensor [7, 7, 3, 8], got none`,
      );
      const fc = { kernel: x, bias: x };
      expect(() => apply(graph, { ...state, params: { ...params, fc } }, x)).toThrow(
        `${name}: params: fc.kernel: expected [64, 3], got [1, 32, 32, 3]`,
      );
      const gray = tidy(() => keep(mean(x, 3, true)) as Tensor4D);
      expect(() => apply(graph, state, gray)).toThrow(
        `${name}: x: expected [batch, height, width, 3], got [1, 32, 32, 1]`,
      );
      gray.dispose();
      const integers = tidy(() => keep(cast(x, "int32")));
      expect(() => apply(graph, state, integers)).toThrow(`${name}: x: expected float32, got int32`);
      integers.dispose();
    }
    // One image of 32x32 leaves one value per channel in the last stage.
    expect(() => applyNetworkTraining(graph, state, x)).toThrow(
      'applyNetworkTraining: layer "layer4.0.bn1": expected more than one value per channel in a batch, got 1',
    );
  });
  disposeParams(state);
  x.dispose();
});
