import { extname } from "node:path";
import { type FittedPlane, fittedPlanes, learningCurves, svgText } from "@gradlab/figures";
import {
  affineProjection,
  courseData,
  cyclicBound,
  cyclicRadius,
  leakyLms,
  leastSquares,
  lms,
  moments,
  nlms,
  type Rule,
  type RunResult,
  rls,
  run as runFilter,
  signLms,
  stabilityBounds,
  sweep,
} from "@gradlab/lms";
import { type Command, Option } from "commander";
import {
  type CommonOptions,
  countFrom,
  defineCommand,
  envelope,
  numberFrom,
  positiveNumbers,
} from "../command.js";
import { blame, Failure } from "../failure.js";
import { writeOutput } from "../files.js";
import { learningCurveOf } from "../learning-curve.js";
import { figureDocument, renderPng } from "../pictures.js";
import { type RegressionData, readRegressionFile } from "../regression-file.js";
import { stackFigures } from "../stack-figures.js";
import { type Paint, painter, type Terminal, textTable } from "../terminal.js";

const algorithms = [
  "lms",
  "nlms",
  "sign-error",
  "sign-data",
  "sign-sign",
  "leaky-lms",
  "affine-projection",
  "rls",
] as const;

interface Flags extends CommonOptions {
  readonly dataFile?: string;
  readonly algorithm: (typeof algorithms)[number];
  readonly mu?: number;
  readonly sweep?: readonly number[];
  readonly epochs: number;
  readonly lambda: number;
  readonly leak: number;
  readonly order: number;
}

export function lmsCommand(terminal: Terminal): Command {
  return defineCommand("lms", "fit a line step by step, beside least squares and the bounds of the theory", {
    flag: "--out <file>",
    help: "write a figure: .svg or .png (learning curves; for two inputs the data with both models too), or the result: .json",
  })
    .option(
      "--data-file <file>",
      "CSV of numbers, the last column the target (default: generated data, see --seed)",
    )
    .addOption(new Option("--algorithm <name>", "how to learn").choices(algorithms).default("lms"))
    .option("--mu <n>", "step size (default: 0.01)", numberFrom({ above: 0 }))
    .option("--sweep <a,b,c>", "several step sizes instead", positiveNumbers)
    .option("--epochs <n>", "passes over the rows", countFrom(1), 20)
    .option("--lambda <n>", "forgetting factor of rls", numberFrom({ above: 0, most: 1 }), 1)
    .option("--leak <n>", "leakage of leaky-lms", numberFrom({ least: 0 }), 0.01)
    .option("--order <n>", "rows that affine-projection looks back", countFrom(1), 2)
    .addHelpText(
      "after",
      `
A constant 1 is put before the inputs of every row. A run that diverges is a result.

Examples:
  gradlab lms --sweep 0.005,0.01,0.05,0.5,0.7,1 --out curves.svg
  gradlab lms --data-file measured.csv --algorithm nlms --mu 0.5 --json`,
    )
    .action((flags: Flags) => run(flags, terminal));
}

interface Learned {
  readonly label: string;
  readonly rule: Rule;
  readonly mu: number | null;
  readonly run: RunResult;
  readonly radius: number | null;
  readonly settled: "converges" | "diverges" | "undecided" | null;
}

