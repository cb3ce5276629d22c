/** Fused kernels for the cpu backend in plain loops and double precision, as a backend would register them. */
import type { MathBackendCPU } from "@tensorflow/tfjs-backend-cpu";
import { type KernelFunc, registerKernel, type TensorInfo, unregisterKernel } from "@tensorflow/tfjs-core";

type Values = Record<string, { readonly shape: number[]; readonly at: Float32Array | Int32Array }>;
type Output = readonly [shape: readonly number[], values: ArrayLike<number>];

const filled = (n: number, value: (i: number) => number) => Array.from({ length: n }, (_, i) => value(i));
const total = (n: number, value: (i: number) => number) => filled(n, value).reduce((a, b) => a + b, 0);

function softmaxRow(z: ArrayLike<number>, row: number, classes: number): number[] {
  const top = Math.max(...filled(classes, (j) => z[row * classes + j]!));
  const weights = filled(classes, (j) => Math.exp(z[row * classes + j]! - top));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}

/** The density of the normal distribution integrated by Simpson's rule, or the form with tanh. */
function normal(x: number, approximate: number): number {
  if (approximate === 1) return (1 + Math.tanh(tanhArgument(x))) / 2;
  const known = integrals.get(x) ?? integral(x);
  integrals.set(x, known);
  return known;
}

const integrals = new Map<number, number>();

function integral(x: number): number {
  // From a place where nothing is left of the tail, so that it keeps its digits.
  const [from, pieces] = [Math.max(-40, Math.min(x, 0) - 12), 4000];
  if (x <= from) return 0;
  const to = Math.min(x, 12);
  const step = (to - from) / pieces;
  const weight = (i: number) => (i === 0 || i === pieces ? 1 : i % 2 === 1 ? 4 : 2);
  return (step / 3) * total(pieces + 1, (i) => weight(i) * normalDensity(from + i * step, 0));
}

const tanhArgument = (x: number) => Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);

function normalDensity(x: number, approximate: number): number {
  if (approximate === 0) return Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
  const inner = Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x ** 2);
  return ((1 - Math.tanh(tanhArgument(x)) ** 2) / 2) * inner;
}

/** A gradient scaled and bounded. */
const bounded = ({ at }: Values[string], { scale, maxValue }: Record<string, number>): number[] =>
  Array.from(at, (each) => Math.max(-maxValue!, Math.min(maxValue!, each * scale!)));

/** Rows of mean square 1, and what each was divided by. */
function unitRows(x: Values[string], { epsilon, centers }: Record<string, number>) {
  const [n, width] = x.shape as [number, number];
  const row = (i: number) => filled(width, (j) => x.at[i * width + j]!);
  const mean = filled(n, (i) => (centers === 1 ? row(i).reduce((a, b) => a + b, 0) / width : 0));
  const square = filled(n, (i) => row(i).reduce((sum, value) => sum + (value - mean[i]!) ** 2, 0) / width);
  const deviation = square.map((value) => Math.sqrt(value + epsilon!));
  const unit = filled(n * width, (at) => {
    const i = Math.floor(at / width);
    return (x.at[at]! - mean[i]!) / deviation[i]!;
  });
  return { unit, deviation };
}

function normalizeBatch(
  { x, scale, offset }: Values,
  { epsilon }: Record<string, number>,
): [Output, Output, Output] {
  const [n, c] = x!.shape as [number, number];
  const mean = filled(c, (j) => total(n, (i) => x!.at[i * c + j]!) / n);
  const variance = filled(c, (j) => total(n, (i) => (x!.at[i * c + j]! - mean[j]!) ** 2) / n);
  const y = filled(n * c, (at) => {
    const j = at % c;
    return ((x!.at[at]! - mean[j]!) / Math.sqrt(variance[j]! + epsilon!)) * scale!.at[j]! + offset!.at[j]!;
  });
  return [[[n, c], y], [[c], mean], [[c], variance]]; // biome-ignore format: three outputs
}

