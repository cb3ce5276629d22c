import { fillNormal, randomStream } from "@gradlab/random";
import { expect, test } from "vitest";
import {
  affineProjection,
  alphaLms,
  courseData,
  initFilter,
  leakyLms,
  lms,
  matrix,
  meanSquaredError,
  nlms,
  perceptron,
  type Rule,
  relaxation,
  rls,
  runFilter,
  signLms,
  stepFilter,
} from "../src/index.js";
import { expectClose, thrown } from "./close.js";

const rules: Rule[] = [
  lms({ mu: 0.02 }),
  leakyLms({ mu: 0.02, leak: 0.1 }),
  nlms({ mu: 0.5 }),
  signLms({ mu: 0.01, kind: "error" }),
  signLms({ mu: 0.01, kind: "data" }),
  signLms({ mu: 0.01, kind: "sign-sign" }),
  affineProjection({ mu: 0.5, order: 2 }),
  rls({ lambda: 0.99 }),
  alphaLms({ alpha: 0.3 }),
  perceptron(),
  relaxation({ alpha: 0.5, deadZone: 0.5 }),
];

const widths = [1, 2, 3, 4, 7];

function data(m: number, rows = 40) {
  const X = {
    rows,
    columns: m,
    data: fillNormal(randomStream({ seed: m, purpose: "x" }), new Float64Array(rows * m)),
  };
  const d = fillNormal(randomStream({ seed: m, purpose: "d" }), new Float64Array(rows));
  return { X, d };
}

test.each(rules)("streaming and batch give the same bits: $name $parameters", (rule) => {
  for (const m of widths) {
    const { X, d } = data(m);
    const start = Float64Array.from({ length: m }, (_, i) => 0.1 * i);
    const batch = runFilter(rule, X, d, { epochs: 2, weights: start, trajectory: true });
    const state = initFilter(rule, start);
    const errors: number[] = [];
    const trajectory = [...start];
    for (let epoch = 0; epoch < 2; epoch++) {
      for (let k = 0; k < X.rows; k++) {
        errors.push(stepFilter(rule, state, X.data.subarray(k * m, (k + 1) * m), d[k]!));
        trajectory.push(...state.weights);
      }
    }
    expect(batch.errors).toEqual(Float64Array.from(errors));
    expect(batch.trajectory).toEqual(Float64Array.from(trajectory));
    expect(batch.weights).toEqual(state.weights);
    expect(batch.state).toEqual(state);
  }
});

test.each(rules)("a run goes on from a saved state to the last bit: $name $parameters", (rule) => {
  const { X, d } = data(3);
  const whole = runFilter(rule, X, d, { epochs: 5 });
  const first = runFilter(rule, X, d, { epochs: 2 });
  const saved = JSON.parse(JSON.stringify({ w: [...first.state.weights], m: [...first.state.memory] }));
  const state = { weights: Float64Array.from(saved.w), memory: Float64Array.from(saved.m) };
  const second = runFilter(rule, X, d, { epochs: 3, state });
  expect(second.weights).toEqual(whole.weights);
  expect(state.weights).toEqual(first.weights); // the state that was given is as it was
});

test("every rule reports errors before their updates, and the curves that belong to them", () => {
  const { X, d } = data(3);
  for (const rule of rules) {
    const { errors, trajectory, mse, onlineMse, epochWeights, updates } = runFilter(rule, X, d, {
      epochs: 3,
      trajectory: true,
    });
    expect(updates).toBe(120);
    for (let n = 0; n < 120; n++) {
      const k = n % 40;
      const y = [0, 1, 2].reduce((sum, i) => sum + trajectory![3 * n + i]! * X.data[3 * k + i]!, 0);
      expectClose([errors[n]!], [d[k]! - y], 1e-13);
    }
    for (let epoch = 0; epoch < 3; epoch++) {
      const weights = trajectory!.slice(3 * 40 * (epoch + 1), 3 * 40 * (epoch + 1) + 3);
      expect(epochWeights.slice(3 * (epoch + 1), 3 * (epoch + 2))).toEqual(weights);
      expectClose([mse[epoch]!], [meanSquaredError(X, d, weights)], 1e-14);
      const sum = errors.slice(40 * epoch, 40 * (epoch + 1)).reduce((total, e) => total + e * e, 0);
      expectClose([onlineMse[epoch]!], [sum / 80], 1e-13);
    }
  }
});

