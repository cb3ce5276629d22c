import { confusionMatrix, imageSource, imageTable, linePanels } from "@gradlab/figures";
import { check, describeBackend, type StudyEvent } from "@gradlab/studies";
import { classifiedImages } from "../classified-images.js";
import { defineExperiment } from "../experiment.js";
import { tiledMaps } from "./tiled-maps.js";
import type { TrainedClassifier } from "./train-classifiers.js";

/** The losses of PyTorch 1.13 before each of the first updates, weights and images in closed form, by the size of a batch. */
const pytorch = {
  50: [
    2.33214927, 2.30889297, 2.23637176, 2.21617413, 2.19475126, 2.18550537, 2.08189750,
    2.06452608, 2.00218654, 1.93561053, 1.86339855, 1.75815439, 1.72735381, 1.62527573,
  ],
  8: [
    2.25758767, 2.30719185, 2.39025211, 2.34948254, 2.36809707, 2.28220272, 2.24846244,
    2.31155705, 2.26391387, 2.21908212, 2.22961330, 2.15901446, 2.20812368, 2.21520066,
  ],
} as const; // biome-ignore format: seven in a row

/** How many images are generated where there are no real ones. */
const generated = 2000;

/**
 * What is known of the accuracy after training, mean and standard deviation over seeds: of real images by 15 seeds in
 * PyTorch, of generated ones by seeds 0 to 4 here. One seed is within four standard deviations.
 */
const expected = {
  real: { epochs: 40, lenet: [0.845, 0.016], linear: [0.821, 0.01] },
  generated: { epochs: 5, lenet: [0.938, 0.011], linear: [0.514, 0.018] },
} as const;

/** A convolutional network learns, step by step as PyTorch's does, and better than a linear one. */
export const lenetTraining = defineExperiment({
  id: "classic-cnns/lenet-training",
  title: "LeNet learns what a linear model cannot",
  about:
    "lenet-relu, trained with Adam (rate 0.002) on batches of 50. First its losses over 14 steps from weights and on " +
    "images that are a formula, against PyTorch 1.13. Then from Xavier's weights on clothes, 700 images of Fashion-MNIST " +
    "(Xiao, Rasul, Vollgraf, 2017) from the data folder, for 40 epochs, or else on 2000 generated shapes for 5; beside it a " +
    "linear model with the same optimizer, batches and epochs. Accuracies are those on images that it has not been " +
    "trained on, 200 clothes or 500 shapes; they depend on chance, as far as the tolerances say: four standard " +
    "deviations between seeds. On the cpu backend and on an emulated GPU, which take seconds for a step, the losses alone, " +
    "of batches of 8.",
  usesBackend: true,
  async *run({ seed }, inputs, { signal, openBackend }): AsyncGenerator<StudyEvent, LenetTraining> {
    const backend = await openBackend();
    const { firstLosses, openClassifiers, trainClassifier } = await import("./train-classifiers.js");
    // There a step of 50 images takes seconds, and the comparison half an hour.
    const size = backend.name === "cpu" || backend.software === true ? 8 : 50;
    const losses = await firstLosses(pytorch[size].length, size, signal);
    const about = { backend: backend.name, on: describeBackend(backend), size, losses } as const;
    if (size === 8) return { ...about, comparison: null };
    const data = yield* classifiedImages(generated, inputs, seed);
    const { epochs } = expected[data.isGenerated ? "generated" : "real"];
    const { lenet, linear } = openClassifiers(data.train);
    const plan = { rounds: epochs, seed, signal };
    const convolutional = await trainClassifier(lenet, data, { ...plan, lookInto: ["relu1", "relu2"] });
    const { seen, ...trained } = convolutional;
    return {
      ...about,
      comparison: {
        isGenerated: data.isGenerated,
        count: data.test.count,
        labels: data.labels,
        lenet: trained,
        linear: await trainClassifier(linear, data, plan),
        seen: seen!,
      },
    };
  },
  checks({ size, losses, comparison }) {
    const name = `loss of lenet-relu before each of 14 updates, batches of ${size}`;
    // Single precision, through 14 updates.
    const agrees = check(name, pytorch[size], losses, 1e-4);
    if (comparison === null) return [agrees];
    const { isGenerated, count, lenet, linear } = comparison;
    const { epochs, ...band } = expected[isGenerated ? "generated" : "real"];
    const allowed = (...deviations: number[]) => Number((4 * Math.hypot(...deviations)).toPrecision(2));
    const lead = band.lenet[0] - band.linear[0];
    const of = `of ${count} ${isGenerated ? "shapes" : "clothes"}, after ${epochs} epochs`;
    return [
      agrees,
      check(`accuracy of lenet-relu, ${of}`, band.lenet[0], lenet.accuracy, allowed(band.lenet[1])),
      check(`accuracy of the linear model, ${of}`, band.linear[0], linear.accuracy, allowed(band.linear[1])),
      check(
        "by how much lenet-relu is ahead",
        Number(lead.toFixed(3)),
        lenet.accuracy - linear.accuracy,
        allowed(band.lenet[1], band.linear[1]),
      ),
    ];
  },
  figures: ({ backend, on, size, losses, comparison }, { document }) => {
    if (comparison === null) {
      const points = (values: readonly number[]) => values.map((loss, step) => [step + 1, loss] as const);
      const series = [
        { name: "PyTorch", points: points(pytorch[size]) },
        { name: backend, points: points(losses) },
      ];
      return [
        {
          svg: linePanels([{ title: "loss before each update", series }], { document, xLabel: "update" }),
          caption: `On ${on}, line upon line. It is too slow for the comparison with a linear model, which other backends make here.`,
        },
      ];
    }
    const { count, labels, lenet, linear, seen } = comparison;
    return [
      {
        svg: linePanels(
          [
            {
              title: "loss on training images",
              series: [
                { name: "lenet-relu", points: lenet.losses },
                { name: "linear", points: linear.losses },
              ],
            },
            {
              title: "accuracy on others",
              series: [
                { name: "lenet-relu", points: lenet.accuracies },
                { name: "linear", points: linear.accuracies },
              ],
              domain: [0, 1],
            },
          ],
          { document },
        ),
        caption: `The mean loss of every epoch, and the share of ${count} other images that is recognised, on ${on}. The network fits the training images better and better; what it knows of others comes to an end earlier.`,
      },
      {
        svg: confusionMatrix({ labels, counts: lenet.confusion }, { document }),
        caption: "What lenet-relu takes for what, after the training.",
      },
      {
        svg: imageTable(
          seen.columns.map((label) => (label === null ? "noise" : labels[label]!)),
          seen.rows.map(({ label, maps }) => ({
            label,
            images: maps.map((map) => imageSource(tiledMaps(map))),
          })),
          { document, width: 640 },
        ),
        caption:
          "Two images of different classes and pure noise, as they are and behind the two convolutions with their ReLUs: 6 channels of 28 × 28, 16 of 10 × 10. Black is 0, white the strongest of a layer.",
      },
    ];
  },
});

/** What was trained, and what came of it. */
interface LenetTraining {
  readonly backend: string;
  readonly on: string;
  /** Of a batch. */
  readonly size: 8 | 50;
  readonly losses: readonly number[];
  /** Null where it would take too long. */
  readonly comparison: {
    readonly isGenerated: boolean;
    readonly count: number;
    readonly labels: readonly string[];
    readonly lenet: Omit<TrainedClassifier, "seen">;
    readonly linear: TrainedClassifier;
    readonly seen: NonNullable<TrainedClassifier["seen"]>;
  } | null;
}
