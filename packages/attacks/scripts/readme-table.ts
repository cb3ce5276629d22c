import { fillNormal, fillUniform, randomStream } from "@gradlab/random";
import "@tensorflow/tfjs-backend-cpu";
import {
  argMax,
  enableProdMode,
  matMul,
  relu,
  reshape,
  type Tensor,
  type Tensor2D,
  tensor2d,
  tensor4d,
  tidy,
} from "@tensorflow/tfjs-core";
import {
  type Attack,
  apgd,
  apgdTargeted,
  autoAttack,
  bim,
  boundaryAttack,
  type Classifier,
  carliniWagner,
  ddn,
  deepFool,
  elasticNet,
  fab,
  fgsm,
  hopSkipJump,
  jsma,
  miFgsm,
  onePixel,
  pgd,
  pixelOptimization,
  runAttack,
  sparseFool,
  spsa,
  square,
} from "../src/index.js";

enableProdMode();

const normal = (count: number, purpose: string, std: number) =>
  fillNormal(randomStream({ seed: 0, purpose }), new Float32Array(count), 0, std);

/** A network of 64 inputs, 24 hidden units and 5 classes, with weights drawn at random. */
const [first, second] = [normal(64 * 24, "readme first", 0.3), normal(24 * 5, "readme second", 0.4)];
const model: Classifier = {
  bounds: [0, 1],
  classes: 5,
  logits: (x) =>
    tidy(() => {
      const hidden = relu(
        matMul(reshape(x, [-1, 64]) as Tensor2D, tensor2d(first as Float32Array, [64, 24])),
      );
      return matMul(hidden, tensor2d(second as Float32Array, [24, 5]));
    }),
};

const count = 12;
const images = fillUniform(randomStream({ seed: 0, purpose: "readme" }), new Float32Array(count * 64), 0, 1);

/** With ε where the attack needs one. */
const rows: readonly (readonly [attack: Attack, call: string, epsilon: number | null])[] = [
  [fgsm(), "fgsm", 0.03],
  [bim(), "bim", 0.03],
  [pgd({ relativeStep: 0.1 }), "pgd", 0.03],
  [miFgsm(), "miFgsm", 0.03],
  [apgd(), "apgd", 0.03],
  [apgd({ loss: "dlr" }), 'apgd({ loss: "dlr" })', 0.03],
  [apgdTargeted(), "apgdTargeted", 0.03],
  [square({ queries: 300 }), "square({ queries: 300 })", 0.03],
  [spsa({ steps: 5 }), "spsa({ steps: 5 })", 0.03],
  [autoAttack({ budget: 0.2 }), "autoAttack({ budget: 0.2 })", 0.03],
  [fab({ steps: 20 }), "fab({ steps: 20 })", null],
  [deepFool(), "deepFool", null],
  [ddn(), "ddn", null],
  [carliniWagner({ steps: 40, searches: 4, initialConstant: 1 }), "carliniWagner", null],
  [pixelOptimization(), "pixelOptimization", null],
  [elasticNet({ steps: 40, searches: 4, initialConstant: 1 }), "elasticNet", null],
  [sparseFool(), "sparseFool", null],
  [hopSkipJump({ steps: 3 }), "hopSkipJump({ steps: 3 })", null],
  [boundaryAttack({ steps: 300 }), "boundaryAttack({ steps: 300 })", null],
  [jsma(), "jsma", null],
  [onePixel({ pixels: 4, population: 40, generations: 20 }), "onePixel({ pixels: 4 })", null],
];

const header = [
  "attack",
  "norm",
  "needs",
  "aims",
  "found of 12",
  "median distance",
  "queries, gradients each",
];

async function computed(): Promise<string[][]> {
  const x: Tensor = tensor4d(images as Float32Array, [count, 8, 8, 1]);
  const labels = Array.from(await argMax(model.logits(x, []), 1).data());
  const table: string[][] = [header];
  for (const [attack, call, epsilon] of rows) {
    const { summary } = await runAttack(model, attack, x, labels, {
      preflight: false,
      ...(epsilon !== null && { epsilon }),
      ...(attack.targeting === "targeted" && { targets: labels.map((label) => (label + 1) % 5) }),
    });
    const { medianDistance } = summary;
    table.push([
      `\`${call}\``,
      attack.norm,
      attack.needs,
      attack.targeting === "both"
        ? "at targets or not"
        : attack.targeting === "targeted"
          ? "at targets"
          : "not at targets",
      `${Math.round(summary.successOfAll * count)}`,
      medianDistance === null ? "–" : Number(medianDistance.toPrecision(3)).toString(),
      `${Math.round(summary.queries / count)}, ${Math.round(summary.gradients / count)}`,
    ]);
  }
  return table;
}

const table = await computed();

/** What every attack finds on a small network. */
export const readmeTable = (): string[][] => table;
