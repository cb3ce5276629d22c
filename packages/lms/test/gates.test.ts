import { expect, test } from "vitest";
import {
  alphaLms,
  gate,
  gateCensus,
  gateNames,
  leastSquares,
  linearSeparation,
  lms,
  perceptron,
  relaxation,
  runFilter,
  trainAdaline,
  truthTable,
} from "../src/index.js";
import { expectClose, thrown } from "./close.js";

const sums = (n: number, w: ArrayLike<number>) => {
  const { rows, columns, data } = truthTable(n);
  return Array.from({ length: rows }, (_, k) =>
    Array.from(w).reduce((sum, weight, i) => sum + weight * data[k * columns + i]!, 0),
  );
};

test("truth tables count −−, −+, +−, ++ with the bias first", () => {
  expect([...truthTable(2).data]).toEqual([1, -1, -1, 1, -1, 1, 1, 1, -1, 1, 1, 1]);
  expect(truthTable(4).rows).toBe(16);
});

test("gates of two and three inputs have their truth tables", () => {
  const table = (name: (typeof gateNames)[number], n: number) =>
    [...gate(name, n)].map((t) => (t === 1 ? "+" : "-")).join("");
  expect(gateNames.map((name) => table(name, 2))).toEqual([
    "---+",
    "-+++",
    "+++-",
    "+---",
    "-++-",
    "+--+",
    "---+",
  ]);
  expect(gateNames.map((name) => table(name, 3))).toEqual([
    "-------+",
    "-+++++++",
    "+++++++-",
    "+-------",
    "-++-+--+",
    "+--+-++-",
    "---+-+++",
  ]);
  expect(gate(0b1000, 2)).toEqual(gate("and", 2));
  expect(gate(0xfffffffe, 5)).toEqual(gate("or", 5));
});

test("least squares makes NAND (0.5, -0.5, -0.5) with the sums 1.5, 0.5, 0.5, -0.5", () => {
  const { weights } = leastSquares(truthTable(2), gate("nand", 2));
  expectClose(weights, [0.5, -0.5, -0.5], 1e-15);
  expectClose(sums(2, weights), [1.5, 0.5, 0.5, -0.5], 1e-14);
});

test("least squares makes the majority of three (0, 0.5, 0.5, 0.5)", () => {
  const { weights } = leastSquares(truthTable(3), gate("majority", 3));
  expectClose(weights, [0, 0.5, 0.5, 0.5], 1e-15);
  expectClose(sums(3, weights), [-1.5, -0.5, -0.5, 0.5, -0.5, 0.5, 0.5, 1.5], 1e-14);
});

test("LMS with a small step goes where least squares is, on every gate", () => {
  for (const name of gateNames) {
    const t = gate(name, 3);
    const { weights } = runFilter(lms({ mu: 1e-3 }), truthTable(3), t, { epochs: 4000 });
    // The periodic orbit is of the order of mu K around it.
    expectClose(weights, leastSquares(truthTable(3), t).weights, 0.01);
  }
});

test("4, 14, 104 and 1882 functions of 1, 2, 3 and 4 inputs are separable; least squares solves 4, 14, 40 and 1402, and ties on the others of n = 3", () => {
  const counts = [1, 2, 3, 4].map((n) => {
    const { functions, separable, strict, ties, wrong } = gateCensus(n);
    expect(strict + ties + wrong).toBe(separable);
    return [functions, separable, strict];
  });
  expect(counts).toEqual([
    [4, 4, 4],
    [16, 14, 14],
    [256, 104, 40],
    [65536, 1882, 1402],
  ]);
  const { ties, wrong } = gateCensus(3);
  expect([ties, wrong]).toEqual([64, 0]);
}, 60_000);

test("the 40 functions of three inputs that least squares solves are those that do not weigh their inputs apart", () => {
  // Constants (2), one input (6), two inputs under AND or OR (24), and the majority of three (8), inputs and output
  // negated or not. The 64 others, AND and OR of three and x₁ AND (x₂ OR x₃), tie.
  const { gates } = gateCensus(3);
  const kind = (weights: Float64Array) =>
    [Math.abs(weights[0]!), ...Array.from(weights.slice(1), Math.abs).sort()].join(" ");
  const groups = new Map<string, { strict: number; tie: number; wrong: number }>();
  for (const { weights, leastSquares: verdict } of gates) {
    const group = groups.get(kind(weights)) ?? { strict: 0, tie: 0, wrong: 0 };
    group[verdict] += 1;
    groups.set(kind(weights), group);
  }
  expect(Object.fromEntries(groups)).toEqual({
    "1 0 0 0": { strict: 2, tie: 0, wrong: 0 },
    "0 0 0 1": { strict: 6, tie: 0, wrong: 0 },
    "0.5 0 0.5 0.5": { strict: 24, tie: 0, wrong: 0 },
    "0 0.5 0.5 0.5": { strict: 8, tie: 0, wrong: 0 },
    "0.75 0.25 0.25 0.25": { strict: 0, tie: 16, wrong: 0 },
    "0.25 0.25 0.25 0.75": { strict: 0, tie: 48, wrong: 0 },
  });
});

