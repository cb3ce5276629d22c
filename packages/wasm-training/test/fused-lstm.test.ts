import { enableWasmTraining } from "@gradlab/wasm-training";
import { engine, memory, type NamedAttrMap, setBackend, type Tensor, tensor } from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, expect, test } from "vitest";

// The fused LSTM beside plain loops in double precision, its gradient beside differences of those.

beforeAll(async () => {
  await enableWasmTraining({ companion: true, threads: 3 });
  await setBackend("wasm");
});
afterAll(async () => {
  await enableWasmTraining({ companion: false });
});

interface Sizes {
  readonly steps: number;
  readonly batch: number;
  readonly units: number;
}

interface States {
  readonly gates: Float64Array;
  readonly recurrent: Float64Array;
  readonly h: Float64Array;
  readonly c: Float64Array;
}

const wave = (size: number, phase: number, scale = 1) =>
  Float64Array.from({ length: size }, (_, i) =>
    Math.fround(scale * Math.sin(1.7 * i * (i % 101) + 0.3 * i + phase)),
  );

const start = ({ steps, batch, units }: Sizes): States => ({
  gates: wave(steps * batch * 4 * units, 0, 1.5),
  recurrent: wave(units * 4 * units, 1, 1 / Math.sqrt(units)),
  h: wave(batch * units, 2, 0.8),
  c: wave(batch * units, 3, 1.2),
});

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** `h` and `c` after every step, and the gates after their functions. */
function reference({ steps, batch, units }: Sizes, { gates, recurrent, h, c }: States) {
  const outputs = new Float64Array(steps * batch * units);
  const cells = new Float64Array(outputs.length);
  const activations = new Float64Array(4 * outputs.length);
  let [hBefore, cBefore] = [h, c];
  for (let t = 0; t < steps; t++) {
    for (let row = 0; row < batch; row++) {
      const at = (t * batch + row) * 4 * units;
      for (let k = 0; k < 4 * units; k++) {
        let z = gates[at + k]!;
        for (let m = 0; m < units; m++) z += hBefore[row * units + m]! * recurrent[m * 4 * units + k]!;
        activations[at + k] = Math.floor(k / units) === 2 ? Math.tanh(z) : sigmoid(z);
      }
      for (let j = 0; j < units; j++) {
        const [i, f, g, o] = [0, 1, 2, 3].map((gate) => activations[at + gate * units + j]!) as [
          number,
          number,
          number,
          number,
        ];
        const to = (t * batch + row) * units + j;
        cells[to] = f * cBefore[row * units + j]! + i * g;
        outputs[to] = o * Math.tanh(cells[to]!);
      }
    }
    const [from, end] = [t * batch * units, (t + 1) * batch * units];
    [hBefore, cBefore] = [outputs.slice(from, end), cells.slice(from, end)];
  }
  return { outputs, cells, activations };
}

const upload = (values: Float64Array, shape: number[]) => tensor(Float32Array.from(values), shape);

function inputsOf({ steps, batch, units }: Sizes, states: States): Record<string, Tensor> {
  return {
    gates: upload(states.gates, [steps, batch, 4 * units]),
    recurrent: upload(states.recurrent, [units, 4 * units]),
    h: upload(states.h, [batch, units]),
    c: upload(states.c, [batch, units]),
  };
}

const run = (name: string, inputs: Record<string, Tensor>) =>
  engine().runKernel(name, inputs, {} as NamedAttrMap) as unknown as Tensor[];

/** One step, one row, units that fill no eight, rows that fill no tile or more than one block, products of two blocks. */
const cases: readonly Sizes[] = [
  { steps: 1, batch: 1, units: 1 },
  { steps: 3, batch: 2, units: 5 },
  { steps: 4, batch: 7, units: 12 },
  { steps: 2, batch: 101, units: 19 },
  { steps: 2, batch: 3, units: 530 },
];

const distance = (got: ArrayLike<number>, want: Float64Array) => {
  expect(got.length).toBe(want.length);
  return want.reduce((most, value, i) => Math.max(most, Math.abs(value - got[i]!) || 0), 0);
};

