import {
  type AttackResult,
  type Classifier,
  pixelOptimization,
  runAttack,
  withTransformation,
} from "@gradlab/attacks";
import {
  initNetwork,
  network,
  networkClassifier,
  startNetworkTraining,
  trainNetwork,
} from "@gradlab/classic-cnns";
import { disposeParams, disposeTraining } from "@gradlab/core";
import { batchesOf, stepsPerEpoch, takeBatch } from "@gradlab/datasets";
import type { Picture } from "@gradlab/studies";
import { add, type Tensor4D, tensor4d } from "@tensorflow/tfjs-core";
import type { ClassifiedImages } from "../classified-images.js";
import { amplified } from "./amplified.js";
import { jpegGrey, jpegNoise } from "./jpeg-grey.js";
import { predictionsOf } from "./predictions-of.js";
import type { AttackedPair, Driven } from "./targets-record.js";

interface Plan {
  readonly epochs: number;
  readonly originals: number;
  readonly targets: number;
  readonly seed: number;
  readonly signal: AbortSignal;
}

/** Trains a small network, and drives images that it classifies right to other classes. */
export async function attackTargets(
  { train, test }: ClassifiedImages,
  { epochs, originals, targets, seed, signal }: Plan,
): Promise<{ pairs: AttackedPair[]; accuracy: number }> {
  const [height, width, channels] = train.shape;
  const graph = network("lenet-relu", {
    inputSize: [height, width],
    channels,
    classes: train.classes,
    width: [4, 8, 32, 24],
  });
  const state = initNetwork(graph, { seed });
  const training = startNetworkTraining(graph, state, { name: "adam", learningRate: 2e-3 });
  disposeParams(state);
  try {
    const batch = batchesOf(train, { size: 50, seed });
    const steps = epochs * stepsPerEpoch({ count: train.count, size: 50 });
    for await (const _ of trainNetwork(graph, training, { batch, steps, seed, signal }));
    const classifier: Classifier = networkClassifier(graph, training.state);
    const all = takeBatch(
      test,
      Array.from({ length: test.count }, (_, i) => i),
    );
    const x = tensor4d(all.images, all.shape as [number, number, number, number]);
    const seen = await predictionsOf(classifier, x);
    x.dispose();
    const right = seen.flatMap((label, i) => (label === all.labels[i] ? [i] : []));
    // Of different classes, each driven to the classes after its own.
    const chosen: number[] = [];
    for (const i of right) {
      if (chosen.length < originals && chosen.every((other) => seen[other] !== seen[i])) chosen.push(i);
    }
    const pairs = chosen.flatMap((original) =>
      Array.from({ length: targets }, (_, k) => {
        const label = seen[original]!;
        return {
          original,
          label,
          target: (label + 1 + Math.floor((k * train.classes) / targets)) % train.classes,
        };
      }).filter(({ label, target }) => label !== target),
    );
    return {
      pairs: await drive(classifier, pairs, all, { seed, signal }),
      accuracy: right.length / test.count,
    };
  } finally {
    disposeTraining(training);
  }
}

async function drive(
  classifier: Classifier,
  pairs: readonly Pick<AttackedPair, "original" | "label" | "target">[],
  { images, shape }: { readonly images: Float32Array; readonly shape: readonly number[] },
  { seed, signal }: Pick<Plan, "seed" | "signal">,
): Promise<AttackedPair[]> {
  const size = [shape[1]!, shape[2]!] as const;
  const length = size[0] * size[1];
  const rows = pairs.map(({ original }) => images.slice(original * length, (original + 1) * length));
  const x = stacked(rows, size);
  const options = {
    targets: pairs.map(({ target }) => target),
    seed,
    signal,
    preflight: false,
  };
  const labels = pairs.map(({ label }) => label);
  try {
    const plain = await runAttack(classifier, pixelOptimization(), x, labels, options);
    // Ahead by more than what noise can do.
    const average = withTransformation(classifier, {
      draws: 8,
      seed,
      transform: (copies, streams) =>
        add(
          copies,
          stacked(
            streams.map((stream) => jpegNoise(stream, size, 75)),
            size,
          ),
        ),
    });
    const expected = await runAttack(average, pixelOptimization(), x, labels, { ...options, confidence: 3 });
    const driven = [await judged(classifier, plain, size), await judged(classifier, expected, size)] as const;
    return pairs.map((pair, i) => {
      const [own, mean] = [driven[0][i]!, driven[1][i]!];
      return {
        ...pair,
        clean: grey(rows[i]!, size),
        difference: grey(amplified(own.values, rows[i]!), size),
        plain: own.driven,
        expected: mean.driven,
      };
    });
  } finally {
    x.dispose();
  }
}

