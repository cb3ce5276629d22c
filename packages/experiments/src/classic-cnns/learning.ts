import { learningCurves, linePanels } from "@gradlab/figures";
import { check, describeBackend, type StudyEvent } from "@gradlab/studies";
import { defineExperiment } from "../experiment.js";
import { wilsonInterval } from "./wilson-interval.js";

const budget = { batchSize: 32, every: 40, rounds: 5, train: 2000, test: 500 };
const steps = budget.every * budget.rounds;
const draws = 3;

/**
 * Of each network: its parameters, and its multiply-accumulates for one image, both added up layer by layer by hand;
 * and the mean accuracy over seeds 0 to 5 here, with four standard deviations of a mean of three draws.
 */
const known = [
  { parameters: 82_826, macs: 579_240, accuracy: [0.26, 0.35] },
  { parameters: 82_826, macs: 579_240, accuracy: [0.95, 0.06] },
  { parameters: 122_818, macs: 643_712, accuracy: [0.45, 0.3] },
  { parameters: 21_094, macs: 162_208, accuracy: [0.71, 0.15] },
] as const;

const [sigmoid, relu, vgg, resnet] = [0, 1, 2, 3] as const;

/** Four networks on the same images, for as many steps. */
export const learning = defineExperiment({
  id: "classic-cnns/learning",
  title: "Four networks learn side by side",
  about:
    "LeNet as it was, with sigmoids and average pools, and with ReLUs and maximum pools; VGG-11 and ResNet-18, a few " +
    `channels wide. The same ${budget.train} generated shapes of 32 × 32 pixels, the same ${budget.test} others to be judged by, ` +
    `and the same budget: ${steps} steps of Adam on batches of ${budget.batchSize}. The rates are 0.005 for sigmoids, ` +
    "0.002 for LeNet with ReLUs and VGG-11, 0.004 for ResNet-18; weights are drawn as Xavier says for sigmoids and LeNet, as He says " +
    "for the deep ones. Equal steps are not equal work: the multiply-accumulates of an image are given, and the second figure " +
    `counts them. Everything is drawn ${draws} times: bands reach from the worst to the best draw. Before any step, the gradient of the ` +
    "first kernel says why sigmoids are late: each of them passes on at most a quarter of the error. On the cpu backend and an " +
    "emulated GPU, this alone.",
  usesBackend: true,
  async *run({ seed }, _inputs, { signal, openBackend }): AsyncGenerator<StudyEvent, Learning> {
    const backend = await openBackend();
    const { costOf, firstGradients, openEntrants, openShapes } = await import("./learn-side-by-side.js");
    const { trainClassifier } = await import("./train-classifiers.js");
    const isSlow = backend.name === "cpu" || backend.software === true;
    const entrants = openEntrants();
    const shapes = openShapes(seed, isSlow ? { train: 8, test: 0 } : budget);
    const seeds = Array.from({ length: draws }, (_, i) => draws * seed + i);
    const networks: LearningNetwork[] = [];
    for (const [index, entrant] of entrants.entries()) {
      const { name, graph, scheme, rate } = entrant;
      const gradients: number[][] = [];
      const runs: LearningRun[] = [];
      for (const [i, one] of seeds.entries()) {
        signal.throwIfAborted();
        // Of the two that differ in their activations alone.
        if (index === sigmoid || index === relu) {
          gradients.push(await firstGradients(entrant, shapes.train, { seed: one, count: 8 }));
        }
        if (!isSlow) {
          const plan = { ...budget, rate, scheme, seed: one, signal };
          const { losses, accuracies, accuracy } = await trainClassifier(graph, shapes, plan);
          runs.push({ losses, accuracies, accuracy });
        }
        const done = index * draws + i + 1;
        yield { kind: "progress", done, total: entrants.length * draws, text: name };
      }
      networks.push({ name, ...costOf(entrant), gradients, runs });
    }
    return { on: describeBackend(backend), isSlow, networks };
  },
  checks({ isSlow, networks }) {
    const macs = networks.map((one) => one.macs);
    const late = networks[sigmoid]!.gradients.filter(
      (gradients, i) => gradients[0]! < networks[relu]!.gradients[i]![0]! / 20,
    );
    const always = [
      check("parameters", known.map(({ parameters }) => parameters), networks.map(({ parameters }) => parameters)),
      check("multiply-accumulates of an image", known.map((one) => one.macs), macs),
      check("draws in which the first kernel's gradient is less than a 20th with sigmoids of what it is with ReLUs", draws, late.length),
    ]; // biome-ignore format: a table
    if (isSlow) return always;
    const wins = (better: number, worse: number) =>
      networks[better]!.runs.filter(({ accuracy }, i) => accuracy > networks[worse]!.runs[i]!.accuracy)
        .length;
    const accuracies = networks.map(({ runs }) => meanOf(runs.map(({ accuracy }) => accuracy)));
    return [
      ...always,
      ...networks.map(({ name, runs }, i) => {
        const { accuracy: [mean, allowed] } = known[i]!;
        return check(`${name}: mean accuracy after ${steps} steps`, mean, meanOf(runs.map(({ accuracy }) => accuracy)), allowed);
      }),
      check("draws in which ReLUs have more than half right before sigmoids have", draws, networks[relu]!.runs.filter((run, i) => firstHalf(run) < firstHalf(networks[sigmoid]!.runs[i]!)).length),
      check("draws in which LeNet with ReLUs ends ahead of: sigmoids, VGG-11, ResNet-18", [draws, draws, draws], [sigmoid, vgg, resnet].map((other) => wins(relu, other))),
      // The lead of single draws varies by 0.11.
      check("by how much ResNet-18, with a quarter of the work, ends ahead of VGG-11, mean", 0.26, accuracies[resnet]! - accuracies[vgg]!, 0.25),
    ]; // biome-ignore format: a table
  },
  figures({ on, isSlow, networks }, { document }) {
    const gradients = {
      svg: learningCurves(
        [sigmoid, relu].map((index) => {
          const { gradients } = networks[index]!;
          return {
            name: index === sigmoid ? "sigmoid" : "ReLU",
            points: gradients[0]!.map(
              (_, layer) => [layer + 1, meanOf(gradients.map((one) => one[layer]!))] as const,
            ),
          };
        }),
        { document, timeLabel: "layer with weights", errorLabel: "size of the gradient" },
      ),
      caption: `Before any step: the root mean square of the gradients of the kernels of the two LeNets, first to last layer, mean of ${draws} draws.`,
    };
    if (isSlow) return [gradients];
    const scale = budget.every * budget.batchSize;
    return [
      {
        svg: linePanels(
          [
            {
              title: "loss on training images",
              series: networks.map((one) => curve(one, "losses", budget.every)),
            },
            {
              title: "accuracy on others",
              series: networks.map((one) => curve(one, "accuracies", budget.every)),
              domain: [0, 1],
            },
          ],
          { document, xLabel: "step" },
        ),
        caption: `By steps, means and bands of ${draws} draws, on ${on}. At the end of each draw are right, in per cent (with 95 % between): ${networks.map(ending).join("; ")}.`,
      },
      {
        svg: linePanels(
          [
            {
              title: "accuracy on others, by work",
              // Backward costs twice what forward does.
              series: networks.map((one) => curve(one, "accuracies", (3 * scale * one.macs) / 1e9)),
              domain: [0, 1],
            },
          ],
          { document, xLabel: "multiply-accumulates, 10⁹" },
        ),
        caption: `The same by multiply-accumulates, three for each of the way forward: ${networks.map(({ name, macs }) => `${name} ${((3 * macs * budget.batchSize) / 1e6).toFixed(0)} million a step`).join("; ")}. For as much work, this ResNet is where LeNet is: it only has fewer multiplications a step.`,
      },
      gradients,
    ];
  },
});

