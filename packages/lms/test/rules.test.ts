import { fillNormal, randomStream } from "@gradlab/random";
import { expect, test } from "vitest";
import {
  affineProjection,
  alphaLms,
  delayLine,
  initFilter,
  inputMoments,
  leakyLms,
  leastSquares,
  lms,
  nlms,
  perceptron,
  relaxation,
  rls,
  runFilter,
  signLms,
  stepFilter,
  wiener,
} from "../src/index.js";
import { expectClose, norm } from "./close.js";

const normals = (purpose: string, length: number) =>
  fillNormal(randomStream({ seed: 0, purpose }), new Float64Array(length));

function system(m: number, rows: number, noise: number) {
  const X = { rows, columns: m, data: normals(`x ${m}`, rows * m) };
  const optimum = normals(`w ${m}`, m);
  const d = normals(`v ${m}`, rows).map((v, k) => {
    let y = noise * v;
    for (let i = 0; i < m; i++) y += optimum[i]! * X.data[k * m + i]!;
    return y;
  });
  return { X, d, optimum };
}

const error = (w: ArrayLike<number>, x: ArrayLike<number>, d: number) =>
  Array.from(w).reduce((sum, weight, i) => sum - weight * x[i]!, d);

test("after a step of NLMS, or of α-LMS, the error of the sample is (1 - mu) of what it was", () => {
  const { X, d } = system(5, 60, 1);
  for (const mu of [0.1, 0.5, 1, 1.7]) {
    for (const rule of [nlms({ mu }), alphaLms({ alpha: mu })]) {
      const state = initFilter(rule, 5);
      for (let k = 0; k < 60; k++) {
        const x = X.data.subarray(5 * k, 5 * k + 5);
        const e = stepFilter(rule, state, x, d[k]!);
        expectClose([error(state.weights, x, d[k]!)], [(1 - mu) * e], 1e-14 * 10);
      }
    }
  }
});

test("NLMS does not care for the scale of its input, LMS does", () => {
  const { X, d } = system(4, 100, 0.1);
  const scaled = { ...X, data: X.data.map((x) => 1000 * x) };
  const [a, b] = [
    runFilter(nlms({ mu: 0.5 }), X, d).weights,
    runFilter(nlms({ mu: 0.5 }), scaled, d).weights,
  ];
  expectClose(
    b.map((w) => 1000 * w),
    a,
    1e-12,
  );
  expect(runFilter(lms({ mu: 0.1 }), scaled, d, { epochs: 5 }).verdict).toBe("diverged");
});

test("a row of zeros leaves the weights of every normalised rule", () => {
  for (const rule of [
    nlms({ mu: 1 }),
    alphaLms({ alpha: 1 }),
    affineProjection({ mu: 1, order: 3 }),
    relaxation({ alpha: 1, deadZone: 0.5 }),
  ]) {
    const state = initFilter(rule, [1, 2]);
    expect(stepFilter(rule, state, [0, 0], 7)).toBe(7);
    expect([...state.weights]).toEqual([1, 2]);
  }
});

test("the three sign rules keep the sign of the error, of the data, of both", () => {
  const weights = (kind: "error" | "data" | "sign-sign", d: number) => [
    ...runFilter(signLms({ mu: 0.25, kind }), [[2, -3, 0]], [d]).weights,
  ];
  expect(weights("error", 8)).toEqual([0.5, -0.75, 0]);
  expect(weights("error", -8)).toEqual([-0.5, 0.75, 0]);
  expect(weights("data", 8)).toEqual([2, -2, 0]);
  expect(weights("sign-sign", 8)).toEqual([0.25, -0.25, 0]);
  expect(weights("sign-sign", 0)).toEqual([0, 0, 0]);
});

