import { randomStream, uniform } from "@gradlab/random";
import { expect, test } from "vitest";
import {
  countErrors,
  gate,
  initMadaline,
  lms,
  type Madaline,
  type MatrixLike,
  madalineRule1,
  madalineRule2,
  randomMadalineSearch,
  respond,
  restartMadalineRule2,
  runFilter,
  truthTable,
} from "../src/index.js";
import { expectClose, norm, thrown } from "./close.js";

const parity = (n: number) => ({ X: truthTable(n), T: { rows: 2 ** n, columns: 1, data: gate("xor", n) } });

const problems = [
  { name: "XOR with 2 hidden units", sizes: [2, 2, 1], ...parity(2) },
  { name: "3-bit parity with 4 hidden units", sizes: [3, 4, 1], ...parity(3) },
];

const byHand: Madaline = {
  sizes: [2, 2, 1],
  layers: [Float64Array.from([0.5, -1, 1, 0.5, 1, -1]), Float64Array.from([1, -1, -1])],
};

test("a sum of 0 is answered by 1, in every layer", () => {
  const even: Madaline = {
    sizes: [2, 2, 1],
    layers: [Float64Array.from([0, 1, -1, 0, 1, -1]), Float64Array.from([0, 1, -1])],
  };
  const { sums, outputs } = respond(even, [1, 1, 1]);
  expect([[...sums[0]!], [...outputs[0]!]]).toEqual([[0, 0], [1, 1]]); // biome-ignore format: sums and outputs
  expect([[...sums[1]!], [...outputs[1]!]]).toEqual([[0], [1]]);
});

test("XOR by hand: the sums of both layers, pattern by pattern", () => {
  const patterns = Array.from({ length: 4 }, (_, k) => truthTable(2).data.subarray(3 * k, 3 * k + 3));
  const responses = patterns.map((pattern) => respond(byHand, pattern));
  expect(responses.map(({ sums }) => [...sums[0]!])).toEqual([
    [0.5, 0.5],
    [2.5, -1.5],
    [-1.5, 2.5],
    [0.5, 0.5],
  ]);
  expect(responses.map(({ sums }) => sums[1]![0])).toEqual([-1, 1, 1, -1]);
  expect(responses.map(({ outputs }) => outputs[1]![0])).toEqual([-1, 1, 1, -1]);
  const { X, T } = parity(2);
  expect(countErrors(byHand, X, T)).toBe(0);
  expect(countErrors(byHand, X, { ...T, data: T.data.map((t) => -t) })).toBe(4);
});

test.each(problems)(
  "Madaline Rule II solves $name from at least half of 200 random starts",
  ({ sizes, X, T }) => {
    let solved = 0;
    for (let index = 0; index < 200; index++) {
      const start = initMadaline(sizes, { seed: 1, index });
      const before = start.layers.map((weights) => weights.slice());
      const result = madalineRule2(start, X, T, { rate: 0.3, seed: index });
      expect(start.layers).toEqual(before);
      expect(result.solved).toBe(countErrors(result.net, X, T) === 0);
      expect(result.errors.at(-1) === 0).toBe(result.solved);
      solved += +result.solved;
    }
    expect(solved).toBeGreaterThanOrEqual(100);
  },
);

test("with rate 1 Madaline Rule II stalls on XOR from starts that rate 0.3 solves", () => {
  const { sizes, X, T } = problems[0]!;
  const rate = (r: number) => {
    let solved = 0;
    for (let index = 0; index < 200; index++) {
      solved += +madalineRule2(initMadaline(sizes, { seed: 1, index }), X, T, { rate: r, seed: index })
        .solved;
    }
    return solved / 200;
  };
  // Two binomial shares of 200 have a standard deviation of at most 0.05 between them.
  expect(rate(0.3) - rate(1)).toBeGreaterThan(0.2);
});

