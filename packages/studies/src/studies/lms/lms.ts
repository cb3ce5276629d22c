import { looksLikeMat } from "@gradlab/datasets";
import { type FittedPlane, fittedPlanes, learningCurves } from "@gradlab/figures";
import {
  courseData,
  cyclicBound,
  cyclicRadius,
  inputMoments,
  leastSquares,
  lms as lmsRule,
  type Rule,
  type RunResult,
  rls,
  runFilter,
  stabilityBounds,
  sweep as sweepLms,
} from "@gradlab/lms";
import { type InputFiles, type OptionsOf, seedOption } from "../../declaration/option.js";
import { defineStudy, type Figure, type StudyEvent, type Table } from "../../declaration/study.js";
import { blame, StudyError } from "../../declaration/study-error.js";
import { lines, short } from "../../declaration/wording.js";
import { learningCurveOf } from "./learning-curve.js";
import { readCsvTable } from "./read-csv-table.js";
import { readMatTable } from "./read-mat-table.js";
import { type RegressionData, regressionData } from "./regression-data.js";
import { algorithms, ruleOf } from "./rule-of.js";

const options = {
  dataFile: {
    kind: "file",
    help: "CSV of numbers or a .mat of MATLAB, the last column the target (default: generated data, see --seed)",
  },
  variable: {
    kind: "text",
    placeholder: "<name>",
    help: "the matrix of a .mat, where it has several; or two, INPUTS,TARGET",
  },
  algorithm: { kind: "choice", choices: algorithms, default: "lms", help: "how to learn" },
  mu: { kind: "number", above: 0, help: "step size (default: 0.01)" },
  sweep: { kind: "numbers", above: 0, placeholder: "<a,b,c>", help: "several step sizes instead" },
  epochs: { kind: "integer", least: 1, default: 20, help: "passes over the rows" },
  lambda: { kind: "number", above: 0, most: 1, default: 1, help: "forgetting factor of rls" },
  leak: { kind: "number", least: 0, default: 0.01, help: "leakage of leaky-lms" },
  order: { kind: "integer", least: 1, default: 2, help: "rows that affine-projection looks back" },
  seed: seedOption,
} as const;

export type LmsOptions = OptionsOf<typeof options>;

export interface LmsRecord {
  readonly data: {
    /** Null where it was generated. */
    readonly file: string | null;
    readonly rows: number;
    readonly inputs: readonly string[];
    readonly target: string;
    /** The column of the file that is the bias, which has one value in all rows; null where a 1 was put there. */
    readonly bias: RegressionData["bias"];
    /** Rows `[bias, inputs …]`, and their targets. */
    readonly X: Float64Array;
    readonly d: Float64Array;
  };
  readonly wiener: { readonly weights: readonly number[]; readonly mse: number; readonly condition: number };
  readonly bounds: Readonly<Record<string, { readonly limit: number; readonly regime: string }>>;
  readonly runs: readonly LmsRun[];
}

export interface LmsRun {
  readonly algorithm: LmsOptions["algorithm"];
  readonly parameters: Rule["parameters"];
  readonly epochs: number;
  readonly verdict: RunResult["verdict"];
  readonly updates: number;
  readonly weights: readonly number[];
  /** After the last epoch; null where the run diverged before. */
  readonly mse: number | null;
  /** After each epoch. */
  readonly curve: readonly number[];
  /** The largest difference of a weight from least squares. */
  readonly distance: number;
  /** Of one pass, and what comes of more of them; only of lms. */
  readonly radius?: number;
  readonly continued?: "converges" | "diverges" | "undecided";
  /** Error of every update. */
  readonly errors: Float64Array;
}

