import { readFileSync } from "node:fs";
import { gelu, layerNorm } from "@gradlab/attention";
import {
  type ApplyTrainingOptions,
  applyNetworkTraining,
  batchNormTraining,
  initNetwork,
} from "@gradlab/classic-cnns";
import {
  createOptimizer,
  crossEntropy,
  disposeParams,
  embed,
  type FusedKernel,
  fusedKernels,
  installGradients,
} from "@gradlab/core";
import type { LayerGraph } from "@gradlab/receptive-field";
import { applyRecurrent } from "@gradlab/rnn-lm";
import {
  add,
  env,
  grad,
  grads,
  memory,
  mul,
  softmax,
  square,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  type Tensor4D,
  tensor,
  tensor1d,
  tidy,
} from "@tensorflow/tfjs-core";
import { afterEach, beforeAll, expect, test } from "vitest";
import { calls, registerReference, runs } from "../../packages/core/test/reference-kernels.js";
import { wave } from "../../packages/core/test/tensors.js";
import { markdownTable, withSection } from "./readme-section.js";

beforeAll(() => {
  env().set("PROD", true); // no advertisement on the console
  installGradients();
});
let unregister: () => void = () => undefined;
afterEach(() => {
  unregister();
  unregister = () => undefined;
});

const list = (shapes: Readonly<Record<string, string>>) =>
  Object.entries(shapes)
    .map(([name, shape]) => `${name} ${shape}`)
    .join(", ");

test("the table of fused kernels in core's README is that of its code", async () => {
  const url = new URL("../../packages/core/README.md", import.meta.url);
  const rows = Object.entries(fusedKernels).map(([name, { inputs, attributes, outputs, backward }]) => [
    `\`${name}\``,
    list(inputs),
    attributes.join(", ") || "-",
    list(outputs),
    backward === null ? "-" : `\`${backward}\``,
  ]);
  const head = ["kernel", "inputs", "attributes", "outputs", "backward"];
  const readme = withSection(readFileSync(url, "utf8"), "kernels", markdownTable([head, ...rows]));
  await expect(readme).toMatchFileSnapshot(url.pathname);
});

/** Fails unless shapes such as `[2, 3] float32` are those in words, each letter one size. */
function expectShapes(
  what: string,
  got: readonly string[],
  expected: readonly string[],
  sizes: Map<string, string>,
): void {
  expect(got.length, what).toBe(expected.length);
  for (const [i, words] of expected.entries()) {
    const [, names, dtype = "float32"] = /^\[(.*)\](?: (.*))?$/.exec(words)!;
    const [, numbers, type] = /^\[(.*)\] (.*)$/.exec(got[i]!)!;
    expect(type, what).toBe(dtype);
    const [axes, shape] =
      names === "..." ? [["..."], [numbers!]] : [names!.split(", "), numbers!.split(", ")];
    expect(shape.length, what).toBe(axes.length);
    for (const [j, axis] of axes.entries()) {
      expect(sizes.get(axis) ?? shape[j], `${what}: ${axis}`).toBe(shape[j]);
      sizes.set(axis, shape[j]!);
    }
  }
}

