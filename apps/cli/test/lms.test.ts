import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { courseData } from "@gradlab/lms";
import sharp from "sharp";
import { expect, test } from "vitest";
import { choleskySolve } from "../../../packages/experiments/src/lms/cholesky-solve.js";
import { gradlab, temporaryFolder } from "./run-gradlab.js";

async function csv(content: string): Promise<string> {
  const file = join(await temporaryFolder(), "data.csv");
  await writeFile(file, content);
  return file;
}

const json = async (...argv: string[]) => {
  const { code, stdout, stderr } = await gradlab([...argv, "--json"]);
  expect([code, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout);
};

test("the course data: LMS comes to the weights of least squares, inside the envelope", async () => {
  const result = await json("lms", "--mu", "0.01");
  const { X, d } = courseData();
  expect(result).toMatchObject({
    schemaVersion: 1,
    command: "lms",
    backend: { actual: null },
    data: { file: null, rows: 100, inputs: ["x1", "x2"], target: "target" },
    runs: [{ algorithm: "lms", parameters: { mu: 0.01 }, epochs: 20, verdict: "done", updates: 2000 }],
  });
  choleskySolve(X, d).forEach((weight, i) => {
    expect(result.wiener.weights[i]).toBeCloseTo(weight, 10);
    expect(Math.abs(result.runs[0].weights[i] - weight)).toBeLessThan(0.01);
  });
  expect(result.runs[0].curve).toHaveLength(20);
  expect(result.runs[0].mse).toBe(result.runs[0].curve[19]);
  expect(result.runs[0].mse).toBeGreaterThan(result.wiener.mse);
  expect(Object.keys(result.bounds)).toEqual([
    "mean",
    "meanSquareSafe",
    "conservative",
    "meanSquareGaussian",
    "cyclic",
  ]);
  for (const { limit, regime } of Object.values<{ limit: number; regime: string }>(result.bounds)) {
    expect(limit).toBeGreaterThan(0);
    expect(regime).not.toBe("");
  }
});

test("a sweep says which step sizes diverge, in numbers without NaN and in words", async () => {
  const { bounds, runs } = await json("lms", "--sweep", "0.01,0.5,0.7,1");
  expect(runs.map(({ verdict }: { verdict: string }) => verdict)).toEqual([
    "done",
    "done",
    "diverged",
    "diverged",
  ]);
  for (const { parameters, radius, continued } of runs) {
    expect(radius < 1).toBe(parameters.mu < bounds.cyclic.limit);
    expect(continued).toBe(radius < 1 ? "converges" : "diverges");
  }
  expect(runs[3]).toMatchObject({ mse: null, curve: [] });
  expect(runs[3].weights.every(Number.isFinite)).toBe(true);
  const { code, stdout } = await gradlab(["lms", "--sweep", "0.01,1"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/μ = 1 .*diverged after 92 updates/);
  expect(stdout).not.toContain("NaN");
});

const plane = "a,b,y\n1,0,3\n0,1,0\n2,1,4\n-1,2,-3\n1,1,2\n"; // y = 1 + 2a - b
const fast = ["--mu", "0.5", "--epochs", "300"];
const slow = ["--mu", "0.05", "--epochs", "2000"];
// A leak or a sign leaves a distance; without noise the rest goes all the way.
const learners: [algorithm: string, flags: string[], distance: number][] = [
  ["lms", slow, 1e-6],
  ["nlms", fast, 1e-6],
  ["affine-projection", fast, 1e-6],
  ["rls", ["--epochs", "50"], 1e-2],
  ["leaky-lms", [...slow, "--leak", "1e-5"], 1e-3],
  ["sign-error", ["--mu", "0.001", "--epochs", "5000"], 0.02],
  ["sign-data", slow, 1e-6],
  ["sign-sign", ["--mu", "0.001", "--epochs", "5000"], 0.02],
];

test.each(learners)("%s learns a plane from a CSV file with a header", async (algorithm, flags, distance) => {
  const result = await json("lms", "--data-file", await csv(plane), "--algorithm", algorithm, ...flags);
  expect(result.data).toMatchObject({ rows: 5, inputs: ["a", "b"], target: "y" });
  [1, 2, -1].forEach((weight, i) => {
    expect(result.wiener.weights[i]).toBeCloseTo(weight, 12);
    expect(Math.abs(result.runs[0].weights[i] - weight)).toBeLessThan(distance);
  });
});

test("without a header the columns get names, quotes and a byte order mark do no harm", async () => {
  const file = await csv('\uFEFF"1",3\r\n2,5\r\n\r\n3, 7e0\r\n');
  const result = await json("lms", "--data-file", file);
  expect(result.data).toMatchObject({ rows: 3, inputs: ["x1"], target: "target" });
  expect(result.wiener.weights[1]).toBeCloseTo(2, 12);
});

test("--out writes curves and both models as SVG and PNG, and the result as JSON", async () => {
  const folder = await temporaryFolder();
  const out = (name: string) => join(folder, name);
  await gradlab(["lms", "--sweep", "0.01,1", "--out", out("a.svg")]);
  const svg = await readFile(out("a.svg"), "utf8");
  expect(svg).toContain("μ = 1 diverges");
  const seen = svg.replace(/<g [^>]*pointer-events="all".*?<\/g>/s, "");
  expect(seen.match(/<circle/g)).toHaveLength(100);
  expect(svg).toContain("lines of equal target");
  await gradlab(["lms", "--data-file", await csv("1,3\n2,5\n3,8\n"), "--out", out("b.svg")]);
  expect(await readFile(out("b.svg"), "utf8")).not.toContain("lines of equal"); // one input has no such picture
  await gradlab(["lms", "--out", out("a.png")]);
  expect(await sharp(out("a.png")).metadata()).toMatchObject({ format: "png", width: 1440 });
  const { stdout, stderr } = await gradlab(["lms", "--json", "--out", out("a.json")]);
  expect(JSON.parse(await readFile(out("a.json"), "utf8"))).toEqual(JSON.parse(stdout));
  expect(stderr).toBe(`wrote ${out("a.json")}\n`);
});

const goldenMat = (name: string) => join(import.meta.dirname, "../../../packages/datasets/test/golden", name);

test("a file of MATLAB is read like the CSV with the same numbers", async () => {
  const { files } = JSON.parse(await readFile(goldenMat("mat-files.json"), "utf8"));
  const { data, shape } = files["matrix-compressed.mat"].data as { data: string[]; shape: [number, number] };
  const [rows] = shape;
  const lines = Array.from({ length: rows }, (_, i) => [0, 1, 2].map((j) => data[i + j * rows]).join(","));
  const fromCsv = await json("lms", "--data-file", await csv(`${lines.join("\n")}\n`));
  const fromMat = await json("lms", "--data-file", goldenMat("matrix-compressed.mat"));
  expect(fromMat.data).toEqual({ ...fromCsv.data, file: goldenMat("matrix-compressed.mat") });
  expect(fromMat.data).toMatchObject({ rows: 6, inputs: ["x1", "x2"], target: "target", bias: null });
  expect([fromMat.wiener, fromMat.runs]).toEqual([fromCsv.wiener, fromCsv.runs]);
  // Made as 1 + 2 x1 - x2, and rounded to three digits.
  for (const [i, weight] of [1, 2, -1].entries()) {
    expect(fromMat.wiener.weights[i]).toBeCloseTo(weight, 2);
  }

  const apart = await json("lms", "--data-file", goldenMat("apart-compressed.mat"), "--variable", "X,d");
  expect(apart.data).toMatchObject({ inputs: ["X1", "X2"], target: "d" });
  expect(apart.runs).toEqual(fromMat.runs);
  // Of a big-endian file, one of several.
  const named = await json("lms", "--data-file", goldenMat("big-endian-by-hand.mat"), "--variable", "A");
  expect(named.runs).toEqual(fromMat.runs);
});

const matFaults: [name: string, flags: string[], code: number, message: string][] = [
  ["apart-compressed.mat", [], 2, "--variable: expected NAME or INPUTS,TARGET of the matrices in FILE: X (6 x 2), d (6 x 1); got nothing"],
  ["apart-compressed.mat", ["--variable", "y"], 2, '--variable: expected NAME or INPUTS,TARGET of the matrices in FILE: X (6 x 2), d (6 x 1); got "y"'],
  ["apart-compressed.mat", ["--variable", "X,d,e"], 2, '--variable: expected NAME or INPUTS,TARGET, got "X,d,e"'],
  ["apart-compressed.mat", ["--variable", "X,"], 2, '--variable: expected NAME or INPUTS,TARGET, got "X,"'],
  ["apart-compressed.mat", ["--variable", "X,X"], 1, "FILE: X: expected a vector of targets, got 6 x 2"],
  ["apart-compressed.mat", ["--variable", "d"], 1, "FILE: d: expected inputs and a target in each row, got 6 x 1 (--variable INPUTS,TARGET takes them from two matrices)"],
  ["numbers.mat", ["--variable", "cube"], 1, "FILE: cube: expected a matrix of rows and columns, got [2,3,4]"],
  ["numbers.mat", ["--variable", "double"], 1, "FILE: double(2,2): expected a finite number, got NaN"],
  ["numbers.mat", ["--variable", "uint8,logical"], 1, "FILE: uint8: expected 3 rows, as logical has targets, got 2 x 2"],
  ["others.mat", ["--variable", "s"], 1, "FILE: s: expected a matrix of real numbers, got a struct"],
  ["others.mat", ["--variable", "p"], 1, "FILE: p: expected a matrix of real numbers, got a sparse matrix"],
  ["level-4.mat", [], 1, "FILE: bytes: expected MATLAB's level 5, got level 4 or another file (save it with -v7)"],
]; // biome-ignore format: a table

test.each(matFaults)("of %s, %j is refused with its name", async (name, flags, code, message) => {
  const file = goldenMat(name);
  const ran = await gradlab(["lms", "--data-file", file, ...flags]);
  expect(ran).toMatchObject({ code, stdout: "" });
  expect(ran.stderr).toContain(message.replace("FILE", file));
  expect(ran.stderr).toMatch(/^gradlab: [^\n]+\n$/);
});

test("samples in columns are told by the number of targets, and said aloud", async () => {
  const across = ["lms", "--data-file", goldenMat("across-compressed.mat"), "--variable", "P,T", "--json"];
  const { code, stdout, stderr } = await gradlab(across);
  expect(code).toBe(0);
  expect(stderr).toContain("the 6 columns of P are taken as samples, as T has as many targets");
  const down = await json("lms", "--data-file", goldenMat("apart-compressed.mat"), "--variable", "X,d");
  const { data, runs, warnings } = JSON.parse(stdout);
  expect(runs).toEqual(down.runs);
  expect(data).toMatchObject({ rows: 6, inputs: ["P1", "P2"], target: "T" });
  expect(warnings).toHaveLength(1);
});

test("a constant column is the bias, whatever its value, and the fit is the one without it", async () => {
  const rows = [[1, 0, 3], [0, 1, 0], [2, 1, 4], [-1, 2, -3], [1, 1, 2]] as const; // y = 1 + 2a - b
  const plain = await json("lms", "--data-file", await csv(plane), "--mu", "0.05");
  expect(plain.data.bias).toBeNull();
  const withOnes = `a,one,b,y\n${rows.map(([a, b, y]) => `${a},1,${b},${y}`).join("\n")}\n`;
  const ones = await json("lms", "--data-file", await csv(withOnes), "--mu", "0.05");
  expect(ones.data).toMatchObject({ inputs: ["a", "b"], target: "y", bias: { column: "one", value: 1 } });
  expect([ones.wiener, ones.runs, ones.bounds]).toEqual([plain.wiener, plain.runs, plain.bounds]);
  const halves = await csv(`${rows.map(([a, b, y]) => `0.5,${a},${b},${y}`).join("\n")}\n`);
  const { code, stdout, stderr } = await gradlab(["lms", "--data-file", halves, "--mu", "0.05"]);
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toContain("5 rows, 2 inputs and the bias x1, which is 0.5 in all rows, 20 epochs");
  const { wiener } = await json("lms", "--data-file", halves);
  // 0.5 times 2 is the 1 of the plane.
  for (const [i, weight] of [2, 2, -1].entries()) expect(wiener.weights[i]).toBeCloseTo(weight, 12);
  const out = join(await temporaryFolder(), "planes.svg");
  await gradlab(["lms", "--data-file", halves, "--out", out]);
  expect(await readFile(out, "utf8")).toContain("lines of equal");
  // A second constant column is a multiple of the first, and a column of zeros says nothing.
  for (const column of ["7", "0"]) {
    const file = await csv(`${rows.map(([a, b, y]) => `1,${a},${b},${column},${y}`).join("\n")}\n`);
    const ran = await gradlab(["lms", "--data-file", file]);
    expect(ran.stderr).toContain("expected linearly independent columns, got rank 3 of 4");
  }
}); // biome-ignore format: matrices

const badFiles: [what: string, content: string, message: string][] = [
  ["ragged rows", "1,2\n3,4\n5\n", "data.csv: line 3: expected 2 columns as in the first line, got 1"],
  ["NaN", "1,2\n3,NaN\n5,6\n", 'data.csv: line 2, column 2: expected a finite number, got "NaN"'],
  ["an empty cell", "a,b\n1,2\n,4\n", 'data.csv: line 3, column 1: expected a finite number, got ""'],
  ["a number beyond range", "1,1e999\n", 'line 1, column 2: expected a finite number, got "1e999"'],
  ["too few rows", "1,2,3\n4,5,6\n", "data.csv: X: expected at least as many rows as its 3 columns, got 2"],
  ["dependent columns", "1,1,3\n2,2,5\n3,3,1\n4,4,4\n", "data.csv: X: expected linearly independent columns"],
  ["nothing", "", "data.csv: expected rows of numbers, got none"],
  ["a header alone", "a,b\n", "data.csv: expected rows of numbers, got none"],
  ["one column", "1\n2\n", "expected inputs and a target, separated by commas, got one column"],
  ["an open quote", '1,"2\n3,4\n', "data.csv: Quote Not Closed"],
]; // biome-ignore format: a table

test.each(badFiles)("a file with %s is refused with its name, exit code 1", async (_, content, message) => {
  const { code, stdout, stderr } = await gradlab(["lms", "--data-file", await csv(content)]);
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toContain(message);
  expect(stderr).toMatch(/^gradlab: [^\n]+\n$/);
});

const wrong: [argv: string[], code: number, message: string][] = [
  [["lms", "--mu", "0"], 2, "argument '0' is invalid. Expected a number above 0."],
  [["lms", "--mu", "-1"], 2, "Expected a number above 0."],
  [["lms", "--mu", ""], 2, "Expected a number above 0."],
  [["lms", "--sweep", "0.1,x"], 2, "Expected a number above 0."],
  [["lms", "--mu", "1", "--sweep", "1"], 2, "--sweep: expected either --mu or --sweep, got both"],
  [["lms", "--algorithm", "adam"], 2, "Allowed choices are lms, nlms"],
  [["lms", "--algorithm", "rls", "--mu", "1"], 2, "--mu: expected none, rls has no step size"],
  [["lms", "--algorithm", "nlms", "--sweep", "1,2"], 2, "--sweep: expected numbers in (0, 2) for nlms, got 2"],
  [["lms", "--lambda", "1.1"], 2, "Expected a number above 0 and at most 1."],
  [["lms", "--epochs", "0"], 2, "Expected an integer of at least 1."],
  [["lms", "--out", "x.bmp"], 2, "--out: expected a name that ends in .svg, .png or .json"],
  [["lms", "--data-file", "no-such.csv"], 1, "no-such.csv: no such file"],
  [["lms", "--variable", "A"], 2, "--variable: expected --data-file FILE.mat beside it, got none"],
  [["gates", "--inputs", "7"], 2, "Expected an integer of at least 1 and at most 6."],
  [["gates", "--gate", "nxor"], 2, "Allowed choices are and, or"],
  [["gates", "--weights", "1"], 2, "--weights: expected 2 to 5 numbers, bias first, got 1"],
  [["gates", "--weights", "1,2,3,4,5,6"], 2, "--weights: expected 2 to 5 numbers, bias first, got 6"],
  [["gates", "--weights", "1,1,1", "--gate", "or"], 2, "--weights: expected either --gate or --weights, got both"],
  [["gates", "--weights", "1,x"], 2, "Expected a number"],
  [["gates", "--out", "x.svg"], 2, "--out: expected a name that ends in .json"],
  [["backprop-check", "--cases", "0"], 2, "Expected an integer of at least 1."],
  [["backprop-check", "--tolerance", "-1"], 2, "Expected a number at least 0."],
]; // biome-ignore format: a table

test.each(wrong)("%j is refused in one line with the right exit code", async (argv, code, message) => {
  const plain = await gradlab(argv);
  expect(plain).toMatchObject({ code, stdout: "" });
  expect(plain.stderr).toContain(message);
  expect(plain.stderr).toMatch(/^gradlab: [^\n]+\n$/);
});

test("gates: what is separable and what least squares makes of it, counted over all functions", async () => {
  const two = await json("gates");
  expect(two.census).toEqual({ functions: 16, separable: 14, strict: 14, ties: 0, wrong: 0 });
  const nand = two.gates.find(({ gate }: { gate: string }) => gate === "nand");
  expect(nand.leastSquares).toEqual({ weights: [0.5, -0.5, -0.5], margin: 0.5, verdict: "strict" });
  expect(nand.rows.map(({ sum }: { sum: number }) => sum)).toEqual([1.5, 0.5, 0.5, -0.5]);
  const three = await gradlab(["gates", "--inputs", "3"]);
  expect(three.stdout).toMatch(/and +yes +tie +0 /);
  expect(three.stdout).toMatch(/majority +yes +strict +0\.5 +0 0\.5 0\.5 0\.5\n/);
  expect(three.stdout).toContain("of all 256 functions, 104 are separable; least squares solves 40");
  const xor = await gradlab(["gates", "--gate", "xor"]);
  expect(xor.stdout).toContain("not separable: no single neuron computes it");
  expect(xor.stdout).toMatch(/−− +− +0\n−\+ +\+ +0\n/);
});

test("gates --weights: sums and outputs by row, and the function by its number, its gates and its shortest form", async () => {
  const nand = await gradlab(["gates", "--weights", "0.5,-0.5,-0.5"]);
  expect(nand.stdout).toMatch(/−− +\+ +1\.5\n−\+ +\+ +0\.5\n\+− +\+ +0\.5\n\+\+ +− +-0\.5\n/);
  expect(nand.stdout).toContain("function 7 of 0 … 15: nand: not x1 or not x2");
  const three = await json("gates", "--weights", "-1,2,1,-1");
  // Σ = −1 + 2 x1 + x2 − x3, rows −−− … +++, the last input fastest.
  expect(three.neuron.rows.map(({ sum }: { sum: number }) => sum)).toEqual([-3, -5, -1, -3, 1, -1, 3, 1]);
  expect(three.neuron).toMatchObject({
    number: 16 + 64 + 128,
    names: [],
    formula: "(x1 and not x3) or (x1 and x2)",
  });
  const tied = await gradlab(["gates", "--weights", "0,1,1"]);
  expect(tied.stdout).toContain("function 14 of 0 … 15: or: x1 or x2");
  expect(tied.stdout).toContain("a sum of 0 counts as +: 2 of 4 rows hang by rounding");
  expect((await json("gates", "--weights", "1,0.5")).neuron.formula).toBe("true");
  expect((await json("gates", "--weights", "-9,1,1,1,1")).neuron).toMatchObject({
    number: 0,
    formula: "false",
  });
});

test("backprop-check compares the known numbers and exits with 3 where one does not hold", async () => {
  const { checks } = await json("backprop-check", "--cases", "20");
  const named = Object.fromEntries(checks.map((one: { name: string }) => [one.name, one]));
  expect(named["relu: ∂L/∂W1"]).toMatchObject({ got: [[0, 0], [13, -1], [26, -2]], ok: true });
  expect(checks.every(({ ok }: { ok: boolean }) => ok)).toBe(true);
  const { code, stdout, stderr } = await gradlab(["backprop-check", "--cases", "5", "--tolerance", "0"]);
  expect(code).toBe(3);
  expect(stdout).toMatch(/central differences .*DIFFERS/);
  expect(stderr).toBe(
    "gradlab: 2 values differ: relu, 5 random networks: central differences; sigmoid, 5 random networks: central differences\n",
  );
}); // biome-ignore format: matrices
