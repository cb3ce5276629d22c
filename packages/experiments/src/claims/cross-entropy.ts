import { linePanels } from "@gradlab/figures";
import { fillNormal, integer, randomStream } from "@gradlab/random";
import { check } from "@gradlab/studies";
import { defineExperiment } from "../experiment.js";
import { softmaxLoss } from "./softmax-loss.js";

const classes = 1000;
const features = 16;
const targets = 20;
const steps = 30;
const rate = 0.5;

/** What becomes of a loss that takes probabilities for logits. */
export const crossEntropyClaims = defineExperiment({
  id: "claims/cross-entropy",
  title: "Cross-entropy on softmaxed outputs",
  about:
    "“A softmax in front of a cross-entropy that has its own makes the loss zero, or breaks nothing.” Neither. The loss of 1,000 classes is " +
    "then ln Σ exp p − p[label] with probabilities p: it lies between ln(999 + e) − 1, where the label has all of p, and " +
    "ln(999 + e), where another class has. Its gradient by the logits is the softmax's own, times something of size " +
    `1: small wherever the softmax is sure. The input of a linear classifier of random weights is moved, ${steps} plain steps of one size, ` +
    `towards each of ${targets} target classes: with the loss on logits, and with the loss on softmaxed outputs.`,
  async *run({ seed }) {
    const random = randomStream({ seed, purpose: "claims/cross-entropy" });
    const weights = fillNormal(random, new Float64Array(classes * features));
    const logitsOf = (x: Float64Array) =>
      Float64Array.from({ length: classes }, (_, c) => {
        let sum = 0;
        for (let i = 0; i < features; i++) sum += weights[c * features + i]! * x[i]!;
        return sum;
      });
    const sure = (label: number) => Float64Array.from({ length: classes }, (_, c) => (c === label ? 1e3 : 0));
    let [lowest, highest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    const runs = ([1, 2] as const).map((softmaxes) => ({
      softmaxes,
      hits: Array<number>(steps + 1).fill(0),
      norms: Array<number>(steps + 1).fill(0),
    }));
    for (let index = 0; index < targets; index++) {
      const start = fillNormal(random, new Float64Array(features));
      const label = integer(random, 0, classes);
      for (const { softmaxes, hits, norms } of runs) {
        const x = start.slice();
        for (let step = 0; step <= steps; step++) {
          const z = logitsOf(x);
          const { loss, gradient } = softmaxLoss(z, label, softmaxes);
          if (softmaxes === 2) [lowest, highest] = [Math.min(lowest, loss), Math.max(highest, loss)];
          if (z.every((value, c) => c === label || value < z[label]!)) hits[step]! += 1;
          norms[step]! += Math.hypot(...gradient) / targets;
          for (let i = 0; i < features; i++) {
            let slope = 0;
            for (let c = 0; c < classes; c++) slope += gradient[c]! * weights[c * features + i]!;
            x[i]! -= rate * slope;
          }
        }
      }
    }
    return {
      ends: [softmaxLoss(sure(3), 3, 2).loss, softmaxLoss(sure(4), 3, 2).loss],
      range: [lowest, highest],
      even: softmaxLoss(new Float64Array(classes), 0, 2).loss,
      runs,
    };
  },
  checks: ({ ends, range, even, runs: [logits, softmaxed] }) => {
    const [low, high] = [Math.log(999 + Math.E) - 1, Math.log(999 + Math.E)];
    return [
      check("the label has all, another class has all: loss", [5.9095, 6.9095], ends, 0.00005),
      check("the same as ln(999 + e) − 1 and ln(999 + e)", [low, high], ends, 1e-12),
      check("all classes alike: ln 1000, as on logits", Math.log(classes), even, 1e-12),
      check(
        "losses below and above these ends while the input moves",
        [0, 0],
        [+(range[0]! < low - 1e-12), +(range[1]! > high + 1e-12)],
      ),
      check(
        "gradient by the logits at the start: less than a fifth of the one on logits",
        1,
        +(softmaxed!.norms[0]! < 0.2 * logits!.norms[0]!),
      ),
      check(
        "fewer targets hit on softmaxed outputs than on logits",
        1,
        +(softmaxed!.hits[steps]! < logits!.hits[steps]!),
      ),
      check("targets hit on logits: nine of ten or more", 1, +(logits!.hits[steps]! >= 0.9 * targets)),
    ];
  },
  figures: ({ runs }, { document }) => {
    const named = (values: "hits" | "norms") =>
      runs.map((run) => ({
        name: run.softmaxes === 1 ? "loss on logits" : "loss on softmaxed outputs",
        points: run[values].map((value, step) => [step, value] as const),
      }));
    return [
      {
        svg: linePanels(
          [
            { title: `Targets hit, of ${targets}`, series: named("hits"), domain: [0, targets] },
            { title: "Size of the gradient by the logits", series: named("norms") },
          ],
          { document, xLabel: "step" },
        ),
        caption: `After ${steps} steps ${runs[0]!.hits[steps]} targets are hit with the loss on logits, ${runs[1]!.hits[steps]} with the loss on softmaxed outputs.`,
      },
    ];
  },
});