test("every kernel of the table is run by core, classic-cnns, rnn-lm or attention, with the inputs, attributes and outputs that it says", () => {
  unregister = registerReference(Object.keys(fusedKernels));
  tidy(() => {
    const labels = tensor1d([1, 0, 3, 1, 2], "int32");
    grad((z: Tensor) => crossEntropy(z, labels))(wave([5, 4]));
    grad((t: Tensor) => sum(embed(t as Tensor2D, labels)) as Tensor)(wave([6, 3]));
    for (const activation of ["linear", "relu"] as const) {
      const [scale, offset] = [tensor1d([1, 2, 3]), tensor1d([0, 1, 0])];
      const loss = (x: Tensor) => sum(batchNormTraining(x, scale, offset, { activation }).y) as Tensor;
      grad(loss)(wave([2, 2, 3]));
    }
    const [spec, lstm] = [{ cell: "lstm", inputs: 3, hidden: 2 } as const, [{ input: wave([3, 8]), recurrent: wave([2, 8]), bias: wave([8]) }]]; // biome-ignore format: a small network
    grad((x: Tensor) => {
      const carry = [{ h: wave([5, 2]) as Tensor2D, c: wave([5, 2]) as Tensor2D }];
      return sum(applyRecurrent(spec, lstm as never, x as Tensor3D, carry).outputs) as Tensor;
    })(wave([5, 7, 3]));
    const gru = [
      { input: wave([3, 6]), recurrent: wave([2, 6]), bias: wave([6]), recurrentBias: wave([6], 1) },
    ];
    grad((x: Tensor) => {
      const carry = [{ h: wave([5, 2]) as Tensor2D }];
      return sum(
        applyRecurrent({ ...spec, cell: "gru" }, gru as never, x as Tensor3D, carry).outputs,
      ) as Tensor;
    })(wave([5, 7, 3]));
    const norm = { scale: wave([3], 1), offset: wave([3], 2) } as Record<"scale" | "offset", Tensor1D>;
    grad((x: Tensor) => sum(softmax(gelu(layerNorm(norm, x)))) as Tensor)(wave([2, 4, 3]));
    const params = { w: wave([2, 3]) };
    for (const name of ["adamw", "sgd", "momentum"] as const) {
      const { slots, update } = createOptimizer({ name, learningRate: 0.1 });
      const state = slots(params);
      const next = update({ params, gradients: { w: wave([2, 3]) }, slots: state }, { count: 1 });
      for (const each of [next.params, ...Object.values(next.slots), ...Object.values(state)])
        disposeParams(each);
    }
  });
  expect(new Set(calls.map(({ name }) => name))).toEqual(new Set(Object.keys(fusedKernels)));
  for (const { name, inputs, attributes, outputs } of calls) {
    const kernel = fusedKernels[name] as FusedKernel;
    expect(Object.keys(inputs).sort(), name).toEqual(Object.keys(kernel.inputs).sort());
    expect([...attributes].sort(), name).toEqual([...kernel.attributes].sort());
    const sizes = new Map<string, string>();
    const order = Object.keys(kernel.inputs);
    expectShapes(name, order.map((input) => inputs[input]!), Object.values(kernel.inputs), sizes); // biome-ignore format: one line
    expectShapes(name, outputs, Object.values(kernel.outputs), sizes);
  }
});

test.each([
  ["linear", "GradlabBatchNorm"],
  ["relu", "GradlabBatchNormRelu"],
] as const)(
  "batch norm in training, %s: a registered pair of kernels computes what ordinary ops do, gradients through its statistics too",
  async (activation, name) => {
    const inputs = [wave([4, 2, 3]), tensor([1, 2, -0.5]), tensor([0.1, 0, -0.2])];
    const losses: readonly ((x: Tensor, scale: Tensor, offset: Tensor) => Tensor)[] = [
      (x, scale, offset) => {
        const { y } = batchNormTraining(x, scale as Tensor1D, offset as Tensor1D, {
          epsilon: 0.01,
          activation,
        });
        return sum(mul(square(y), wave([4, 2, 3], 2)));
      },
      (x, scale, offset) => {
        const { y, mean, variance } = batchNormTraining(x, scale as Tensor1D, offset as Tensor1D, {
          activation,
        });
        return add(sum(mul(y, wave([4, 2, 3], 3))), sum(mul(square(mean), variance)));
      },
    ];
    const values = async (make: () => Tensor[]) => {
      const results = tidy(make);
      const numbers = await Promise.all(results.map(async (x) => Array.from(await x.data())));
      for (const result of results) result.dispose();
      return numbers.flat();
    };
    for (const loss of losses) {
      const first = (x: readonly Tensor[]) => grads(loss as (...x: Tensor[]) => Tensor)([...x]);
      // The squares of the gradient, whose gradient is a second derivative.
      const second = (x: Tensor) => {
        const [dx] = first([x, inputs[1]!, inputs[2]!]);
        return sum(square(dx!)) as Tensor;
      };
      const all = () => [loss(inputs[0]!, inputs[1]!, inputs[2]!), ...first(inputs)];
      const composed = await values(all);
      const twice = await values(() => [grad(second)(inputs[0]!)]);
      const before = memory().numTensors;
      unregister = registerReference([name, `${name}Grad`]);
      const fused = await values(all);
      expect([runs[name], runs[`${name}Grad`]]).toEqual([2, 1]);
      const fusedTwice = await values(() => [grad(second)(inputs[0]!)]);
      expect([runs[name], runs[`${name}Grad`]]).toEqual([2, 1]);
      unregister();
      unregister = () => undefined;
      expect(memory().numTensors).toBe(before);
      // Numbers below 10, sums of 24 of them.
      for (const [i, x] of fused.entries())
        expect(Math.abs(x - composed[i]!)).toBeLessThan(24 * 10 * 2 ** -23);
      expect(fusedTwice).toEqual(twice);
      await expectSlope(second, inputs[0]!, twice);
    }
  },
);