export const lms = defineStudy({
  name: "lms",
  help: "fit a line step by step, beside least squares and the bounds of the theory",
  options,
  about: `A constant 1 is put before the inputs of every row, unless a column of the file is
constant: that is the bias then. A run that diverges is a result. Files of MATLAB
are those of save -v6 and -v7; a matrix has its samples in rows.`,
  examples: [
    "lms --sweep 0.005,0.01,0.05,0.5,0.7,1 --out curves.svg",
    "lms --data-file measured.csv --algorithm nlms --mu 0.5 --json",
    "lms --data-file measured.mat --variable X,d --algorithm rls",
  ],
  drawn: "learning curves; for two inputs the data with both models too",
  tensors: null,
  check({ algorithm, mu, sweep, variable }, { dataFile }) {
    if (variable !== undefined && dataFile === undefined) {
      throw new StudyError("usage", "{variable}: expected {dataFile} FILE.mat beside it, got none");
    }
    if (mu !== undefined && sweep !== undefined) {
      throw new StudyError("usage", "{sweep}: expected either {mu} or {sweep}, got both");
    }
    const given = mu === undefined ? "{sweep}" : "{mu}";
    if (algorithm === "rls" && (mu !== undefined || sweep !== undefined)) {
      throw new StudyError("usage", `${given}: expected none, rls has no step size`);
    }
    const tooLarge = [...(sweep ?? []), ...(mu === undefined ? [] : [mu])].find((one) => one >= 2);
    if ((algorithm === "nlms" || algorithm === "affine-projection") && tooLarge !== undefined) {
      throw new StudyError("usage", `${given}: expected numbers in (0, 2) for ${algorithm}, got ${tooLarge}`);
    }
  },
  async *run(chosen, { dataFile }): AsyncGenerator<StudyEvent, LmsRecord> {
    const { warning, ...data } = await loadData(dataFile, chosen);
    if (warning !== undefined) yield { kind: "warning", text: warning };
    const { X, d, names, bias } = data;
    const place = dataFile?.label ?? generated;
    const fit = blame("input", place, () => leastSquares(X, d));
    return {
      data: {
        file: dataFile?.label ?? null,
        rows: X.rows,
        inputs: names.slice(0, -1),
        target: names.at(-1)!,
        bias,
        X: X.data,
        d,
      },
      wiener: { weights: [...fit.weights], mse: fit.mse, condition: fit.condition },
      bounds: {
        ...stabilityBounds(inputMoments(X, d).R),
        cyclic: {
          limit: cyclicBound(X).limit,
          regime: "spectral radius of a pass below 1; passes over exactly these rows, without any assumption",
        },
      },
      runs: blame("input", place, () => learn(chosen, data, fit.weights)),
    };
  },
  tables: lmsTables,
  figures: lmsFigures,
});

const generated = "generated data";

async function loadData(
  dataFile: InputFiles | undefined,
  { seed, variable }: LmsOptions,
): Promise<RegressionData & { readonly warning?: string }> {
  if (dataFile === undefined) return { ...courseData({ seed }), names: ["x1", "x2", "target"], bias: null };
  const { label } = dataFile;
  const bytes = await dataFile.read(dataFile.names[0]!);
  if (looksLikeMat(bytes) || /\.mat$/i.test(label)) {
    const { warning, ...table } = await readMatTable(label, bytes, variable);
    return { ...regressionData(table), ...(warning !== undefined && { warning }) };
  }
  if (variable !== undefined) {
    throw new StudyError("usage", `{variable}: expected a file of MATLAB beside it, got ${label}`);
  }
  return regressionData(readCsvTable(label, bytes));
}

function learn(chosen: LmsOptions, { X, d }: RegressionData, best: Float64Array): LmsRun[] {
  const { algorithm, epochs, lambda, sweep, mu: one = 0.01 } = chosen;
  const mus = sweep ?? [one];
  const recordOf = (rule: Rule, { verdict, updates, weights, mse, errors }: RunResult): LmsRun => ({
    algorithm,
    parameters: rule.parameters,
    epochs,
    verdict,
    updates,
    weights: [...weights],
    mse: mse.length === epochs ? mse.at(-1)! : null,
    curve: [...mse],
    distance: Math.max(...weights.map((weight, i) => Math.abs(weight - best[i]!))),
    errors,
  });
  if (algorithm === "rls") {
    const rule = rls({ lambda });
    return [recordOf(rule, runFilter(rule, X, d, { epochs }))];
  }
  if (algorithm === "lms") {
    return sweepLms(X, d, { mus, epochs, maxEpochs: Math.max(epochs, 10_000) }).map(
      ({ mu, run, verdict }) => ({
        ...recordOf(lmsRule({ mu }), run),
        radius: cyclicRadius(X, mu),
        continued: verdict,
      }),
    );
  }
  return mus.map((mu) => {
    const rule = ruleOf(algorithm, mu, chosen);
    return recordOf(rule, runFilter(rule, X, d, { epochs }));
  });
}

