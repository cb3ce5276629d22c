import {
  type AttackResult,
  type Classifier,
  pixelOptimization,
  runAttack,
  withTransformation,
} from "@gradlab/attacks";
import { resizeImage } from "@gradlab/datasets";
import type { Picture } from "@gradlab/studies";
import {
  add,
  avgPool,
  matMul,
  mul,
  reshape,
  type Tensor,
  type Tensor2D,
  type Tensor4D,
  tensor1d,
  tensor2d,
  tensor4d,
  tidy,
} from "@tensorflow/tfjs-core";
import { amplified } from "./amplified.js";
import { jpegColour, jpegColourNoise } from "./jpeg-colour.js";
import type { DrivenPhotograph, PhotographPair } from "./photographs-record.js";
import { predictionsOf } from "./predictions-of.js";

interface Plan {
  readonly targets: readonly number[];
  readonly learningRate: number;
  /** By how much a target has to be ahead for an image to be done. */
  readonly confidence: number;
  /** To how many targets each photograph is driven on the mean over JPEG's noise too, and with how many draws. */
  readonly expected: { readonly targets: number; readonly draws: number };
  readonly seed: number;
  readonly signal: AbortSignal;
}

/** Pixels along a side of what the figure shows. */
const shownSize = 112;

/** Drives every photograph to every target, by its pixels alone. */
export async function drivePhotographs(
  classifier: Classifier,
  photographs: readonly Picture[],
  { targets, learningRate, confidence, expected, seed, signal }: Plan,
): Promise<PhotographPair[]> {
  const { width, height } = photographs[0]!;
  const rows = photographs.map(({ data }) => Float32Array.from(data, (value) => value / 255));
  const x = stacked(rows, [height, width]);
  const seen = await predictionsOf(classifier, x);
  x.dispose();
  const all = photographs.flatMap((_, original) => targets.map((target) => ({ original, target })));
  const some = all.filter(({ target }) => targets.indexOf(target) < expected.targets);
  const drive = async (pairs: typeof all, seenBy: Classifier) => {
    const images = stacked(
      pairs.map(({ original }) => rows[original]!),
      [height, width],
    );
    try {
      const result = await runAttack(
        seenBy,
        pixelOptimization({ learningRate }),
        images,
        pairs.map(({ original }) => seen[original]!),
        {
          targets: pairs.map(({ target }) => target),
          confidence,
          seed,
          signal,
          preflight: false,
        },
      );
      return await judged(classifier, result, [height, width]);
    } finally {
      images.dispose();
    }
  };
  const plain = await drive(all, classifier);
  const average = withTransformation(classifier, {
    draws: expected.draws,
    seed,
    transform: (copies, streams) => {
      const noise = streams.map((stream) => jpegColourNoise(stream, [height, width], 75));
      return add(blurredColours(copies as Tensor4D), stacked(noise, [height, width]));
    },
  });
  const mean = await drive(some, average);
  return all.map((pair, i) => {
    const { values, driven } = plain[i]!;
    const at = some.indexOf(pair);
    return {
      ...pair,
      label: seen[pair.original]!,
      clean: shown(photographs[pair.original]!),
      difference: shown(pictureOf(amplified(values, rows[pair.original]!), [height, width])),
      plain: driven,
      expected: at === -1 ? null : mean[at]!.driven,
    };
  });
}

/** Red, green and blue to brightness and two colours; rows are red, green and blue. */
const toColours = [0.299, -0.168736, 0.5, 0.587, -0.331264, -0.418688, 0.114, 0.5, -0.081312];
const toPixels = [1, 1, 1, 0, -0.344136, 1.772, 1.402, -0.714136, 0];

/** Images whose colours, but not their brightness, are means over 3 x 3 pixels, about as at half the size. */
function blurredColours(x: Tensor4D): Tensor {
  return tidy(() => {
    const product = (of: Tensor, matrix: number[]) =>
      reshape(matMul(reshape(of, [-1, 3]) as Tensor2D, tensor2d(matrix, [3, 3])), x.shape);
    const planes = product(x, toColours) as Tensor4D;
    const blurred = avgPool(planes, 3, 1, "same");
    return product(add(mul(planes, tensor1d([1, 0, 0])), mul(blurred, tensor1d([0, 1, 1]))), toPixels);
  });
}

/** What is left of each image after each of the changes; the result's tensor is disposed. */
async function judged(
  classifier: Classifier,
  { samples, adversarial }: AttackResult,
  size: readonly [number, number],
): Promise<{ driven: DrivenPhotograph; values: Float32Array }[]> {
  const length = size[0] * size[1] * 3;
  const data = Float32Array.from(await adversarial.data());
  adversarial.dispose();
  const values = samples.map((_, i) => data.slice(i * length, (i + 1) * length));
  const pictures = values.map((value) => pictureOf(value, size));
  const changes = [
    (picture: Picture) => picture,
    (picture: Picture) => jpegColour(picture, 95),
    (picture: Picture) => jpegColour(picture, 75),
    smallerAndBack,
  ];
  const seen: number[][] = [];
  const look = async (rows: readonly Float32Array[]) => {
    const x = stacked(rows, size);
    seen.push(await predictionsOf(classifier, x));
    x.dispose();
  };
  await look(values);
  for (const change of changes) {
    await look(pictures.map((picture) => Float32Array.from(change(picture).data, (value) => value / 255)));
  }
  return samples.map(({ success, target, distances, certificate, gradients }, i) => ({
    values: values[i]!,
    driven: {
      reached: success,
      certified: certificate?.inBounds === true && certificate.alone,
      steps: gradients,
      distance: distances.l2,
      largest: distances.linf,
      picture: shown(pictures[i]!),
      survives: seen.map((each) => each[i] === target),
    },
  }));
}

/** Three quarters of the size and back. */
function smallerAndBack(picture: Picture): Picture {
  const { height, width } = picture;
  const small = resizeImage(picture, [Math.round(height * 0.75), Math.round(width * 0.75)]);
  return pictureFrom(resizeImage(small, [height, width]));
}

const shown = (picture: Picture) => pictureFrom(resizeImage(picture, [shownSize, shownSize]));

const pictureFrom = ({
  width,
  height,
  data,
}: {
  readonly width: number;
  readonly height: number;
  readonly data: ArrayLike<number>;
}): Picture => ({ width, height, data: Uint8Array.from(data) });

function stacked(rows: readonly Float32Array[], [height, width]: readonly [number, number]): Tensor4D {
  const values = new Float32Array(rows.length * height * width * 3);
  for (const [i, row] of rows.entries()) values.set(row, i * height * width * 3);
  return tensor4d(values, [rows.length, height, width, 3]);
}

function pictureOf(values: Float32Array, [height, width]: readonly [number, number]): Picture {
  const data = Uint8Array.from(values, (value) => Math.round(255 * Math.min(1, Math.max(0, value))));
  return { width, height, data };
}