function batchNormGradient(
  { dy, dMean, dVariance, x, scale, mean, variance }: Values,
  { epsilon }: Record<string, number>,
): Output[] {
  const [n, c] = x!.shape as [number, number];
  const deviation = filled(c, (j) => Math.sqrt(variance!.at[j]! + epsilon!));
  const hat = filled(n * c, (at) => (x!.at[at]! - mean!.at[at % c]!) / deviation[at % c]!);
  const dOffset = filled(c, (j) => total(n, (i) => dy!.at[i * c + j]!));
  const dScale = filled(c, (j) => total(n, (i) => dy!.at[i * c + j]! * hat[i * c + j]!));
  const dx = filled(n * c, (at) => {
    const j = at % c;
    const through = dy!.at[at]! - dOffset[j]! / n - (hat[at]! * dScale[j]!) / n;
    const own = dMean!.at[j]! / n + (dVariance!.at[j]! * 2 * (x!.at[at]! - mean!.at[j]!)) / n;
    return (scale!.at[j]! / deviation[j]!) * through + own;
  });
  return [[[n, c], dx], [[c], dScale], [[c], dOffset]]; // biome-ignore format: three outputs
}

const kernels: Record<string, (inputs: Values, attributes: Record<string, number>) => Output[]> = {
  GradlabAdam: ({ value, gradient, firstMoment, secondMoment }, a) => {
    const { learningRate, beta1, beta2, epsilon, count, scale, maxValue, decay } = a as Record<
      string,
      number
    > & {
      [name in
        | "learningRate"
        | "beta1"
        | "beta2"
        | "epsilon"
        | "count"
        | "scale"
        | "maxValue"
        | "decay"]: number;
    };
    const n = value!.at.length;
    const g = filled(n, (i) => Math.max(-maxValue, Math.min(maxValue, gradient!.at[i]! * scale)));
    const m = filled(n, (i) => beta1 * firstMoment!.at[i]! + (1 - beta1) * g[i]!);
    const v = filled(n, (i) => beta2 * secondMoment!.at[i]! + (1 - beta2) * g[i]! ** 2);
    const next = filled(n, (i) => {
      const root = Math.sqrt(v[i]! / (1 - beta2 ** count)) + epsilon;
      return (
        value!.at[i]! * (1 - learningRate * decay) - (learningRate * m[i]!) / (1 - beta1 ** count) / root
      );
    });
    return [next, m, v].map((values) => [value!.shape, values]);
  },
  GradlabBatchNorm: normalizeBatch,
  GradlabBatchNormGrad: batchNormGradient,
  GradlabBatchNormRelu: (inputs, attributes) => {
    const [[shape, y], ...statistics] = normalizeBatch(inputs, attributes);
    return [[shape, Array.from(y, (value) => Math.max(0, value))], ...statistics];
  },
  GradlabBatchNormReluGrad: ({ dy, y, ...rest }, attributes) => {
    const passed = filled(dy!.at.length, (at) => (y!.at[at]! <= 0 ? 0 : dy!.at[at]!));
    return batchNormGradient({ ...rest, dy: { ...dy!, at: Float32Array.from(passed) } }, attributes);
  },
  GradlabCrossEntropy: ({ logits, labels }, { labelSmoothing }) => {
    const [n, classes] = logits!.shape as [number, number];
    const losses = filled(n, (i) => {
      const log = softmaxRow(logits!.at, i, classes).map(Math.log);
      const picked = log[labels!.at[i]!] ?? Number.NaN;
      // 0 times the logarithm of nothing would be NaN.
      const spread = labelSmoothing === 0 ? 0 : (labelSmoothing! * total(classes, (j) => log[j]!)) / classes;
      return -(1 - labelSmoothing!) * picked - spread;
    });
    return [[[n], losses]];
  },
  GradlabCrossEntropyGrad: ({ dy, logits, labels }, { labelSmoothing }) => {
    const [n, classes] = logits!.shape as [number, number];
    const rows = filled(n, (i) => i).map((i) => softmaxRow(logits!.at, i, classes));
    const gradient = filled(n * classes, (at) => {
      const [i, j] = [Math.floor(at / classes), at % classes];
      const target = (labels!.at[i] === j ? 1 - labelSmoothing! : 0) + labelSmoothing! / classes;
      return dy!.at[i]! * (rows[i]![j]! - target);
    });
    return [[[n, classes], gradient]];
  },
  GradlabEmbed: ({ table, ids }) => {
    const d = table!.shape[1]!;
    const k = ids!.at.length;
    const rows = filled(k * d, (at) => {
      const id = ids!.at[Math.floor(at / d)]!;
      return id >= 0 && id < table!.shape[0]! ? table!.at[id * d + (at % d)]! : Number.NaN;
    });
    return [[[k, d], rows]];
  },
  GradlabEmbedGrad: ({ dy, ids }, { n }) => {
    const d = dy!.shape[1]!;
    const sums = new Float64Array(n! * d);
    for (const [at, value] of dy!.at.entries()) {
      const id = ids!.at[Math.floor(at / d)]!;
      if (id >= 0 && id < n!) sums[id * d + (at % d)]! += value;
    }
    return [[[n!, d], sums]];
  },
  GradlabGelu: ({ x }, { approximate }) => [
    [x!.shape, Array.from(x!.at, (value) => value * normal(value, approximate!))],
  ],
  GradlabGeluGrad: ({ dy, x }, { approximate }) => {
    const slope = (value: number) => normal(value, approximate!) + value * normalDensity(value, approximate!);
    return [[x!.shape, Array.from(x!.at, (value, i) => dy!.at[i]! * slope(value))]];
  },
  GradlabGru: ({ gates, recurrent, recurrentBias, h }) => {
    const [t, b, wide] = gates!.shape as [number, number, number];
    const n = wide / 3;
    const [outputs, activations]: [number[], number[]] = [[], []];
    const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
    for (let step = 0; step < t; step++) {
      for (let row = 0; row < b; row++) {
        const before = (j: number) =>
          step === 0 ? h!.at[row * n + j]! : outputs[((step - 1) * b + row) * n + j]!;
        const fromState = filled(
          wide,
          (k) => recurrentBias!.at[k]! + total(n, (i) => before(i) * recurrent!.at[i * wide + k]!),
        );
        const fromInput = (k: number) => gates!.at[(step * b + row) * wide + k]!;
        const r = filled(n, (j) => sigmoid(fromInput(j) + fromState[j]!));
        const z = filled(n, (j) => sigmoid(fromInput(n + j) + fromState[n + j]!));
        const fresh = filled(n, (j) => Math.tanh(fromInput(2 * n + j) + r[j]! * fromState[2 * n + j]!));
        const next = filled(n, (j) => (1 - z[j]!) * fresh[j]! + z[j]! * before(j));
        activations.push(...r, ...z, ...fresh, ...fromState.slice(2 * n));
        outputs.push(...next);
      }
    }
    return [[[t, b, n], outputs], [[t, b, 4 * n], activations]]; // biome-ignore format: two outputs
  },
  GradlabGruGrad: ({ dOutputs, recurrent, h, outputs, activations }) => {
    const [t, b, n] = outputs!.shape as [number, number, number];
    const wide = 3 * n;
    const dGates = new Array<number>(t * b * wide).fill(0);
    const dRecurrent = new Array<number>(n * wide).fill(0);
    const dBias = new Array<number>(wide).fill(0);
    let dH = new Array<number>(b * n).fill(0);
    for (let step = t - 1; step >= 0; step--) {
      const next = dH.map(() => 0);
      for (let row = 0; row < b; row++) {
        const at = (step * b + row) * n;
        const before = (j: number) => (step === 0 ? h!.at[row * n + j]! : outputs!.at[at - b * n + j]!);
        for (let j = 0; j < n; j++) {
          const [r, z, fresh, ofN] = [0, 1, 2, 3].map(
            (which) => activations!.at[(step * b + row) * 4 * n + which * n + j]!,
          ) as [number, number, number, number];
          const dh = dOutputs!.at[at + j]! + dH[row * n + j]!;
          const dn = dh * (1 - z) * (1 - fresh * fresh);
          const dz = dh * (before(j) - fresh) * z * (1 - z);
          const dr = dn * ofN * r * (1 - r);
          next[row * n + j]! += dh * z;
          for (const [which, [ofInput, ofState]] of [
            [dr, dr],
            [dz, dz],
            [dn, dn * r],
          ].entries()) {
            // biome-ignore format: three gates
            const k = which * n + j;
            dGates[(step * b + row) * wide + k] = ofInput!;
            dBias[k]! += ofState!;
            for (let m = 0; m < n; m++) {
              dRecurrent[m * wide + k]! += before(m) * ofState!;
              next[row * n + m]! += recurrent!.at[m * wide + k]! * ofState!;
            }
          }
        }
      }
      dH = next;
    }
    return [[[t, b, wide], dGates], [[n, wide], dRecurrent], [[wide], dBias], [[b, n], dH]]; // biome-ignore format: four outputs
  },
  GradlabLayerNorm: ({ x, scale, offset }, attributes) => {
    const { unit } = unitRows(x!, attributes);
    const width = x!.shape[1]!;
    return [[x!.shape, unit.map((u, at) => u * scale!.at[at % width]! + offset!.at[at % width]!)]];
  },
  GradlabLayerNormGrad: ({ dy, x, scale }, attributes) => {
    const [n, width] = x!.shape as [number, number];
    const { unit, deviation } = unitRows(x!, attributes);
    const g = filled(n * width, (at) => dy!.at[at]! * scale!.at[at % width]!);
    const mean = (row: number, value: (at: number) => number) =>
      total(width, (j) => value(row * width + j)) / width;
    const means = filled(n, (i) => (attributes.centers === 1 ? mean(i, (at) => g[at]!) : 0));
    const along = filled(n, (i) => mean(i, (at) => g[at]! * unit[at]!));
    const dx = filled(n * width, (at) => {
      const i = Math.floor(at / width);
      return (g[at]! - means[i]! - unit[at]! * along[i]!) / deviation[i]!;
    });
    const dScale = filled(width, (j) => total(n, (i) => dy!.at[i * width + j]! * unit[i * width + j]!));
    const dOffset = filled(width, (j) => total(n, (i) => dy!.at[i * width + j]!));
    return [[[n, width], dx], [[width], dScale], [[width], dOffset]]; // biome-ignore format: three outputs
  },
  GradlabLstm: ({ gates, recurrent, h, c }) => {
    const [t, b, wide] = gates!.shape as [number, number, number];
    const n = wide / 4;
    const [outputs, cells, activations]: [number[], number[], number[]] = [[], [], []];
    const before = (states: number[], first: ArrayLike<number>, step: number, row: number, j: number) =>
      step === 0 ? first[row * n + j]! : states[((step - 1) * b + row) * n + j]!;
    for (let step = 0; step < t; step++) {
      for (let row = 0; row < b; row++) {
        const z = filled(wide, (k) => {
          const product = total(
            n,
            (i) => before(outputs, h!.at, step, row, i) * recurrent!.at[i * wide + k]!,
          );
          const sum = gates!.at[(step * b + row) * wide + k]! + product;
          return Math.floor(k / n) === 2 ? Math.tanh(sum) : 1 / (1 + Math.exp(-sum));
        });
        activations.push(...z);
        const next = filled(n, (j) => z[n + j]! * before(cells, c!.at, step, row, j) + z[j]! * z[2 * n + j]!);
        outputs.push(...next.map((cell, j) => z[3 * n + j]! * Math.tanh(cell)));
        cells.push(...next);
      }
    }
    return [[[t, b, n], outputs], [[t, b, n], cells], [[t, b, wide], activations]]; // biome-ignore format: three outputs
  },
  GradlabLstmGrad: ({ dOutputs, dCells, recurrent, h, c, outputs, cells, activations }) => {
    const [t, b, n] = outputs!.shape as [number, number, number];
    const wide = 4 * n;
    const dGates = new Array<number>(t * b * wide).fill(0);
    const dRecurrent = new Array<number>(n * wide).fill(0);
    let dH = new Array<number>(b * n).fill(0);
    let dC = new Array<number>(b * n).fill(0);
    for (let step = t - 1; step >= 0; step--) {
      const [nextH, nextC] = [dH.map(() => 0), dC.map(() => 0)];
      for (let row = 0; row < b; row++) {
        const at = (step * b + row) * n;
        const gate = (which: number, j: number) => activations!.at[(step * b + row) * wide + which * n + j]!;
        for (let j = 0; j < n; j++) {
          const cBefore = step === 0 ? c!.at[row * n + j]! : cells!.at[at - b * n + j]!;
          const [i, f, g, o] = [0, 1, 2, 3].map((which) => gate(which, j)) as [
            number,
            number,
            number,
            number,
          ];
          const squashed = Math.tanh(cells!.at[at + j]!);
          const dh = dOutputs!.at[at + j]! + dH[row * n + j]!;
          const dc = dCells!.at[at + j]! + dC[row * n + j]! + dh * o * (1 - squashed ** 2);
          nextC[row * n + j] = dc * f;
          const dz = [dc * g * i * (1 - i), dc * cBefore * f * (1 - f), dc * i * (1 - g * g), dh * squashed * o * (1 - o)]; // biome-ignore format: four gates
          for (const [which, value] of dz.entries()) {
            const k = which * n + j;
            dGates[(step * b + row) * wide + k] = value;
            for (let m = 0; m < n; m++) {
              const hBefore = step === 0 ? h!.at[row * n + m]! : outputs!.at[at - b * n + m]!;
              dRecurrent[m * wide + k]! += hBefore * value;
              nextH[row * n + m]! += recurrent!.at[m * wide + k]! * value;
            }
          }
        }
      }
      [dH, dC] = [nextH, nextC];
    }
    return [[[t, b, wide], dGates], [[n, wide], dRecurrent], [[b, n], dH], [[b, n], dC]]; // biome-ignore format: four outputs
  },
  GradlabMomentum: ({ value, gradient, momentum }, a) => {
    const g = bounded(gradient!, a);
    const v = g.map((each, i) => a.momentum! * momentum!.at[i]! + each);
    const step = v.map((each, i) => (a.nesterov === 1 ? g[i]! + a.momentum! * each : each));
    const next = step.map(
      (each, i) => value!.at[i]! * (1 - a.learningRate! * a.decay!) - a.learningRate! * each,
    );
    return [next, v].map((values) => [value!.shape, values]);
  },
  GradlabSgd: ({ value, gradient }, a) => {
    const next = bounded(gradient!, a).map(
      (each, i) => value!.at[i]! * (1 - a.learningRate! * a.decay!) - a.learningRate! * each,
    );
    return [[value!.shape, next]];
  },
  GradlabSoftmaxGrad: ({ dy, y }) => {
    const [n, columns] = y!.shape as [number, number];
    const sums = filled(n, (i) => total(columns, (j) => dy!.at[i * columns + j]! * y!.at[i * columns + j]!));
    return [[[n, columns], filled(n * columns, (at) => y!.at[at]! * (dy!.at[at]! - sums[Math.floor(at / columns)]!))]]; // biome-ignore format: one output
  },
};