async function run(flags: Flags, terminal: Terminal): Promise<void> {
  checkFlags(flags);
  const { dataFile, out, epochs } = flags;
  const data =
    dataFile === undefined
      ? { ...courseData({ seed: flags.seed }), names: ["x1", "x2", "target"] }
      : await readRegressionFile(dataFile);
  const { X, d, names } = data;
  const place = dataFile ?? "generated data";
  const fit = blame("runtime", place, () => leastSquares(X, d));
  const learned = blame("runtime", place, () => learn(flags, data));
  const bounds = {
    ...stabilityBounds(moments(X, d).R),
    cyclic: {
      limit: cyclicBound(X).limit,
      regime: "spectral radius of a pass below 1; passes over exactly these rows, without any assumption",
    },
  };
  const result = {
    ...envelope("lms", flags, []),
    data: { file: dataFile ?? null, rows: X.rows, inputs: names.slice(0, -1), target: names.at(-1) },
    wiener: { weights: [...fit.weights], mse: fit.mse, condition: fit.condition },
    bounds,
    runs: learned.map(({ rule, run: { verdict, updates, weights, mse }, radius, settled }) => ({
      algorithm: flags.algorithm,
      parameters: rule.parameters,
      epochs,
      verdict,
      updates,
      weights: [...weights],
      mse: mse.length === epochs ? mse.at(-1) : null,
      curve: [...mse],
      distance: Math.max(...weights.map((weight, i) => Math.abs(weight - fit.weights[i]!))),
      ...(radius !== null && { radius, continued: settled }),
    })),
  };
  if (out !== undefined) {
    if (extname(out) === ".json") await writeOutput(out, `${JSON.stringify(result, null, 2)}\n`);
    else {
      const svg = svgText(await figure(data, fit, learned));
      await writeOutput(out, extname(out) === ".png" ? await renderPng(svg) : svg);
    }
    if (!flags.quiet) terminal.log(`wrote ${out}\n`);
  }
  const paint = painter(terminal.colors.stdout && flags.color);
  terminal.write(
    flags.json
      ? `${JSON.stringify(result, null, 2)}\n`
      : describe(place, data, fit, learned, bounds, flags, paint),
  );
}

function checkFlags({ algorithm, mu, sweep: mus, out }: Flags): void {
  if (mu !== undefined && mus !== undefined) {
    throw new Failure("usage", "--sweep: expected either --mu or --sweep, got both");
  }
  if (algorithm === "rls" && (mu !== undefined || mus !== undefined)) {
    throw new Failure("usage", `--${mu === undefined ? "sweep" : "mu"}: expected none, rls has no step size`);
  }
  const tooLarge = [...(mus ?? []), ...(mu === undefined ? [] : [mu])].find((one) => one >= 2);
  if ((algorithm === "nlms" || algorithm === "affine-projection") && tooLarge !== undefined) {
    const flag = mu === undefined ? "--sweep" : "--mu";
    throw new Failure("usage", `${flag}: expected numbers in (0, 2) for ${algorithm}, got ${tooLarge}`);
  }
  if (out !== undefined && ![".svg", ".png", ".json"].includes(extname(out))) {
    throw new Failure(
      "usage",
      `--out: expected a name that ends in .svg, .png or .json, got ${JSON.stringify(out)}`,
    );
  }
}

function learn(flags: Flags, { X, d }: RegressionData): Learned[] {
  const { algorithm, epochs, lambda } = flags;
  const mus = flags.sweep ?? [flags.mu ?? 0.01];
  if (algorithm === "rls") {
    const rule = rls({ lambda });
    return [
      {
        label: `rls, λ = ${lambda}`,
        rule,
        mu: null,
        run: runFilter(rule, X, d, { epochs }),
        radius: null,
        settled: null,
      },
    ];
  }
  if (algorithm === "lms") {
    return sweep(X, d, { mus, epochs, maxEpochs: Math.max(epochs, 10_000) }).map((row) => ({
      label: `μ = ${row.mu}`,
      rule: lms({ mu: row.mu }),
      mu: row.mu,
      run: row.run,
      radius: cyclicRadius(X, row.mu),
      settled: row.verdict,
    }));
  }
  return mus.map((mu) => {
    const rule = ruleOf(algorithm, mu, flags);
    return {
      label: `μ = ${mu}`,
      rule,
      mu,
      run: runFilter(rule, X, d, { epochs }),
      radius: null,
      settled: null,
    };
  });
}

