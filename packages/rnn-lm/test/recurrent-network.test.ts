import { readFileSync } from "node:fs";
import { disposeParams, fusedKernels } from "@gradlab/core";
import type { RawTensor } from "@gradlab/safetensors";
import {
  add,
  addN,
  grads,
  mul,
  slice,
  square,
  stack,
  sum,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
  tensor,
  tidy,
  unstack,
} from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { registerReference, runs } from "../../core/test/reference-kernels.js";
import {
  applyRecurrent,
  type CellName,
  initCarry,
  initRecurrent,
  type LayerCarry,
  type RecurrentLayerParams,
  type RecurrentSpec,
  recurrentFromTorch,
  recurrentToTorch,
} from "../src/index.js";
import { expectClose, expectNoLeak, numbers, wave } from "./tensors.js";

interface Golden {
  readonly sizes: Readonly<Record<"batch" | "steps" | "inputs" | "hidden" | "layers", number>>;
  readonly cases: readonly {
    readonly cell: CellName;
    readonly lengths: number[] | null;
    readonly outputs: number[];
    readonly after: number[][];
    readonly dx: number[];
    readonly dBefore: number[][];
    readonly dParameters: Readonly<Record<string, number[]>>;
  }[];
}

const { sizes, cases } = JSON.parse(
  readFileSync(new URL("golden/torch-recurrent.json", import.meta.url), "utf8"),
) as Golden;
const { batch, steps, inputs, hidden, layers } = sizes;

const gateCount = { lstm: 4, gru: 3, elman: 1 } as const;

/** The weights of the golden file, under PyTorch's names. */
function torchWeights(cell: CellName): Map<string, RawTensor> {
  const wide = gateCount[cell] * hidden;
  const shapes = Array.from({ length: layers }, (_, i) => [
    [`weight_ih_l${i}`, [wide, i === 0 ? inputs : hidden]],
    [`weight_hh_l${i}`, [wide, hidden]],
    [`bias_ih_l${i}`, [wide]],
    [`bias_hh_l${i}`, [wide]],
  ]).flat() as [string, number[]][];
  return new Map(
    shapes.map(([name, shape], k) => {
      const size = shape.reduce((a, b) => a * b, 1);
      const data = Float64Array.from({ length: size }, (_, i) => 0.6 * Math.sin(1.7 * i + 0.3 * k));
      return [name, { dtype: "F64", shape, data }];
    }),
  );
}

/** The weights, the input and the state before, as a flat list, and the way back. */
function setting(cell: CellName) {
  const spec: RecurrentSpec = { cell, inputs, hidden, layers };
  const params = recurrentFromTorch(spec, torchWeights(cell));
  const parts = cell === "lstm" ? 2 : 1;
  const states = Array.from({ length: parts }, (_, k) => wave([layers, batch, hidden], 2 + k, 0.5));
  const names = ["input", "recurrent", "bias", "recurrentBias"] as const;
  const keys = params.flatMap((layer, i) =>
    names.flatMap((name) => (layer[name] ? [[i, name] as const] : [])),
  );
  const x = wave([batch, steps, inputs], 0.5);
  const flat = [x, ...states, ...keys.map(([i, name]) => params[i]![name]!)];
  const loss =
    (options: { lengths?: number[]; fused?: boolean }) =>
    (...given: Tensor[]) => {
      const [x, ...rest] = given;
      const before = rest.slice(0, parts).map((state) => unstack(state) as Tensor2D[]);
      const layersOf = params.map((layer) => ({ ...layer })) as Record<string, Tensor>[];
      for (const [k, [i, name]] of keys.entries()) layersOf[i]![name] = rest[parts + k]!;
      const carry = before[0]!.map((h, i): LayerCarry => ({ h, ...(before[1] && { c: before[1][i]! }) }));
      const result = applyRecurrent(
        spec,
        layersOf as unknown as RecurrentLayerParams[],
        x as Tensor3D,
        carry,
        options,
      );
      const after = [
        stack(result.carry.map(({ h }) => h)),
        ...(parts === 2 ? [stack(result.carry.map(({ c }) => c!))] : []),
      ];
      const terms = [
        sum(mul(result.outputs, wave([batch, steps, hidden], 1))),
        ...after.map((state, k) => sum(mul(state, wave([layers, batch, hidden], 3 + k)))),
      ];
      return { loss: addN(terms) as Tensor, outputs: result.outputs, after };
    };
  return { spec, params, states, x, flat, keys, parts, loss };
}