test("leaky LMS settles where the penalty says, and forgets what no input excites", () => {
  // Passes over the rows with a tiny step follow the mean: (R + leak I) w = p.
  const { X, d } = system(3, 200, 0.3);
  const leak = 0.5;
  const { R, p, power } = inputMoments(X, d);
  const ridge = { ...R, data: R.data.map((r, i) => r + (i % 4 === 0 ? leak : 0)) };
  const exact = wiener({ R: ridge, p, power }).weights;
  const { weights } = runFilter(leakyLms({ mu: 2e-5, leak }), X, d, { epochs: 5000 });
  expectClose(weights, exact, 2e-3 * norm(exact)); // of the order of mu K
  const { weights: idle } = runFilter(leakyLms({ mu: 0.5, leak: 0.1 }), [[0]], [1], {
    epochs: 50,
    weights: [8],
  });
  expectClose(idle, [8 * 0.95 ** 50], 1e-14);
  expect(runFilter(leakyLms({ mu: 0.02, leak: 0 }), X, d).weights).toEqual(
    runFilter(leakyLms({ mu: 0.02, leak: 0 }), X, d).weights,
  );
  expectClose(
    runFilter(leakyLms({ mu: 0.02, leak: 0 }), X, d).weights,
    runFilter(lms({ mu: 0.02 }), X, d).weights,
    1e-14,
  );
});

test("affine projection of order 1 is NLMS", () => {
  const { X, d } = system(4, 100, 0.5);
  for (const epsilon of [0, 0.3]) {
    const a = runFilter(affineProjection({ mu: 0.7, order: 1, epsilon }), X, d, { trajectory: true });
    const b = runFilter(nlms({ mu: 0.7, epsilon }), X, d, { trajectory: true });
    expectClose(a.trajectory!, b.trajectory!, 1e-13);
  }
});

test("a step of affine projection shrinks the errors of all its rows to (1 - mu)", () => {
  const { X, d } = system(6, 50, 1);
  const [mu, order] = [0.4, 4];
  const rule = affineProjection({ mu, order });
  const state = initFilter(rule, 6);
  const row = (k: number) => X.data.subarray(6 * k, 6 * k + 6);
  for (let k = 0; k < 50; k++) {
    const recent = Array.from({ length: Math.min(order, k + 1) }, (_, i) => k - i);
    const before = recent.map((i) => error(state.weights, row(i), d[i]!));
    stepFilter(rule, state, row(k), d[k]!);
    const after = recent.map((i) => error(state.weights, row(i), d[i]!));
    expectClose(
      after,
      before.map((e) => (1 - mu) * e),
      1e-11,
    );
  }
});

test("affine projection over as many rows as weights solves a system without noise at once", () => {
  const { X, d, optimum } = system(5, 5, 0);
  const { weights } = runFilter(affineProjection({ mu: 1, order: 5 }), X, d);
  expectClose(weights, optimum, 1e-10);
  expect(norm(runFilter(nlms({ mu: 1 }), X, d).weights.map((w, i) => w - optimum[i]!))).toBeGreaterThan(0.1);
});

test("affine projection with epsilon is the regularised formula", () => {
  // Rows (2, 0) then (1, 1): A = [[1, 1], [2, 0]], A Aᵀ + I = [[3, 2], [2, 5]], its inverse [[5, -2], [-2, 3]] / 11.
  const rule = affineProjection({ mu: 0.5, order: 2, epsilon: 1 });
  const state = initFilter(rule, 2);
  stepFilter(rule, state, [2, 0], 5);
  expectClose(state.weights, [(0.5 * 5 * 2) / 5, 0], 1e-15); // (1, 0)
  const e = stepFilter(rule, state, [1, 1], 2);
  // Errors 2 - 1 = 1 and 5 - 2 = 3: multipliers (5 - 6, -2 + 9) / 11 = (-1, 7) / 11.
  expect(e).toBe(1);
  expectClose(state.weights, [1 + 0.5 * (-1 / 11 + 14 / 11), 0.5 * (-1 / 11)], 1e-15);
});

test("repeated rows do no harm to affine projection without epsilon", () => {
  const rule = affineProjection({ mu: 1, order: 3 });
  const state = initFilter(rule, 2);
  for (let i = 0; i < 5; i++) stepFilter(rule, state, [1, 2], 5);
  expectClose(state.weights, [1, 2], 1e-14);
  stepFilter(rule, state, [1, 0], 3);
  expectClose(state.weights, [3, 1], 1e-14);
});