test("every state and every gate of a sequence are those of double precision", async () => {
  for (const sizes of cases) {
    const states = start(sizes);
    const inputs = inputsOf(sizes, states);
    const before = memory().numTensors;
    const outputs = run("GradlabLstm", inputs);
    expect(memory().numTensors).toBe(before + 3);
    const want = Object.values(reference(sizes, states));
    for (const [i, output] of outputs.entries()) {
      // Numbers up to 5, a few roundings in each of at most four steps, products of up to 530 terms below 1 / 23.
      expect(distance(await output.data(), want[i]!)).toBeLessThan(3e-6);
      output.dispose();
    }
    for (const input of Object.values(inputs)) input.dispose();
  }
});

test("the gradient is that of differences in double precision, of the states and of the cells", async () => {
  for (const sizes of cases) {
    const { steps, batch, units } = sizes;
    const states = start(sizes);
    const inputs = inputsOf(sizes, states);
    const [outputs, cells, activations] = run("GradlabLstm", inputs) as [Tensor, Tensor, Tensor];
    const [dOutputs, dCells] = [wave(steps * batch * units, 4), wave(steps * batch * units, 5, 0.5)];
    const { recurrent, h, c } = inputs as { recurrent: Tensor; h: Tensor; c: Tensor };
    const shape = [steps, batch, units];
    const given = { dOutputs: upload(dOutputs, shape), dCells: upload(dCells, shape) };
    const before = memory().numTensors;
    const gradients = run("GradlabLstmGrad", { ...given, recurrent, h, c, outputs, cells, activations });
    expect(memory().numTensors).toBe(before + 4);
    const loss = (at: States) => {
      const result = reference(sizes, at);
      return dOutputs.reduce((sum, d, i) => sum + d * result.outputs[i]! + dCells[i]! * result.cells[i]!, 0);
    };
    for (const [k, name] of (["gates", "recurrent", "h", "c"] as const).entries()) {
      const gradient = await gradients[k]!.data();
      expect(gradient.length).toBe(states[name].length);
      // Along two directions of the whole input, so that every number of the gradient counts.
      for (const phase of [6, 7]) {
        const direction = wave(gradient.length, phase);
        const step = 1e-5;
        const moved = (by: number) =>
          loss({ ...states, [name]: states[name].map((x, i) => x + by * direction[i]!) });
        const want = (moved(step) - moved(-step)) / (2 * step);
        const terms = Array.from(gradient, (g, i) => g * direction[i]!);
        const got = terms.reduce((sum, x) => sum + x, 0);
        const scale = terms.reduce((sum, x) => sum + Math.abs(x), 1);
        // Roundings of float32 in sums of many steps, in units of all terms.
        expect(Math.abs(got - want) / scale, `${name} of ${JSON.stringify(sizes)}`).toBeLessThan(3e-6);
      }
    }
    for (const each of [...gradients, ...Object.values(given), outputs, cells, activations]) each.dispose();
    for (const input of Object.values(inputs)) input.dispose();
  }
});

test("bits depend neither on the rest of the batch nor on the number of threads", async () => {
  const sizes = { steps: 3, batch: 29, units: 72 };
  const states = start(sizes);
  const inputs = inputsOf(sizes, states);
  const bits = async (given: Record<string, Tensor>) => {
    const outputs = run("GradlabLstm", given);
    const numbers = await Promise.all(outputs.map(async (x) => Float32Array.from(await x.data())));
    for (const output of outputs) output.dispose();
    return numbers;
  };
  const together = await bits(inputs);
  const [all] = together;
  const alone = { steps: 3, batch: 1, units: 72 };
  const row = 17;
  const pick = (values: Float64Array, width: number) =>
    Float64Array.from({ length: values.length / 29 }, (_, i) => {
      const [step, k] = [Math.floor(i / width), i % width];
      return values[(step * 29 + row) * width + k]!;
    });
  const one = inputsOf(alone, {
    gates: pick(states.gates, 4 * 72),
    recurrent: states.recurrent,
    h: pick(states.h, 72),
    c: pick(states.c, 72),
  });
  const [own] = await bits(one);
  const expected = Array.from(
    { length: 3 * 72 },
    (_, i) => all![(Math.floor(i / 72) * 29 + row) * 72 + (i % 72)],
  );
  expect(Array.from(own!)).toEqual(expected);
  const { stop } = await enableWasmTraining({ companion: true, threads: 3 });
  stop();
  expect(await bits(inputs)).toEqual(together);
  for (const each of [...Object.values(inputs), ...Object.values(one)]) each.dispose();
});