/** What tells one run from the others. */
function labelOf({ algorithm, parameters }: LmsRun): string {
  return algorithm === "rls" ? `λ = ${parameters.lambda}` : `μ = ${parameters.mu}`;
}

function lmsFigures(record: LmsRecord, { document }: { readonly document: Document }): Figure[] {
  const { data, wiener, runs } = record;
  const X = { rows: data.rows, columns: data.inputs.length + 1, data: data.X };
  const curves = runs.map((run) => {
    const label = run.algorithm === "rls" ? `rls, ${labelOf(run)}` : labelOf(run);
    const curve = learningCurveOf(label, { X, d: data.d }, { ...run, mse: run.curve });
    return { ...curve, diverged: curve.diverged || run.continued === "diverges" };
  });
  const shown = curves.filter(({ points }) => points.length > 0);
  if (shown.length === 0) {
    throw new StudyError("input", "expected errors above 0 to draw on a logarithmic axis, got none");
  }
  const floor = wiener.mse > 0 && { floor: { name: "least squares", error: wiener.mse } };
  const figures: Figure[] = [
    {
      name: "curves",
      caption: "The error over all rows after every epoch, and the smallest one that any weights have.",
      svg: learningCurves(shown, { document, ...floor }),
    },
  ];
  if (X.columns !== 3) return figures;
  const plane = (name: string, [bias, a, b]: readonly number[]): FittedPlane => ({
    name,
    bias: bias! * (data.bias?.value ?? 1),
    slopes: [a!, b!],
  });
  // Of a sweep, the run that came closest.
  const ended = runs.filter(({ verdict, continued }) => verdict === "done" && continued !== "diverges");
  const [best] = ended.toSorted((a, b) => a.mse! - b.mse!);
  const points = Array.from(data.d, (target, k) => [X.data[3 * k + 1]!, X.data[3 * k + 2]!, target] as const);
  const label = best && (best.algorithm === "rls" ? `rls, ${labelOf(best)}` : labelOf(best));
  const planes = [
    plane("least squares", wiener.weights),
    ...(best === undefined ? [] : [plane(`${best.algorithm}, ${label}`, best.weights)]),
  ];
  const labels = [data.inputs[0]!, data.inputs[1]!, data.target] as const;
  figures.push({
    name: "planes",
    caption: "The data under the level lines of both models.",
    svg: fittedPlanes(points, planes, { document, labels: [...labels] }),
  });
  return figures;
}

function lmsTables({ data, wiener, bounds, runs }: LmsRecord): Table[] {
  const right = "right" as const;
  const weights = ["bias", ...data.inputs].map((title) => ({ title, align: right }));
  const rows = runs.map((run) => [
    `${run.algorithm} ${labelOf(run)}`,
    ...run.weights.map((weight) => (run.verdict === "done" ? short(weight) : "–")),
    run.verdict === "done" ? short(run.mse!) : "–",
    verdictOf(run),
    run.radius === undefined ? "–" : short(run.radius),
  ]);
  const epochs = runs[0]!.epochs;
  const { bias } = data;
  const constant =
    bias === null ? "a bias" : `the bias ${bias.column}, which is ${short(bias.value)} in all rows`;
  const head = `${data.file ?? generated}: ${data.rows} rows, ${data.inputs.length} inputs and ${constant}, ${epochs} epochs; condition ${short(wiener.condition)}`;
  return [
    lines(head),
    {
      columns: [
        { title: "weights of" },
        ...weights,
        { title: "MSE", align: right },
        { title: "verdict" },
        { title: "radius of a pass", align: right },
      ],
      rows: [["least squares", ...wiener.weights.map(short), short(wiener.mse), "", ""], ...rows],
      notes: [],
    },
    {
      columns: [{ title: "LMS is stable up to", align: right }, { title: "in the sense that" }],
      rows: Object.values(bounds).map(({ limit, regime }) => [short(limit), regime]),
      notes: [],
    },
  ];
}

function verdictOf({ verdict, updates, continued }: LmsRun): string {
  if (verdict === "diverged") return `diverged after ${updates} updates`;
  if (continued === "diverges") return "done, diverges if continued";
  return continued === "undecided" ? "done, undecided if continued" : "done";
}