test.each(problems)(
  "within 10 restarts Madaline Rule II solves $name in at least 99 % of 200 trials",
  ({ sizes, X, T }) => {
    let solved = 0;
    for (let seed = 0; seed < 200; seed++) {
      const { net, starts } = restartMadalineRule2(sizes, X, T, { seed });
      if (net === null) continue;
      expect(countErrors(net, X, T)).toBe(0);
      expect(starts).toBeLessThanOrEqual(11);
      solved += 1;
    }
    expect(solved).toBeGreaterThanOrEqual(198);
  },
);

test.each(problems)(
  "at equal evaluations Madaline Rule II beats random weights on $name",
  ({ sizes, X, T }) => {
    const trials = 400;
    for (const maxEvaluations of [200, 400, 800]) {
      let [trained, random] = [0, 0];
      for (let seed = 0; seed < trials; seed++) {
        const options = { maxEvaluations, seed };
        const rule = restartMadalineRule2(sizes, X, T, { ...options, starts: 1000, epochs: 10 });
        trained += +(rule.net !== null);
        const search = randomMadalineSearch(sizes, X, T, options);
        random += +(search.net !== null);
        expect(search.evaluations).toBeLessThanOrEqual(maxEvaluations);
        // A presentation that has begun is brought to its end: a pass over the errors or the trials of a pattern.
        expect(rule.evaluations).toBeLessThan(maxEvaluations + 2 * X.rows + 12);
      }
      // Four standard deviations of the difference of two shares.
      const share = (trained + random) / (2 * trials);
      const spread = Math.sqrt((2 * share * (1 - share)) / trials);
      expect((trained - random) / trials).toBeGreaterThan(4 * spread);
    }
  },
);

test("random search gives up a net at its first wrong pattern, and finds one where most nets will do", () => {
  const one = truthTable(1);
  const found = randomMadalineSearch(
    [1, 1],
    one,
    { rows: 2, columns: 1, data: Float64Array.from([-1, 1]) },
    { maxEvaluations: 1000 },
  );
  expect(countErrors(found.net!, one, [[-1], [1]])).toBe(0);
  // Every net before it cost one or two evaluations.
  expect(found.evaluations).toBeLessThanOrEqual(2 * found.starts);
  expect(found.evaluations).toBeGreaterThanOrEqual(found.starts + 1);
});

test("accepted flips of single units never raise the errors of the pattern, and are the least disturbance", () => {
  let accepted = 0;
  for (let index = 0; index < 300; index++) {
    const stream = randomStream({ seed: 2, purpose: "pattern", index });
    const sign = () => (uniform(stream) < 0.5 ? -1 : 1);
    const X = [[1, sign(), sign(), sign()]];
    const T = [[sign(), sign(), sign()]];
    const net = initMadaline([3, 5, 3], { seed: 2, index });
    const rate = 0.1 + 0.9 * uniform(stream);
    const result = madalineRule2(net, X, T, { flips: 1, epochs: 1, rate });
    if (result.errors.length === 1) continue;
    expect(result.errors[1]).toBeLessThanOrEqual(result.errors[0]!);
    accepted += result.accepted;
    const changed = result.net.layers.flatMap((weights, l) =>
      Array.from({ length: net.sizes[l + 1]! }, (_, unit) => {
        const width = net.sizes[l]! + 1;
        const part = (w: Float64Array) => w.slice(unit * width, (unit + 1) * width);
        return norm(part(weights).map((w, i) => w - part(net.layers[l]!)[i]!));
      }),
    );
    expectClose([changed.reduce((sum, x) => sum + x, 0)], [result.disturbance], 1e-12);
    const hidden = changed.slice(0, 5).flatMap((change, unit) => (change > 0 ? [unit] : []));
    expect(hidden.length).toBeLessThanOrEqual(1);
    if (hidden.length === 0) continue;
    // No unit with a smaller |s| would have helped: flipping it, by turning its weights, leaves no fewer errors.
    const { sums } = respond(net, X[0]!);
    for (let unit = 0; unit < 5; unit++) {
      if (Math.abs(sums[0]![unit]!) >= Math.abs(sums[0]![hidden[0]!]!)) continue;
      const flipped = { ...net, layers: net.layers.map((weights) => weights.slice()) };
      for (let i = 0; i < 4; i++) flipped.layers[0]![unit * 4 + i]! *= -1;
      expect(countErrors(flipped, X, T)).toBeGreaterThanOrEqual(result.errors[0]!);
    }
  }
  expect(accepted).toBeGreaterThan(50);
});