/** What is left of each image after each of the changes; the result's tensor is disposed. */
async function judged(
  classifier: Classifier,
  { samples, adversarial }: AttackResult,
  size: readonly [number, number],
): Promise<{ driven: Driven; values: Float32Array }[]> {
  const length = size[0] * size[1];
  const data = Float32Array.from(await adversarial.data());
  adversarial.dispose();
  const values = samples.map((_, i) => data.slice(i * length, (i + 1) * length));
  const changes = [
    (image: Float32Array) => image,
    (image: Float32Array) => image.map((value) => Math.round(255 * value) / 255),
    (image: Float32Array) => jpegGrey(image, size, 95),
    (image: Float32Array) => jpegGrey(image, size, 75),
    (image: Float32Array) => smallerAndBack(image, size),
  ];
  const seen: number[][] = [];
  for (const change of changes) {
    const changed = stacked(values.map(change), size);
    seen.push(await predictionsOf(classifier, changed));
    changed.dispose();
  }
  return samples.map(({ success, target, distances, certificate }, i) => ({
    values: values[i]!,
    driven: {
      reached: success,
      certified: certificate?.inBounds === true && certificate.alone,
      distance: distances.l2,
      picture: grey(values[i]!, size),
      survives: seen.map((each) => each[i] === target),
    },
  }));
}

/** Three quarters of the size and back, linearly. */
function smallerAndBack(image: Float32Array, [height, width]: readonly [number, number]): Float32Array {
  const small = [Math.round(height * 0.75), Math.round(width * 0.75)] as const;
  return resized(resized(image, [height, width], small), small, [height, width]);
}

function resized(
  image: Float32Array,
  [height, width]: readonly [number, number],
  [toHeight, toWidth]: readonly [number, number],
): Float32Array {
  const at = (y: number, x: number) => image[Math.min(y, height - 1) * width + Math.min(x, width - 1)]!;
  return Float32Array.from({ length: toHeight * toWidth }, (_, i) => {
    const y = Math.max(0, ((Math.floor(i / toWidth) + 0.5) * height) / toHeight - 0.5);
    const x = Math.max(0, (((i % toWidth) + 0.5) * width) / toWidth - 0.5);
    const [top, left] = [Math.floor(y), Math.floor(x)];
    const [dy, dx] = [y - top, x - left];
    const upper = at(top, left) * (1 - dx) + at(top, left + 1) * dx;
    const lower = at(top + 1, left) * (1 - dx) + at(top + 1, left + 1) * dx;
    return upper * (1 - dy) + lower * dy;
  });
}

function stacked(rows: readonly Float32Array[], [height, width]: readonly [number, number]): Tensor4D {
  const values = new Float32Array(rows.length * height * width);
  for (const [i, row] of rows.entries()) values.set(row, i * height * width);
  return tensor4d(values, [rows.length, height, width, 1]);
}

function grey(values: Float32Array, [height, width]: readonly [number, number]): Picture {
  const data = new Uint8Array(3 * values.length);
  for (const [i, value] of values.entries()) {
    data.fill(Math.round(255 * Math.min(1, Math.max(0, value))), 3 * i, 3 * i + 3);
  }
  return { width, height, data };
}
