import { enableWasmTraining } from "@gradlab/wasm-training";
import { engine, setBackend, slice, type Tensor, tensor, tidy } from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";

// Weights are packed for some sizes and read where they stand for others: a row has the same bits by either way.

beforeAll(async () => {
  expect((await enableWasmTraining({ companion: true, threads: 2 })).threads).toBe(2);
  await setBackend("wasm");
});

const kernels = {
  GradlabLstm: { gates: 4, states: ["h", "c"] },
  GradlabGru: { gates: 3, states: ["h"] },
} as const;

const BATCH = 9;

const wave = (phase: number, ...shape: number[]) => {
  const size = shape.reduce((product, each) => product * each);
  return tensor(
    Float32Array.from({ length: size }, (_, i) => Math.sin(1.7 * i * (i % 101) + 0.3 * i + phase)),
    shape,
  );
};

/** Rows from `row` on, of inputs whose batch is the second last axis. */
const rowsOf = (x: Tensor, row: number, count: number) => {
  const axis = x.rank - 2;
  const pick = (whole: number, at: number) => x.shape.map((size, i) => (i === axis ? at : whole * size));
  return slice(x, pick(0, row), pick(1, count));
};

for (const name of ["GradlabLstm", "GradlabGru"] as const) {
  const { gates, states } = kernels[name];
  test.for([
    [1, 5],
    [1, 72],
    [4, 72],
    [5, 72],
    [2, 530],
    [6, 530],
  ])(`${name}: %i steps of %i units, alone and in batches`, async ([steps, units]) => {
    const weights = {
      recurrent: wave(0, units!, gates * units!),
      ...(name === "GradlabGru" && { recurrentBias: wave(1, gates * units!) }),
    };
    const inputs = {
      gates: wave(2, steps!, BATCH, gates * units!),
      ...Object.fromEntries(states.map((state, i) => [state, wave(3 + i, BATCH, units!)])),
    };
    const run = (row: number, count: number) =>
      tidy(() => {
        const own = Object.entries(inputs).map(([input, x]) => [input, rowsOf(x, row, count)]);
        return engine().runKernel(
          name,
          { ...weights, ...Object.fromEntries(own) },
          {},
        ) as unknown as Tensor[];
      });
    const together = run(0, BATCH);
    for (const count of [1, 2, 6, 7]) {
      const row = BATCH - count - 1;
      const own = run(row, count);
      for (const [i, x] of own.entries()) {
        const expected = rowsOf(together[i]!, row, count);
        expect(await x.data(), `output ${i} of ${count} rows`).toEqual(await expected.data());
        expected.dispose();
        x.dispose();
      }
    }
    for (const x of [...together, ...Object.values(weights), ...Object.values(inputs)]) x.dispose();
  });
}