test("of rows that contradict each other affine projection satisfies the newest ones", () => {
  // Two rows and their sum: 1 and 1 do not make 1. The Gram matrix is singular up to rounding, and the oldest row is
  // the one that is left out.
  const { X } = system(3, 200, 0);
  const rule = affineProjection({ mu: 1, order: 3 });
  for (let k = 0; k < 200; k += 2) {
    const [x, y] = [X.data.subarray(3 * k, 3 * k + 3), X.data.subarray(3 * k + 3, 3 * k + 6)];
    const sum = x.map((value, i) => value + y[i]!);
    const state = initFilter(rule, 3);
    for (const row of [x, y, sum]) stepFilter(rule, state, row, 1);
    expectClose([error(state.weights, sum, 1), error(state.weights, y, 1)], [0, 0], 1e-9);
    expectClose([error(state.weights, x, 1)], [1], 1e-9);
  }
});

test("RLS minimises the weighted sum of squares after every sample", () => {
  const { X, d } = system(4, 60, 0.5);
  const [lambda, delta] = [0.95, 0.3];
  const start = [1, -1, 2, 0.5];
  const rule = rls({ lambda, delta });
  const { trajectory } = runFilter(rule, X, d, { weights: start, trajectory: true });
  for (const n of [1, 2, 5, 30, 60]) {
    // √λ^(n-i) on every row and √(λ^n δ) on the start make it a plain least-squares problem.
    const rows: number[][] = [];
    const wanted: number[] = [];
    for (let k = 0; k < n; k++) {
      const root = Math.sqrt(lambda ** (n - 1 - k));
      rows.push(Array.from(X.data.subarray(4 * k, 4 * k + 4), (x) => root * x));
      wanted.push(root * d[k]!);
    }
    for (let i = 0; i < 4; i++) {
      const root = Math.sqrt(lambda ** n * delta);
      rows.push(start.map((_, j) => (i === j ? root : 0)));
      wanted.push(root * start[i]!);
    }
    const { weights, condition } = leastSquares(rows, wanted);
    expectClose(trajectory!.slice(4 * n, 4 * n + 4), weights, 1e-14 * condition * 10);
  }
});

test("RLS is stable for 30,000 steps at lambda = 0.99, where the recursion of P is not", () => {
  const [m, rows, lambda] = [4, 30_000, 0.99];
  const { X, d } = system(m, rows, 0.1);
  const { weights, errors, verdict } = runFilter(rls({ lambda }), X, d);
  expect(verdict).toBe("done");
  // The last 6000 samples hold all but 0.99^6000 = 6e-27 of the weight.
  const from = rows - 6000;
  const weighted = Array.from({ length: 6000 }, (_, i) => {
    const root = Math.sqrt(lambda ** (5999 - i));
    const k = from + i;
    return { row: Array.from(X.data.subarray(m * k, m * (k + 1)), (x) => root * x), d: root * d[k]! };
  });
  const exact = leastSquares(
    weighted.map(({ row }) => row),
    weighted.map((sample) => sample.d),
  );
  expectClose(weights, exact.weights, 1e-13);
  expect(Math.max(...errors.slice(1000).map(Math.abs))).toBeLessThan(1);
  expect(unsymmetricRls(X.data, m, lambda)).toBeLessThan(10_000);
});

/**
 * The textbook's `P = (P - k (P x)ᵀ) / λ`: the step at which `λ + xᵀP x`, positive by definition, no longer is. What P
 * lacks in symmetry grows by 1/λ a step.
 */