test("pairs are flipped where no single unit helps", () => {
  // The output is the AND of two units that are both off: only turning both helps.
  const net: Madaline = {
    sizes: [1, 2, 1],
    layers: [Float64Array.from([-0.1, 0, -0.2, 0]), Float64Array.from([-1, 1, 1])],
  };
  const singles = madalineRule2(net, [[1, 1]], [[1]], { flips: 1, epochs: 1, rate: 1 });
  expect([singles.accepted, singles.net.layers[0]]).toEqual([0, net.layers[0]]);
  const pairs = madalineRule2(net, [[1, 1]], [[1]], { flips: 2, epochs: 1, rate: 1 });
  expect([pairs.accepted, pairs.solved]).toEqual([1, true]);
  // α-LMS with rate 1 takes both sums to 1.
  expectClose(pairs.net.layers[0]!, [-0.1 + 0.55, 0.55, -0.2 + 0.6, 0.6], 1e-15);
});

test("one presentation costs a forward pass, its trials, and a check of what was accepted", () => {
  const { X, T } = parity(2);
  const { evaluations, errors } = madalineRule2(byHand, X, T);
  expect([evaluations, [...errors]]).toEqual([4, [0]]); // nothing to do: one pass to count errors
  const single = madalineRule2({ sizes: [1, 1], layers: [Float64Array.from([1, 0])] }, [[1, 1]], [[-1]], {
    epochs: 1,
    rate: 1,
  });
  // Count, present, adapt the output, count again.
  expect([single.evaluations, single.solved]).toEqual([3, true]);
});

test("networks with two hidden layers train too", () => {
  const { X, T } = parity(3);
  let solved = 0;
  for (let index = 0; index < 40; index++) {
    solved += +madalineRule2(initMadaline([3, 5, 3, 1], { seed: 3, index }), X, T, { epochs: 200 }).solved;
  }
  expect(solved).toBeGreaterThan(10);
});

test("Madaline Rule I solves XOR under OR, AND and, with three units, majority", () => {
  const { X, T } = parity(2);
  for (const [logic, units] of [
    ["or", 2],
    ["and", 2],
    ["majority", 3],
  ] as const) {
    let solved = 0;
    for (let index = 0; index < 100; index++) {
      const result = madalineRule1(initMadaline([2, units, 1], { seed: 4, index }), X, T, { logic });
      expect(result.solved).toBe(countErrors(result.net, X, T) === 0);
      solved += +result.solved;
    }
    expect(solved).toBeGreaterThanOrEqual(50);
  }
});

test("the fixed unit of Madaline Rule I computes OR, AND and majority of any number of units", () => {
  for (let units = 1; units <= 5; units++) {
    for (const logic of ["or", "and", "majority"] as const) {
      // A net whose unit i listens to input i alone, on data that it already solves: nothing is adapted.
      const net: Madaline = {
        sizes: [units, units, 1],
        layers: [
          Float64Array.from(
            { length: units * (units + 1) },
            (_, i) => +(i % (units + 1) === 1 + Math.floor(i / (units + 1))),
          ),
          new Float64Array(units + 1),
        ],
      };
      const T = { rows: 2 ** units, columns: 1, data: gate(logic, units) };
      const result = madalineRule1(net, truthTable(units), T, { logic });
      expect([...result.errors]).toEqual([0]);
      expect(result.net.layers[0]).toEqual(net.layers[0]);
    }
  }
});