function ruleOf(
  algorithm: Exclude<Flags["algorithm"], "lms" | "rls">,
  mu: number,
  { leak, order }: Flags,
): Rule {
  switch (algorithm) {
    case "nlms":
      return nlms({ mu });
    case "leaky-lms":
      return leakyLms({ mu, leak });
    case "affine-projection":
      return affineProjection({ mu, order });
    case "sign-error":
      return signLms({ mu, kind: "error" });
    case "sign-data":
      return signLms({ mu, kind: "data" });
    case "sign-sign":
      return signLms({ mu, kind: "sign-sign" });
  }
}

type Fit = ReturnType<typeof leastSquares>;

async function figure(data: RegressionData, fit: Fit, learned: readonly Learned[]): Promise<SVGSVGElement> {
  const document = await figureDocument();
  const { X, d, names } = data;
  const curves = learned.map(({ label, run: result, settled }) => {
    const curve = learningCurveOf(label, data, result);
    return { ...curve, diverged: curve.diverged || settled === "diverges" };
  });
  if (curves.every(({ points }) => points.length === 0)) {
    throw new Failure("runtime", "--out: expected errors above 0 to draw on a logarithmic axis, got none");
  }
  const figures = [
    learningCurves(
      curves.filter(({ points }) => points.length > 0),
      { document, ...(fit.mse > 0 && { floor: { name: "least squares", error: fit.mse } }) },
    ),
  ];
  if (X.columns === 3) {
    const plane = (name: string, [bias, a, b]: Iterable<number>): FittedPlane => ({
      name,
      bias: bias!,
      slopes: [a!, b!],
    });
    // Of a sweep, the run that came closest.
    const ended = learned.filter(
      ({ run: { verdict }, settled }) => verdict === "done" && settled !== "diverges",
    );
    ended.sort((a, b) => a.run.mse.at(-1)! - b.run.mse.at(-1)!);
    const best = ended[0];
    figures.push(
      fittedPlanes(
        Array.from(d, (target, k) => [X.data[3 * k + 1]!, X.data[3 * k + 2]!, target] as const),
        [
          plane("least squares", fit.weights),
          ...(best === undefined ? [] : [plane(`${best.rule.name}, ${best.label}`, best.run.weights)]),
        ],
        { document, labels: [names[0]!, names[1]!, names[2]!] },
      ),
    );
  }
  return stackFigures(figures, document);
}

function describe(
  place: string,
  { X, names }: RegressionData,
  fit: Fit,
  learned: readonly Learned[],
  bounds: Readonly<Record<string, { limit: number; regime: string }>>,
  { algorithm, epochs }: Flags,
  paint: Paint,
): string {
  const right = "right" as const;
  const weights = ["bias", ...names.slice(0, -1)].map((title) => ({ title, align: right }));
  const numbers = (values: Float64Array) => Array.from(values, (value) => short(value));
  const rows = learned.map(({ label, run: { verdict, mse, weights: w, updates }, settled, radius }) => [
    `${algorithm} ${label.replace(/^rls, /, "")}`,
    ...(verdict === "done" ? numbers(w) : [...w].map(() => "–")),
    verdict === "done" ? short(mse.at(-1)!) : "–",
    verdict === "diverged"
      ? `diverged after ${updates} updates`
      : settled === "diverges"
        ? `done, diverges if continued`
        : settled === "undecided"
          ? "done, undecided if continued"
          : "done",
    radius === null ? "–" : short(radius),
  ]);
  const table = textTable(
    [
      { title: "weights of" },
      ...weights,
      { title: "MSE", align: right },
      { title: "verdict" },
      { title: "radius of a pass", align: right },
    ],
    [["least squares", ...numbers(fit.weights), short(fit.mse), "", ""], ...rows],
    paint,
  );
  const limits = textTable(
    [{ title: "LMS is stable up to", align: right }, { title: "in the sense that" }],
    Object.values(bounds).map(({ limit, regime }) => [short(limit), regime]),
    paint,
  );
  const head = `${place}: ${X.rows} rows, ${X.columns - 1} inputs and a bias, ${epochs} epochs; condition ${short(fit.condition)}`;
  return `${paint("bold", head)}\n\n${table}\n\n${limits}\n`;
}

const short = (value: number) => `${Number(value.toPrecision(5))}`;