test("LMS by hand: two samples, two weights", () => {
  const { errors, trajectory } = runFilter(
    lms({ mu: 0.5 }),
    [
      [1, 2],
      [3, -1],
    ],
    [4, 1],
    { trajectory: true },
  );
  // e = 4: w = 0.5·4·(1, 2) = (2, 4); e = 1 - (6 - 4) = -1: w = (2, 4) - 0.5 (3, -1)
  expect([...errors]).toEqual([4, -1]);
  expect([...trajectory!]).toEqual([0, 0, 2, 4, 0.5, 4.5]);
});

test("LMS is the same sum for every number of weights, whichever loop computes it", () => {
  // Zero columns beside the data change nothing but the path taken: 3 weights, other remainders of 4.
  const { X, d } = courseData();
  const { weights } = runFilter(lms({ mu: 0.05 }), X, d, { epochs: 3 });
  for (let m = 4; m <= 9; m++) {
    const rows = Array.from({ length: X.rows }, (_, k) => {
      const row = new Float64Array(m);
      row.set(X.data.subarray(3 * k, 3 * k + 3), m - 3);
      return row;
    });
    const wide = runFilter(lms({ mu: 0.05 }), rows, d, { epochs: 3 }).weights;
    expectClose(wide, [...new Float64Array(m - 3), ...weights], 1e-14);
  }
});

test("a diverged run says so, ends at the update that broke the limit, and holds no NaN", () => {
  const { X, d } = courseData();
  for (const mu of [1.2, 10, 1e10, 1e155, 1e300]) {
    const result = runFilter(lms({ mu }), X, d, { epochs: 50, trajectory: true });
    expect([mu, result.verdict]).toEqual([mu, "diverged"]);
    expect(result.updates).toBeLessThan(50 * 100);
    expect(result.errors.length).toBe(result.updates);
    expect(result.trajectory!.length).toBe(3 * (result.updates + 1));
    expect(result.trajectory!.slice(-3)).toEqual(result.weights);
    for (const numbers of [result.weights, result.errors, result.mse, result.onlineMse, result.trajectory!]) {
      expect(numbers.every(Number.isFinite)).toBe(true);
    }
    expect(result.mse.length).toBe(Math.floor(result.updates / 100));
    // The next error is beyond 1e8 times the largest wanted output.
    const at = result.updates % 100;
    const next = d[at]! - [0, 1, 2].reduce((sum, i) => sum + result.weights[i]! * X.data[3 * at + i]!, 0);
    if (mu < 1e100) expect(Math.abs(next)).toBeGreaterThan(1e8 * Math.max(...d.map(Math.abs)));
  }
});

test("an update that overflows at once is taken back", () => {
  const X = [
    [1, 10, 10],
    [1, 1, 1],
  ];
  const { verdict, updates, weights, errors } = runFilter(lms({ mu: 1e308 }), X, [5, 5]);
  expect([verdict, updates, [...weights], errors.length]).toEqual(["diverged", 0, [0, 0, 0], 0]);
});

test("an exact start stays exact, and an all-zero data set is no divergence", () => {
  const { X } = courseData();
  const d = Array.from({ length: 100 }, (_, k) => 1 + X.data[3 * k + 1]! - 2 * X.data[3 * k + 2]!);
  const result = runFilter(lms({ mu: 0.1 }), X, d, { weights: [1, 1, -2] });
  expectClose(result.weights, [1, 1, -2], 1e-15);
  expect(runFilter(lms({ mu: 0.1 }), [[0], [0]], [0, 0]).verdict).toBe("done");
});

test("arguments are left as they were", () => {
  const { X, d } = data(3);
  const [x, y] = [X.data.slice(), d.slice()];
  const weights = Float64Array.from([1, 2, 3]);
  for (const rule of rules) runFilter(rule, X, d, { epochs: 2, weights });
  expect([X.data, d, weights]).toEqual([x, y, Float64Array.from([1, 2, 3])]);
});