interface LearningRun {
  readonly losses: readonly (readonly [round: number, loss: number])[];
  readonly accuracies: readonly (readonly [round: number, accuracy: number])[];
  /** At the end. */
  readonly accuracy: number;
}

interface LearningNetwork {
  readonly name: string;
  readonly parameters: number;
  /** Multiply-accumulates for one image, forward. */
  readonly macs: number;
  /** Of the LeNets, by draw and layer: the sizes of the gradients of the kernels before any step. */
  readonly gradients: readonly (readonly number[])[];
  /** By draw; none where they would take too long. */
  readonly runs: readonly LearningRun[];
}

interface Learning {
  readonly on: string;
  readonly isSlow: boolean;
  readonly networks: readonly LearningNetwork[];
}

const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The round after which more than half is right. */
function firstHalf({ accuracies }: LearningRun): number {
  return accuracies.find(([, accuracy]) => accuracy > 0.5)?.[0] ?? Number.POSITIVE_INFINITY;
}

/** The mean over the draws, and the band that they leave none out of. */
function curve({ name, runs }: LearningNetwork, of: "losses" | "accuracies", perRound: number) {
  const rounds = runs[0]![of].map(([round], i) => {
    return { x: round * perRound, values: runs.map((run) => run[of][i]![1]) };
  });
  return {
    name,
    points: rounds.map(({ x, values }) => [x, meanOf(values)] as const),
    band: rounds.map(({ x, values }) => [x, Math.min(...values), Math.max(...values)] as const),
  };
}

/** The accuracies at the end, each with its interval of 95 %. */
function ending({ name, runs }: LearningNetwork): string {
  const whole = (share: number) => `${Math.round(100 * share)}`;
  const shares = runs.map(({ accuracy }) => {
    const [low, high] = wilsonInterval(Math.round(accuracy * budget.test), budget.test);
    return `${whole(accuracy)} (${whole(low)} to ${whole(high)})`;
  });
  return `${name}, ${shares.join(", ")}`;
}
