import type { Tensor } from "@tensorflow/tfjs-core";
import type { Attack } from "../attack.js";
import { type Classifier, expectTarget } from "../classifier.js";
import { gradientAt, logitsAt } from "../driver/query.js";
import { type Labels, readLabels } from "../driver/read-arguments.js";
import { runAttack } from "../driver/run-attack.js";
import type { RunOptions } from "../driver/run-options.js";
import { expectAtLeast0 } from "../expect-values.js";
import { crossEntropy, margin } from "../losses/loss.js";
import { crossEntropyOf } from "../losses/of-logits.js";
import { fgsm } from "../methods/fgsm.js";
import { pgd } from "../methods/pgd.js";
import { square } from "../methods/square.js";
import { moved } from "../norms/moved.js";
import type { NormName } from "../norms/norm.js";
import { norms } from "../norms/norms.js";
import type { Preflight, PreflightWarning } from "../preflight.js";

export interface DiagnoseOptions extends Pick<RunOptions, "seed" | "ids" | "batchSize" | "signal"> {
  /** `"linf"` unless given. */
  readonly norm?: Exclude<NormName, "l0">;
  readonly epsilon: number;
  /** Steps of the iterated attack; 20 unless given. */
  readonly steps?: number;
  /** Queries of the attack without gradients; 200 unless given. */
  readonly queries?: number;
}

/** A sign that gradients do not show how robust a classifier is. */
export interface Finding {
  readonly kind:
    | PreflightWarning["kind"]
    | "one-step-beats-iterations"
    | "black-box-beats-gradients"
    | "noise-beats-gradients"
    | "unbounded-fails"
    | "gradient-disagrees"
    | "loss-does-not-rise";
  /** What was seen. */
  readonly evidence: string;
  /** What to do. */
  readonly advice: string;
}

export interface Diagnosis {
  readonly findings: readonly Finding[];
  /** Samples that were right, and how many of them each way of attacking has broken. */
  readonly evidence: {
    readonly correct: number;
    readonly oneStep: number;
    readonly iterated: number;
    readonly blackBox: number;
    readonly noise: number;
    /** With ε as large as the bounds. */
    readonly unbounded: number;
    /** Of samples with a gradient: those whose loss changes along it as the gradient says, to a factor of 2. */
    readonly gradientAgrees: number | null;
    /** Of samples: those whose loss is higher after the iterated attack. */
    readonly lossRises: number;
  };
  readonly preflight: Preflight;
}

/**
 * Looks for signs of masked gradients: when one of them is found, a robust accuracy by gradients is not to be believed.
 *
 * @param x Images `[n, ...]`: some dozens are enough. Borrowed.
 * @see Carlini et al. 2019, §3 to 5, https://arxiv.org/abs/1902.06705
 */