for (const golden of cases) {
  const { cell, lengths } = golden;
  const how = lengths === null ? "" : ", sequences of different lengths";
  test(`${cell}: outputs, states and every gradient are PyTorch's${how}; step by step the same`, async () => {
    const { flat, keys, parts, loss, params } = setting(cell);
    for (const fused of [true, false]) {
      const options = { fused, ...(lengths && { lengths }) };
      const { outputs, after, gradients } = tidy(() => {
        const { outputs, after } = loss(options)(...flat);
        return {
          outputs,
          after,
          gradients: grads((...given: Tensor[]) => loss(options)(...given).loss)(flat),
        };
      });
      // Single precision; numbers below 10.
      expectClose(await numbers(outputs), golden.outputs, 1e-6, "outputs");
      for (const [k, state] of after.entries())
        expectClose(await numbers(state), golden.after[k]!, 1e-6, "after");
      expectClose(await numbers(gradients[0]!), golden.dx, 1e-5, "dx");
      for (let k = 0; k < parts; k++)
        expectClose(await numbers(gradients[1 + k]!), golden.dBefore[k]!, 1e-5, "dBefore");
      for (const [k, [i, name]] of keys.entries()) {
        const torch = {
          input: "weight_ih",
          recurrent: "weight_hh",
          bias: "bias_ih",
          recurrentBias: "bias_hh",
        }[name];
        const expected = golden.dParameters[`${torch}_l${i}`]!;
        const gradient = gradients[1 + parts + k]!;
        const [rows, columns] = gradient.shape;
        const got = await numbers(gradient);
        const own = columns === undefined ? expected : got.map((_, at) => expected[(at % columns) * rows! + Math.floor(at / columns)]!); // biome-ignore format: one line
        expectClose(got, own, 1e-5, `${name} ${i}`);
      }
    }
    disposeParams(params as never);
    for (const tensor of flat) tensor.dispose();
  });
}

test("PyTorch's weights come back as they were, and what is missing or of another shape is named", async () => {
  for (const cell of ["lstm", "gru", "elman"] as const) {
    const spec = { cell, inputs, hidden, layers };
    const first = recurrentFromTorch(spec, torchWeights(cell));
    const written = await recurrentToTorch(spec, first, { prefix: "rnn." });
    const second = recurrentFromTorch(spec, written, { prefix: "rnn." });
    for (const [i, layer] of first.entries()) {
      for (const [name, tensor] of Object.entries(layer)) {
        expect(await second[i]![name as "input"].data()).toEqual(await tensor.data());
      }
    }
    if (cell === "gru") expectClose(written.get("rnn.bias_hh_l0")!.data as Float32Array, torchWeights(cell).get("bias_hh_l0")!.data as Float64Array, 1e-7); // biome-ignore format: one line
    disposeParams(first as never);
    disposeParams(second as never);
  }
  const tensors = torchWeights("lstm");
  expect(() => recurrentFromTorch({ cell: "gru", inputs, hidden, layers }, tensors)).toThrow(
    "recurrentFromTorch: bias_ih_l0: expected [15], got [20]",
  );
  tensors.delete("bias_hh_l1");
  expect(() => recurrentFromTorch({ cell: "lstm", inputs, hidden, layers }, tensors)).toThrow(
    "recurrentFromTorch: bias_hh_l1: expected a tensor of this name, got weight_ih_l0",
  );
});

test("the gradient of a sequence is that of finite differences, of all its inputs at once", async () => {
  for (const cell of ["lstm", "gru", "elman"] as const) {
    const { flat, loss } = setting(cell);
    const directions = flat.map(({ shape }, i) => wave(shape, 7 + i));
    const slope = tidy(() => {
      const all = grads((...given: Tensor[]) => loss({})(...given).loss)(flat);
      return addN(all.map((gradient, i) => sum(mul(gradient, directions[i]!)))) as Tensor;
    });
    const at = async (h: number) => {
      const moved = flat.map((tensor, i) => add(tensor, mul(directions[i]!, h)));
      const [value] = await numbers(tidy(() => loss({})(...moved).loss));
      for (const tensor of moved) tensor.dispose();
      return value!;
    };
    const h = 2e-3;
    const [numeric, [exact]] = [((await at(h)) - (await at(-h))) / (2 * h), await numbers(slope)];
    // A loss below 50 with its rounding over 2h, 1e-3; and h² times a third derivative of some hundreds.
    expect(Math.abs(numeric - exact!), cell).toBeLessThan(0.02 + 2e-3 * Math.abs(exact!));
  }
});

test("a second derivative goes through a sequence", async () => {
  const { flat, loss } = setting("lstm");
  const first = (x: Tensor) => {
    const [dx] = grads((...given: Tensor[]) => loss({})(given[0]!, ...flat.slice(1)).loss)([x]);
    return sum(square(dx!)) as Tensor;
  };
  const [dx] = tidy(() => grads(first)([flat[0]!]));
  const direction = wave(flat[0]!.shape, 11);
  const [exact] = await numbers(tidy(() => sum(mul(dx!, direction))));
  const at = async (h: number) => (await numbers(tidy(() => first(add(flat[0]!, mul(direction, h))))))[0]!;
  const h = 1e-2;
  const numeric = ((await at(h)) - (await at(-h))) / (2 * h);
  // Values below 10: their rounding over 2h, 1e-4, and h² times a third derivative.
  expect(Math.abs(numeric - exact!)).toBeLessThan(5e-3 * Math.max(1, Math.abs(exact!)));
  expect(Math.abs(exact!)).toBeGreaterThan(0.01);
});