function unsymmetricRls(x: Float64Array, m: number, lambda: number): number {
  const P = Float64Array.from({ length: m * m }, (_, i) => (i % (m + 1) === 0 ? 100 : 0));
  for (let n = 0; n < x.length / m; n++) {
    const row = x.subarray(n * m, (n + 1) * m);
    const product = Array.from({ length: m }, (_, i) =>
      row.reduce((sum, value, j) => sum + P[i * m + j]! * value, 0),
    );
    const power = row.reduce((sum, value, i) => sum + value * product[i]!, lambda);
    if (!(power > 0)) return n;
    for (let i = 0; i < m; i++) {
      const gain = product[i]! / power;
      for (let j = 0; j < m; j++) P[i * m + j] = (P[i * m + j]! - gain * product[j]!) / lambda;
    }
  }
  return x.length / m;
}

test("RLS keeps the weights of a direction that is no longer excited, for as long as it lasts", () => {
  const rule = rls({ lambda: 0.9 });
  const state = initFilter(rule, 2);
  const noise = normals("idle", 20_000);
  for (let n = 0; n < 100; n++)
    stepFilter(rule, state, [noise[n]!, noise[n + 100]!], 3 * noise[n]! - 2 * noise[n + 100]!);
  expectClose(state.weights, [3, -2], 1e-5);
  const kept = state.weights[1]!;
  for (let n = 0; n < 20_000; n++) stepFilter(rule, state, [noise[n]!, 0], 3 * noise[n]!);
  expectClose(state.weights, [3, kept], 1e-5); // frozen where rounding is 1e-6 of a weight
});

test("RLS on inputs that are nearly dependent stays as exact as their condition allows", () => {
  const X = Array.from({ length: 400 }, (_, k) => [Math.sin(k), Math.sin(k) + 1e-6 * Math.cos(3 * k)]);
  const d = X.map(([a, b]) => a! - 2 * b!);
  const { weights } = runFilter(rls({ lambda: 1, delta: 1e-20 }), X, d);
  // κ is about 1e6; recursions of P work with its square.
  expectClose(weights, [1, -2], 1e-8);
});

test("the perceptron moves on wrong patterns only, a tie being wrong", () => {
  const rule = perceptron({ rate: 2 });
  const state = initFilter(rule, [0, 0]);
  expect(stepFilter(rule, state, [1, 3], -1)).toBe(-1);
  expect([...state.weights]).toEqual([-2, -6]);
  expect(stepFilter(rule, state, [1, 1], -1)).toBe(7);
  expect([...state.weights]).toEqual([-2, -6]);
});

test("relaxation moves inside its dead zone and on the wrong side, not beyond", () => {
  const rule = relaxation({ alpha: 0.5, deadZone: 0.4 });
  const after = (weights: number[], t: number) => {
    const state = initFilter(rule, weights);
    stepFilter(rule, state, [1, 1], t);
    return [...state.weights];
  };
  expect(after([0.25, 0.25], 1)).toEqual([0.25, 0.25]); // s = 0.5
  expect(after([0.2, 0.2], 1)).toEqual([0.2, 0.2]); // s = 0.4: on the edge is outside
  expect(after([-0.2, -0.2], -1)).toEqual([-0.2, -0.2]);
  expectClose(after([0.1, 0.1], 1), [0.3, 0.3], 1e-15); // s = 0.2, e = 0.8
  expectClose(after([0.25, 0.25], -1), [-0.125, -0.125], 1e-15); // s = 0.5, e = -1.5
});

test("an echo path is identified from the delay line of its input by NLMS and RLS", () => {
  const path = [0.8, -0.4, 0.2, 0.1];
  const signal = normals("echo", 3000);
  const X = delayLine(signal, 4);
  expect([...X.data.slice(0, 8)]).toEqual([signal[0], 0, 0, 0, signal[1], signal[0], 0, 0]);
  const d = Array.from({ length: 3000 }, (_, n) =>
    path.reduce((sum, h, i) => sum + h * (signal[n - i] ?? 0), 0),
  );
  // Without noise NLMS shrinks the error by (1 - 1/M) a step on white input.
  expectClose(runFilter(nlms({ mu: 1 }), X, d).weights, path, 1e-12);
  // What is left of RLS's start is 0.99^3000 of it.
  expectClose(runFilter(rls({ lambda: 0.99 }), X, d).weights, path, 1e-12);
});