const X2 = [
  [1, 2],
  [3, 4],
];

test.each([
  [() => lms({ mu: 0 }), "lms: mu: expected a positive number, got 0"],
  [() => lms({ mu: -0.1 }), "lms: mu: expected a positive number, got -0.1"],
  [() => lms({ mu: Number.NaN }), "lms: mu: expected a positive number, got NaN"],
  [() => lms({ mu: "1" as never }), 'lms: mu: expected a positive number, got "1"'],
  [() => leakyLms({ mu: 0.1, leak: -1 }), "leakyLms: leak: expected a number, at least 0, got -1"],
  [() => nlms({ mu: 2 }), "nlms: mu: expected a number in (0, 2), got 2"],
  [() => nlms({ mu: 1, epsilon: -1 }), "nlms: epsilon: expected a number, at least 0, got -1"],
  [() => alphaLms({ alpha: 0 }), "alphaLms: alpha: expected a number in (0, 2), got 0"],
  [
    () => signLms({ mu: 1, kind: "x" as never }),
    'signLms: kind: expected one of "error", "data", "sign-sign", got "x"',
  ],
  [
    () => affineProjection({ mu: 1, order: 0 }),
    "affineProjection: order: expected an integer at least 1, got 0",
  ],
  [() => rls({ lambda: 1.01 }), "rls: lambda: expected a number in (0, 1], got 1.01"],
  [() => rls({ lambda: 1, delta: 0 }), "rls: delta: expected a positive number, got 0"],
  [() => relaxation({ alpha: 1, deadZone: 1 }), "relaxation: deadZone: expected a number in (0, 1), got 1"],
  [
    () => matrix([[1, 2], [3]]),
    "matrix[1]: expected a row of 2 numbers like the first, got an array of length 1",
  ],
  [() => matrix([]), "matrix: expected at least one row, got an array of length 0"],
  [() => matrix([[1], [Number.NaN]]), "matrix[1][0]: expected a finite number, got NaN"],
  [() => matrix([[1], ["2" as never]]), 'matrix[1][0]: expected a finite number, got "2"'],
  [
    () => runFilter(lms({ mu: 1 }), [[1, 2], [3]], [1, 2]),
    "run: X[1]: expected a row of 2 numbers like the first, got an array of length 1",
  ],
  [
    () => runFilter(lms({ mu: 1 }), X2, [1]),
    "run: d: expected an array of 2 numbers, got an array of length 1",
  ],
  [() => runFilter(lms({ mu: 1 }), X2, [1, Number.NaN]), "run: d[1]: expected a finite number, got NaN"],
  [
    () => runFilter(lms({ mu: 1 }), X2, [1, 2], { epochs: 0 }),
    "run: epochs: expected an integer at least 1, got 0",
  ],
  [
    () => runFilter(lms({ mu: 1 }), X2, [1, 2], { weights: [1] }),
    "run: weights: expected an array of 2 numbers, got an array of length 1",
  ],
  [
    () => runFilter(lms({ mu: 1 }), { rows: 2, columns: 2, data: new Float64Array(3) }, [1, 2]),
    "run: X.data: expected 2 times 2 numbers, got Float64Array of length 3",
  ],
  [() => initFilter(lms({ mu: 1 }), 0), "initFilter: weights: expected an integer at least 1, got 0"],
])("a bad argument is named, with what was expected and what came (%#)", (call, message) => {
  expect(thrown(call as () => unknown)).toBe(message);
});

test("a bad sample is refused before the state changes", () => {
  const rule = rls({ lambda: 0.9 });
  const state = initFilter(rule, 2);
  const before = JSON.stringify(state);
  expect(() => stepFilter(rule, state, [1, Number.POSITIVE_INFINITY], 1)).toThrow(
    "step: x[1]: expected a finite number, got Infinity",
  );
  expect(() => stepFilter(rule, state, [1, 2, 3], 1)).toThrow(
    "step: x: expected an array of 2 numbers, got an array of length 3",
  );
  expect(() => stepFilter(rule, state, [1, 2], Number.NaN)).toThrow(
    "step: d: expected a finite number, got NaN",
  );
  expect(JSON.stringify(state)).toBe(before);
});