test("the census has the weights that least squares computes", () => {
  for (const { gate: number, weights } of gateCensus(3).gates) {
    expectClose(leastSquares(truthTable(3), gate(number, 3)).weights, weights, 1e-14);
  }
});

test("AND of three ties: its least-squares sum at (1, 1, 1) is exactly 0", () => {
  const { gates } = gateCensus(3);
  const and3 = gates.find(({ gate: number }) => number === 0b10000000)!;
  expect([...and3.weights]).toEqual([-0.75, 0.25, 0.25, 0.25]);
  expect([and3.margin, and3.leastSquares]).toEqual([0, "tie"]);
});

test("separable functions are proved by weights, the others by a combination that cancels", () => {
  for (let n = 1; n <= 3; n++) {
    const X = truthTable(n);
    for (let number = 0; number < 2 ** (2 ** n); number++) {
      const t = gate(number, n);
      const answer = linearSeparation(X, t);
      if (answer.separable) {
        expect(sums(n, answer.weights).every((s, k) => s * t[k]! > 0)).toBe(true);
      } else {
        expect(answer.combination.every((c) => c >= 0 && Number.isInteger(c))).toBe(true);
        expect(answer.combination.some((c) => c > 0)).toBe(true);
        for (let i = 0; i <= n; i++) {
          let sum = 0;
          for (let k = 0; k < X.rows; k++) sum += answer.combination[k]! * t[k]! * X.data[k * (n + 1) + i]!;
          expect(sum).toBe(0);
        }
      }
    }
  }
});

test("AND, OR and majority of ten inputs are separable, parity of eight is not", () => {
  for (const name of ["and", "or", "majority"] as const) {
    expect(linearSeparation(truthTable(10), gate(name, 10)).separable).toBe(true);
  }
  expect(linearSeparation(truthTable(8), gate("xor", 8)).separable).toBe(false);
});

test("perceptron and relaxation learn all 104 separable functions of three inputs, α-LMS does not", () => {
  const X = truthTable(3);
  let solvedByAlphaLms = 0;
  for (const { gate: number, leastSquares: verdict } of gateCensus(3).gates) {
    const t = gate(number, 3);
    for (const rule of [
      perceptron(),
      relaxation({ alpha: 0.5, deadZone: 0.5 }),
      relaxation({ alpha: 1.9, deadZone: 0.1 }),
    ]) {
      const { solved, weights, wrong } = trainAdaline(rule, X, t, { weights: [0.1, -0.2, 0.3, 0.05] });
      expect(solved).toBe(true);
      expect(sums(3, weights).every((s, k) => s * t[k]! > 0)).toBe(true);
      expect(wrong.at(-1)).toBe(0);
    }
    // Small steps stay near least squares after enough of them: strict gates are solved.
    const settled = runFilter(alphaLms({ alpha: 0.002 }), X, t, { epochs: 4000 }).weights;
    const solved = sums(3, settled).every((s, k) => s * t[k]! > 0);
    if (verdict === "strict") expect(solved).toBe(true);
    solvedByAlphaLms += +solved;
  }
  expect(solvedByAlphaLms).toBeLessThan(104);
});

test("no Adaline learns XOR, and training says so", () => {
  for (const rule of [perceptron(), relaxation({ alpha: 0.5, deadZone: 0.5 }), alphaLms({ alpha: 0.3 })]) {
    const { solved, wrong } = trainAdaline(rule, truthTable(2), gate("xor", 2), { epochs: 200 });
    expect([solved, wrong.length]).toEqual([false, 201]);
    expect(Math.min(...wrong)).toBeGreaterThan(0);
  }
});

test.each([
  [() => truthTable(0), "truthTable: n: expected an integer in [1, 20], got 0"],
  [() => gate("nope" as never, 2), /^gate: gate: expected one of "and", .*, got "nope"$/],
  [() => gate(16, 2), "gate: gate: expected an integer in [0, 15], got 16"],
  [() => gateCensus(5), "gateCensus: n: expected an integer in [1, 4], got 5"],
  [() => linearSeparation([[1, 0.5]], [1]), /^linearSeparation: X\.data\[1\]: expected an integer/],
  [() => linearSeparation([[1, 2]], [2]), "linearSeparation: t[0]: expected -1 or 1, got 2"],
])("a bad gate is named (%#)", (call, message) => {
  const text = thrown(call as () => unknown);
  if (typeof message === "string") expect(text).toBe(message);
  else expect(text).toMatch(message as RegExp);
});