test("a network's batch norms take the ReLU along that alone reads them, unless frozen or shown, with the same gradients", async () => {
  const layer = { op: "pointwise", fn: "batch-norm" } as const;
  const relu = { op: "pointwise", fn: "relu" } as const;
  const graph: LayerGraph = {
    input: { shape: [4, 4], channels: 3 },
    layers: [
      { ...layer, name: "n1" },
      { ...relu, name: "r1" },
      { ...layer, name: "n2" },
      { ...relu, name: "r2" },
      { name: "sum", op: "add", inputs: ["n2", "r2"] },
      { ...layer, name: "n3" },
      { ...relu, name: "r3" },
      { ...layer, name: "n4" },
    ],
  };
  const state = initNetwork(graph, { seed: 1 });
  unregister = registerReference(Object.keys(fusedKernels).filter((name) => name.includes("BatchNorm")));
  const pass = async (options: ApplyTrainingOptions) => {
    const loss = (x: Tensor) => {
      const { logits } = applyNetworkTraining(graph, state, x as Tensor4D, options);
      return sum(mul(logits, wave([2, 4, 4, 3], 4))) as Tensor;
    };
    const before = { ...runs };
    const dx = tidy(() => grad(loss)(wave([2, 4, 4, 3])));
    const gradient = Array.from(await dx.data());
    dx.dispose();
    const ran = (name: string) => (runs[name] ?? 0) - (before[name] ?? 0);
    return { gradient, ran: [ran("GradlabBatchNorm"), ran("GradlabBatchNormRelu")] };
  };
  const plain = await pass({});
  expect(plain.ran).toEqual([2, 2]); // n2 has two readers, n4 none
  const shown = await pass({ onLayer: () => undefined });
  expect(shown.ran).toEqual([4, 0]);
  expect(plain.gradient.some((value) => value !== 0)).toBe(true);
  for (const [i, value] of plain.gradient.entries()) expect(value).toBeCloseTo(shown.gradient[i]!, 5);
  const frozen = await pass({ frozen: new Set(["n3"]) });
  expect(frozen.ran).toEqual([2, 1]);
  disposeParams(state);
});

/** The second derivative with respect to `x` along one direction, against central differences. */
async function expectSlope(f: (x: Tensor) => Tensor, x: Tensor, gradient: readonly number[]): Promise<void> {
  const direction = wave(x.shape, 5);
  const h = 1e-3;
  const at = async (t: number) => {
    const value = tidy(() => f(add(x, mul(direction, t))));
    const [number] = await value.data();
    value.dispose();
    return number!;
  };
  const slope = ((await at(h)) - (await at(-h))) / (2 * h);
  const expected = Array.from(await direction.data()).reduce((total, d, i) => total + d * gradient[i]!, 0);
  // Rounding of values below 100 divided by 2h, 6e-3, and h² times a third derivative.
  expect(Math.abs(slope - expected)).toBeLessThan(0.02 + 0.01 * Math.abs(expected));
}