test.each([
  ["lstm", "GradlabLstm"],
  ["gru", "GradlabGru"],
] as const)(
  "a backend's own %s is asked for and gives the same numbers, for sequences of different lengths too",
  async (cell, kernel) => {
    const { flat, loss } = setting(cell);
    const values = async (lengths?: number[]) => {
      const options = lengths ? { lengths } : {};
      const all = tidy(() => {
        const { loss: value, outputs, after } = loss(options)(...flat);
        const gradients = grads((...given: Tensor[]) => loss(options)(...given).loss)(flat);
        return [value, outputs, ...after, ...gradients];
      });
      return (await Promise.all(all.map(numbers))).flat();
    };
    for (const lengths of [undefined, [7, 2, 5], [1, 1, 7]]) {
      const composed = await values(lengths);
      const unregister = registerReference([kernel, `${kernel}Grad`]);
      try {
        // Single precision here, double inside of the reference; numbers below 30.
        expectClose(await values(lengths), composed, 2e-5);
        expect([runs[kernel], runs[`${kernel}Grad`]]).toEqual([2 * layers, layers]);
      } finally {
        unregister();
      }
    }
  },
);

test("what stands behind the end of a sequence is not read, were it NaN: outputs, states and gradients", async () => {
  const lengths = [7, 2, 5];
  for (const cell of ["lstm", "gru", "elman"] as const) {
    const { flat, loss } = setting(cell);
    const [x, ...rest] = flat;
    const clean = Array.from(await x!.data());
    const beyond = (at: number) =>
      Math.floor(at / inputs) % steps >= lengths[Math.floor(at / inputs / steps)]!;
    const spoiled = tensor(
      clean.map((value, at) => (beyond(at) ? Number.NaN : value)),
      x!.shape,
    );
    for (const kernels of [[], Object.keys(fusedKernels).filter((name) => /Lstm|Gru/.test(name))]) {
      const unregister = registerReference(kernels);
      try {
        for (const fused of [true, false]) {
          const values = async (x: Tensor) => {
            const all = tidy(() => {
              const { outputs, after } = loss({ lengths, fused })(x, ...rest);
              const gradients = grads((...given: Tensor[]) => loss({ lengths, fused })(...given).loss);
              return [outputs, ...after, ...gradients([x, ...rest])];
            });
            return (await Promise.all(all.map(numbers))).flat();
          };
          expect(await values(spoiled)).toEqual(await values(x!));
        }
      } finally {
        unregister();
      }
    }
  }
});

test("a long sequence is its parts one after another, with the state carried", async () => {
  const spec = { cell: "lstm", inputs, hidden, layers } as const;
  const params = initRecurrent(spec, { seed: 3 });
  const x = wave([batch, steps, inputs]) as Tensor3D;
  const start = initCarry(spec, batch);
  const results = tidy(() => {
    const all = applyRecurrent(spec, params, x, start);
    const a = applyRecurrent(spec, params, slice(x, [0, 0, 0], [batch, 4, inputs]) as Tensor3D, start);
    const b = applyRecurrent(spec, params, slice(x, [0, 4, 0], [batch, 3, inputs]) as Tensor3D, a.carry);
    return [all.outputs, all.carry[1]!.c!, a.outputs, b.outputs, b.carry[1]!.c!] as Tensor[];
  });
  const [outputs, c, first, second, last] = (await Promise.all(results.map(numbers))) as [number[], number[], number[], number[], number[]]; // biome-ignore format: one line
  const row = (values: readonly number[], length: number, b: number) => values.slice(b * length * hidden, (b + 1) * length * hidden); // biome-ignore format: one line
  for (let b = 0; b < batch; b++)
    expect([...row(first, 4, b), ...row(second, 3, b)]).toEqual(row(outputs, steps, b));
  expect(last).toEqual(c);
});