test("Madaline Rule I adapts as few units as can put the output right, the easiest first", () => {
  const net: Madaline = {
    sizes: [1, 3, 1],
    layers: [Float64Array.from([-0.3, 0, -0.1, 0, -0.2, 0]), new Float64Array(4)],
  };
  const moved = (logic: "or" | "and" | "majority") => {
    const { net: after } = madalineRule1(net, [[1, 1]], [[1]], { logic, epochs: 1, rate: 1 });
    return [0, 1, 2].map((unit) => after.layers[0]![2 * unit] !== net.layers[0]![2 * unit]);
  };
  expect(moved("or")).toEqual([false, true, false]);
  expect(moved("majority")).toEqual([false, true, true]);
  expect(moved("and")).toEqual([true, true, true]);
});

test("other starts of a Madaline end in other weights, where LMS forgets its start", () => {
  const { X, T } = parity(2);
  const ends: Float64Array[] = [];
  for (let index = 0; ends.length < 2; index++) {
    const { net, solved } = madalineRule2(initMadaline([2, 2, 1], { seed: 1, index }), X, T);
    if (solved) ends.push(Float64Array.from(net.layers.flatMap((weights) => [...weights])));
  }
  expect(norm(ends[0]!.map((w, i) => w - ends[1]![i]!))).toBeGreaterThan(0.5);
  const t = gate("nand", 2);
  const from = (weights: number[]) => runFilter(lms({ mu: 0.05 }), X, t, { weights, epochs: 500 }).weights;
  expectClose(from([5, -3, 2]), from([-1, 4, 0]), 1e-14);
});

test("trainings are the same for the same seed", () => {
  const { X, T } = parity(2);
  const train = (seed: number) =>
    madalineRule2(initMadaline([2, 2, 1]), X, T, { seed, epochs: 3, rate: 0.1 });
  expect(train(0)).toEqual(train(0));
  expect(train(1).net).not.toEqual(train(0).net);
  expect(initMadaline([2, 2, 1], { index: 1 })).not.toEqual(initMadaline([2, 2, 1]));
});

test("a search by restarts is Madaline Rule II with its seed, start after start", () => {
  const { X, T } = parity(3);
  for (const seed of [0, 1, 2]) {
    const options = { seed, epochs: 5, rate: 0.2 };
    const [first, second] = [0, 1].map((index) =>
      madalineRule2(initMadaline([3, 2, 1], { seed, index }), X, T, options),
    );
    expect([first!.solved, second!.solved]).toEqual([false, false]);
    const both = restartMadalineRule2([3, 2, 1], X, T, { ...options, starts: 2 });
    expect(both).toEqual({ net: null, starts: 2, evaluations: first!.evaluations + second!.evaluations });
  }
});

const { X: X2, T: T2 } = parity(2);

test.each<[() => unknown, string]>([
  [
    () => initMadaline([2]),
    "initMadaline: sizes: expected an array of at least two sizes, got an array of length 1",
  ],
  [() => initMadaline([2, 0, 1]), "initMadaline: sizes[1]: expected an integer at least 1, got 0"],
  [
    () => madalineRule2(byHand, X2, T2, { rate: 0 }),
    "madalineRule2: rate: expected a number in (0, 1], got 0",
  ],
  [
    () => madalineRule2(byHand, truthTable(3), T2),
    "madalineRule2: X: expected rows of 3 numbers (1, then the inputs), got 4",
  ],
  [() => madalineRule2(byHand, X2, [[1]]), "madalineRule2: T: expected 4 rows of 1 numbers, got 1 of 1"],
  [
    () => madalineRule2(byHand, [[1, 0, 1]] as MatrixLike, [[1]]),
    "madalineRule2: X: expected rows of 1, then -1 or 1, got something else",
  ],
  [
    () => madalineRule1(initMadaline([2, 2, 2]), X2, T2, { logic: "or" }),
    "madalineRule1: net.sizes: expected [inputs, units, 1], got [2, 2, 2]",
  ],
  [
    () => respond({ ...byHand, layers: [byHand.layers[0]!] }, [1, 1, 1]),
    "respond: net.layers: expected 2 layers, got an array of length 1",
  ],
])("a bad argument of a Madaline is named (%#)", (call, message) => {
  expect(thrown(call)).toBe(message);
});
