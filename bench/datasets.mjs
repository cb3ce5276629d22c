import { generateShapes, preprocessImageNet, randomCrop, takeBatch } from "@gradlab/datasets";
import { fillNormal, randomStream } from "@gradlab/random";
import { interleaved } from "./interleaved.mjs";

const SAMPLES = 500;
const PIXELS = 28 * 28;

/**
 * Milliseconds, each against a floor that moves or draws at least as many numbers: bytes scaled to single precision
 * (1 byte read and 4 written a number), the noise of the images alone, a picture copied.
 */
export function run() {
  const dataset = generateShapes({ count: SAMPLES });
  const indices = Uint32Array.from({ length: SAMPLES }, (_, i) => i);
  const augment = randomCrop({ padding: 4 });
  const stream = randomStream({ seed: 0, purpose: "bench" });
  const single = new Float32Array(SAMPLES * PIXELS);
  const scale = () => {
    const fresh = new Float32Array(SAMPLES * PIXELS);
    for (let i = 0; i < fresh.length; i++) fresh[i] = dataset.images[i] / 255;
    return fresh;
  };
  const side = { width: 600, height: 400 };
  const picture = { ...side, data: Uint8Array.from({ length: 3 * 400 * 600 }, (_, i) => (i * i) % 251) };
  const input = new Float32Array(224 * 224 * 3);
  const sample = () => {
    for (let i = 0; i < input.length; i++) input[i] = picture.data[i] / 255;
  };
  return [
    [
      "generateShapes, 500 of 28 x 28",
      () => generateShapes({ count: SAMPLES }),
      "their noise alone",
      () => fillNormal(stream, single),
    ],
    ["takeBatch, 500 of 28 x 28", () => takeBatch(dataset, indices), "a loop of byte / 255", scale],
    [
      "takeBatch with randomCrop",
      () => takeBatch(dataset, indices, { augment }),
      "a loop of byte / 255",
      scale,
    ],
    [
      "preprocessImageNet, 600 x 400",
      () => preprocessImageNet(picture),
      "a loop of byte / 255, 224 x 224 x 3",
      sample,
    ],
  ].map(([name, ours, reference, theirs]) => {
    const { ours: value, ratio } = interleaved(ours, theirs);
    return { name: `datasets: ${name}`, value, unit: "ms", reference, ratio };
  });
}