test("an Elman network gives the published values, in the form that is right and in the one that is the same", async () => {
  const W = [[1.76405235, 0.40015721, 0.97873798], [2.2408932, 1.86755799, -0.97727788], [0.95008842, -0.15135721, -0.10321885]]; // biome-ignore format: a matrix
  const V = [[0.4105985, 0.14404357, 1.45427351], [0.76103773, 0.12167502, 0.44386323], [0.33367433, 1.49407907, -0.20515826]]; // biome-ignore format: a matrix
  const U = [[0.3130677, -0.85409574, -2.55298982], [0.6536186, 0.8644362, -0.74216502], [2.26975462, -1.45436567, 0.04575852]]; // biome-ignore format: a matrix
  const b = [-0.18718385, 1.53277921, 1.46935877];
  const by = [0.94374808, 0.6818203, 0.3595079];
  const known = [[-1.73665315, -2.40366542, -2.72344361], [-2.15023381, -2.41205828, -2.71701457], [-2.15024751, -2.41207375, -2.720968]]; // biome-ignore format: three steps
  const spec = { cell: "elman", inputs: 3, hidden: 3 } as const;
  const raw = (rows: number[][]) => ({ dtype: "F64", shape: [rows.length, rows[0]!.length], data: Float64Array.from(rows.flat()) }) as RawTensor; // biome-ignore format: one line
  const across = (rows: number[][]) => rows[0]!.map((_, j) => rows.map((row) => row[j]!));
  const flat = (values: number[]): RawTensor => ({
    dtype: "F64",
    shape: [3],
    data: Float64Array.from(values),
  });
  const params = recurrentFromTorch(spec, {
    weight_ih_l0: raw(across(V)),
    weight_hh_l0: raw(across(W)),
    bias_ih_l0: flat(b),
    bias_hh_l0: flat([0, 0, 0]),
  });
  const ones = tidy(() => add(mul(wave([3, 3, 3]), 0), 1)) as Tensor3D;
  const states = await numbers(tidy(() => applyRecurrent(spec, params, ones, initCarry(spec, 3)).outputs));
  for (const [t, expected] of known.entries()) {
    // y = U h + b, U from the left: it mixes the three rows of h, which are all one.
    const rows = [0, 1, 2].map((row) => states.slice((row * 3 + t) * 3, (row * 3 + t) * 3 + 3));
    const y = [0, 1, 2].map((j) => U[0]!.reduce((total, u, row) => total + u * rows[row]![j]!, by[j]!));
    expectClose(y, expected, 2e-5);
  }
});

test("arguments that do not line up are refused before any work, and nothing is left behind", async () => {
  const spec = { cell: "lstm", inputs, hidden } as const;
  const params = initRecurrent(spec, { seed: 0 });
  const carry = initCarry(spec, 2);
  const x = wave([2, 3, inputs]) as Tensor3D;
  await expectNoLeak(() => {
    const apply =
      (change: object, options = {}) =>
      () =>
        applyRecurrent(spec, params, x, carry, { ...options, ...change });
    expect(apply({ lengths: [3] })).toThrow("applyRecurrent: lengths: expected 2 of them");
    expect(apply({ lengths: [3, 4] })).toThrow(
      "applyRecurrent: lengths[1]: expected an integer in [1, 3], got 4",
    );
    expect(() => applyRecurrent(spec, params, x, initCarryOf(spec, 3))).toThrow(
      "applyRecurrent: carry[0].h: expected [2, 5], got [3, 5]",
    );
    expect(() => applyRecurrent({ ...spec, cell: "peephole" as never }, params, x, carry)).toThrow();
    expect(() => applyRecurrent({ ...spec, inputs: 3 }, params, x, carry)).toThrow(
      "applyRecurrent: x: expected [?, ?, 3], got [2, 3, 4]",
    );
    expect(() => initRecurrent({ ...spec, hidden: 0 }, { seed: 0 })).toThrow("initRecurrent: spec: hidden");
    expect(() => initRecurrent({ ...spec, cell: "x" as never }, { seed: 0 })).toThrow(
      'initRecurrent: spec: cell: expected one of "lstm", "gru", "elman", got "x"',
    );
    for (const one of held.splice(0)) disposeParams(one as never);
  });
});

const held: LayerCarry[][] = [];
function initCarryOf(spec: RecurrentSpec, count: number): LayerCarry[] {
  held.push(initCarry(spec, count));
  return held.at(-1)!;
}

test("a training pass leaves no tensor behind, whatever the cell", async () => {
  for (const cell of ["lstm", "gru", "elman"] as const) {
    const spec = { cell, inputs, hidden, layers };
    const params = initRecurrent(spec, { seed: 1, scheme: "orthogonal", forgetBias: 1 });
    const carry = initCarry(spec, 2);
    const x = wave([2, 5, inputs]) as Tensor3D;
    const dropout = { hidden: 0.3, recurrent: 0.2, seed: 0, index: 0 };
    const pass = () =>
      tidy(() => grads((x: Tensor) => sum(applyRecurrent(spec, params, x as Tensor3D, carry, { dropout, lengths: [5, 2] }).outputs) as Tensor)([x])); // biome-ignore format: one line
    for (const gradient of pass()) gradient.dispose();
    await expectNoLeak(() => {
      for (const gradient of pass()) gradient.dispose();
    });
  }
});