/** How often each kernel has run since it was registered. */
export const runs: Record<string, number> = {};

/** What a kernel was given and gave, each as `[2, 3] float32`. */
export interface Call {
  readonly name: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly attributes: readonly string[];
  readonly outputs: readonly string[];
}

/** All calls since the last registration. */
export const calls: Call[] = [];

const described = ({ shape, dtype }: TensorInfo) => `[${shape.join(", ")}] ${dtype}`;

/** Registers kernels on the cpu backend until the function that is returned is called. */
export function registerReference(names: readonly string[]): () => void {
  calls.length = 0;
  for (const name of names) {
    runs[name] = 0;
    const kernelFunc: KernelFunc = ({ inputs, attrs, backend }) => {
      runs[name]!++;
      const cpu = backend as MathBackendCPU;
      const values = Object.fromEntries(
        Object.entries(inputs).map(([input, info]) => {
          const { dataId, shape } = info as TensorInfo;
          return [input, { shape, at: cpu.data.get(dataId).values as Float32Array }];
        }),
      );
      const results = kernels[name]!(values, attrs as Record<string, number>).map(([shape, numbers]) =>
        cpu.makeTensorInfo([...shape], "float32", Float32Array.from(numbers)),
      );
      calls.push({
        name,
        inputs: Object.fromEntries(
          Object.entries(inputs).map(([input, info]) => [input, described(info as TensorInfo)]),
        ),
        attributes: Object.keys(attrs ?? {}),
        outputs: results.map(described),
      });
      return results;
    };
    registerKernel({ kernelName: name, backendName: "cpu", kernelFunc });
  }
  return () => {
    for (const name of names) unregisterKernel(name, "cpu");
  };
}
