import { confusionMatrix, imageTable, linePanels } from "@gradlab/figures";
import { check, describeBackend } from "@gradlab/studies";
import type { Experiment, Laboratory, Outcome } from "../experiment.js";
import { tiledMaps } from "./tiled-maps.js";

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
export const lenetTraining: Experiment = {
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
  async run(laboratory) {
    const { backend } = laboratory;
    // There a step of 50 images takes seconds, and the comparison half an hour.
    const isSlow = backend?.name === "cpu" || backend?.software === true;
    return isSlow ? lossesAlone(laboratory) : compare(laboratory);
  },
};

/** The losses of the first updates, and whether they are PyTorch's. */
async function likePytorch(size: 8 | 50, signal: AbortSignal) {
  const { firstLosses } = await import("./train-classifiers.js");
  const known = pytorch[size];
  const losses = await firstLosses(known.length, size, signal);
  const name = `loss of lenet-relu before each of 14 updates, batches of ${size}`;
  // Single precision, through 14 updates.
  return { known, losses, agrees: check(name, known, losses, 1e-4) };
}

async function lossesAlone({ document, backend, signal }: Laboratory): Promise<Outcome> {
  const { known, losses, agrees } = await likePytorch(8, signal);
  const points = (values: readonly number[]) => values.map((loss, step) => [step + 1, loss] as const);
  const series = [
    { name: "PyTorch", points: points(known) },
    { name: backend!.name, points: points(losses) },
  ];
  return {
    checks: [agrees],
    figures: [
      {
        svg: linePanels([{ title: "loss before each update", series }], { document, xLabel: "update" }),
        caption: `On ${describeBackend(backend!)}, line upon line. It is too slow for the comparison with a linear model, which other backends make here.`,
      },
    ],
  };
}

async function compare(laboratory: Laboratory): Promise<Outcome> {
  const { document, seed, backend, signal, classifiedImages, embed } = laboratory;
  const { openClassifiers, trainClassifier } = await import("./train-classifiers.js");
  const { agrees } = await likePytorch(50, signal);
  const data = await classifiedImages(generated);
  const { epochs, ...band } = expected[data.isGenerated ? "generated" : "real"];
  const { lenet, linear } = openClassifiers(data.train);
  const plan = { epochs, seed, signal };
  const convolutional = await trainClassifier(lenet, data, { ...plan, lookInto: ["relu1", "relu2"] });
  const flat = await trainClassifier(linear, data, plan);
  const allowed = (...deviations: number[]) => Number((4 * Math.hypot(...deviations)).toPrecision(2));
  const lead = band.lenet[0] - band.linear[0];
  const of = `of ${data.test.count} ${data.isGenerated ? "shapes" : "clothes"}, after ${epochs} epochs`;
  const { columns, rows } = convolutional.seen!;
  return {
    checks: [
      agrees,
      check(`accuracy of lenet-relu, ${of}`, band.lenet[0], convolutional.accuracy, allowed(band.lenet[1])),
      check(`accuracy of the linear model, ${of}`, band.linear[0], flat.accuracy, allowed(band.linear[1])),
      check(
        "by how much lenet-relu is ahead",
        Number(lead.toFixed(3)),
        convolutional.accuracy - flat.accuracy,
        allowed(band.lenet[1], band.linear[1]),
      ),
    ],
    figures: [
      {
        svg: linePanels(
          [
            {
              title: "loss on training images",
              series: [
                { name: "lenet-relu", points: convolutional.losses },
                { name: "linear", points: flat.losses },
              ],
            },
            {
              title: "accuracy on others",
              series: [
                { name: "lenet-relu", points: convolutional.accuracies },
                { name: "linear", points: flat.accuracies },
              ],
              domain: [0, 1],
            },
          ],
          { document },
        ),
        caption: `The mean loss of every epoch, and the share of ${data.test.count} other images that is recognised, on ${backend === null ? "tfjs" : describeBackend(backend)}. The network fits the training images better and better; what it knows of others comes to an end earlier.`,
      },
      {
        svg: confusionMatrix({ labels: data.labels, counts: convolutional.confusion }, { document }),
        caption: "What lenet-relu takes for what, after the training.",
      },
      {
        svg: imageTable(
          columns.map((label) => (label === null ? "noise" : data.labels[label]!)),
          await Promise.all(
            rows.map(async ({ label, maps }) => ({
              label,
              images: await Promise.all(maps.map(async (map) => embed(tiledMaps(map)))),
            })),
          ),
          { document, width: 640 },
        ),
        caption:
          "Two images of different classes and pure noise, as they are and behind the two convolutions with their ReLUs: 6 channels of 28 × 28, 16 of 10 × 10. Black is 0, white the strongest of a layer.",
      },
    ],
  };
}