export async function diagnose(
  classifier: Classifier,
  x: Tensor,
  labels: Labels,
  options: DiagnoseOptions,
): Promise<Diagnosis> {
  const caller = "diagnose";
  const { norm = "linf", epsilon, steps = 20, queries = 200, ...rest } = options;
  expectTarget(caller, classifier);
  expectAtLeast0(`${caller}: epsilon`, epsilon);
  const classes = await readLabels(`${caller}: labels`, labels, x.shape[0]!, classifier.classes);
  let preflight: Preflight | undefined;
  const broken = async (attack: Attack, radius = epsilon) => {
    const result = await runAttack(classifier, attack, x, classes, {
      ...rest,
      epsilon: radius,
      preflight: preflight ?? true,
    });
    result.adversarial.dispose();
    preflight ??= result.preflight!;
    return result.samples.map((sample) => ({
      isRight: sample.cleanPrediction === sample.label,
      isBroken: sample.success && sample.cleanPrediction === sample.label,
    }));
  };
  const [lowest, highest] = classifier.bounds;
  const reach = norms[norm].size(new Float64Array(x.size / x.shape[0]!).fill(highest - lowest));
  const slopes: Slope[] = [];
  const oneStep = await broken(fgsm({ norm }));
  const iterated = await broken(pgd({ norm, steps, relativeStep: 0.1, randomStart: false }));
  const blackBox = await broken(square({ norm, queries }));
  const noise = await broken(randomSearch(norm, steps));
  const unbounded = await broken(pgd({ norm, steps, relativeStep: 0.1 }), reach);
  await broken(slopeProbe(norm, highest - lowest, epsilon, steps, slopes));
  const count = (all: typeof oneStep) => all.filter(({ isBroken }) => isBroken).length;
  const correct = oneStep.filter(({ isRight }) => isRight).length;
  const only = (a: typeof oneStep, b: typeof oneStep) =>
    a.filter(({ isBroken }, i) => isBroken && !b[i]!.isBroken).length;
  const steep = slopes.filter(({ expected }) => expected > 0);
  const agreeing = steep.filter(({ expected, seen }) => seen > expected / 2 && seen < 2 * expected).length;
  const gradientAgrees = steep.length === 0 ? null : agreeing / steep.length;
  const lossRises =
    slopes.length === 0 ? 1 : slopes.filter(({ before, after }) => after > before).length / slopes.length;
  const findings: Finding[] = preflight!.warnings
    .filter(({ kind }) => kind !== "few-classes")
    .map(({ kind, message }) => {
      const [evidence, ...advice] = message.split(": ");
      return { kind, evidence: evidence!, advice: advice.join(": ") };
    });
  const find = (kind: Finding["kind"], evidence: string, advice: string) =>
    findings.push({ kind, evidence, advice });
  // One sample more may be luck.
  const many = Math.max(1, Math.floor(correct / 50));
  const stepLead = only(oneStep, iterated);
  if (stepLead > many) {
    find(
      "one-step-beats-iterations",
      `one step breaks ${stepLead} images that ${steps} steps do not`,
      "the surface of the loss is rough or its gradients are noise: more steps, smaller steps, restarts; then attacks without gradients",
    );
  }
  const boxLead = only(blackBox, iterated);
  if (boxLead > many) {
    find(
      "black-box-beats-gradients",
      `${queries} queries without gradients break ${boxLead} images that gradients do not`,
      "gradients are masked: attack with square or hopSkipJump, put withBackwardPass around the part without a gradient, or average over its random numbers with withTransformation",
    );
  }
  if (count(noise) > count(iterated) + many) {
    find(
      "noise-beats-gradients",
      `random images within ε break ${count(noise)}, gradients ${count(iterated)}`,
      "the gradient points nowhere: look at what the model does to its input before the first layer",
    );
  }
  if (correct > 0 && count(unbounded) < 0.9 * correct) {
    find(
      "unbounded-fails",
      `with ε as large as the bounds, ${correct - count(unbounded)} of ${correct} images still stand`,
      "no classifier can stand that: the attack is held up by gradients that are zero, saturated or wrong",
    );
  }
  if (gradientAgrees !== null && gradientAgrees < 0.5) {
    find(
      "gradient-disagrees",
      `along the gradient the loss changes as it says for ${Math.round(100 * gradientAgrees)} % of the images`,
      "the gradient that is computed is not that of the function: look for custom gradients, rounding, and randomness",
    );
  }
  if (lossRises < 0.5) {
    find(
      "loss-does-not-rise",
      `the loss is higher after ${steps} steps for ${Math.round(100 * lossRises)} % of the images`,
      "steps are too long, or the loss is saturated: try the losses dlr and margin, and smaller steps",
    );
  }
  return {
    findings,
    evidence: {
      correct,
      oneStep: count(oneStep),
      iterated: count(iterated),
      blackBox: count(blackBox),
      noise: count(noise),
      unbounded: count(unbounded),
      gradientAgrees,
      lossRises,
    },
    preflight: preflight!,
  };
}

/** Random images at the end of the ball. */
function randomSearch(name: Exclude<NormName, "l0">, tries: number): Attack {
  const norm = norms[name];
  return {
    name: "random search",
    norm: name,
    goal: "within",
    needs: "scores",
    targeting: "both",
    *run(sample) {
      const draws = sample.draws("random search");
      for (let k = 0; k < tries; k++) {
        const direction = norm.steepest(norms.l2.randomInBall(draws, sample.x.length, 1));
        yield* logitsAt(norm.project(moved(sample.x, sample.epsilon, direction), sample, sample.epsilon));
      }
    },
  };
}

interface Slope {
  /** Of the loss, along its gradient. */
  readonly expected: number;
  readonly seen: number;
  /** The margin before and after the iterated attack. */
  readonly before: number;
  readonly after: number;
}

/** Compares the gradient with differences of the loss, and the loss before an attack with that after it. */
function slopeProbe(
  name: Exclude<NormName, "l0">,
  range: number,
  epsilon: number,
  steps: number,
  slopes: Slope[],
): Attack {
  const norm = norms[name];
  return {
    name: "slope probe",
    norm: name,
    goal: "nearest",
    needs: "gradients",
    targeting: "untargeted",
    *run(sample) {
      const { x, label } = sample;
      const start = yield* gradientAt(x, crossEntropy);
      // Long enough for single precision, short against the bends of a network.
      const size = norms.l2.size(start.gradient);
      const h = range * 2e-3;
      const direction = norms.l2.steepest(start.gradient);
      const point = (step: number) => Float32Array.from(moved(x, step, direction));
      const [ahead, behind] = yield [{ x: point(h) }, { x: point(-h) }];
      const seen = crossEntropyOf(ahead!.logits, label) - crossEntropyOf(behind!.logits, label);
      const first = (yield* gradientAt(x, margin)).loss;
      let climbed = x;
      for (let k = 0; k < steps; k++) {
        const { gradient } = yield* gradientAt(climbed, crossEntropy);
        climbed = norm.project(moved(climbed, epsilon / 10, norm.steepest(gradient)), sample, epsilon);
      }
      const last = (yield* gradientAt(climbed, margin)).loss;
      // Where the cross-entropy is flat in single precision, differences say nothing.
      const expected = 2 * h * size;
      slopes.push({ expected: expected > 1e-4 ? expected : 0, seen, before: first, after: last });
    },
  };
}
