import type { NetworkName, NetworkOptions } from "@gradlab/classic-cnns";
import { check, type StudyEvent } from "@gradlab/studies";
import { defineExperiment } from "../experiment.js";

/** Logits of PyTorch 1.13 and torchvision 0.14, one image, 10 classes. */
const known: readonly [net: NetworkName, size: readonly [number, number], options: NetworkOptions, logits: readonly number[]][] = [
  ["vgg11-bn", [64, 96], { width: [8, 16, 24, 32, 32, 64, 48] }, [-1.809618, 0.338248, 0.2500867, -0.3240968, -1.340342, -0.2660627, -0.3868127, -1.457625, -0.2424592, -0.4255381]],
  ["googlenet", [64, 49], {}, [0.8162183, 0.4998393, 0.5338978, 1.021724, -1.411423, -0.7671176, -1.490397, -0.4489469, -0.2560136, -0.1702873]],
  ["resnet18", [64, 49], {}, [2.881654, 12.55411, -7.738346, -13.49735, -9.592493, 5.768881, 22.21103, -4.116954, -4.601661, -16.8606]],
  ["densenet121", [32, 64], {}, [0.4006062, -0.2562318, 0.1343312, -0.001170717, -0.09360333, -0.360243, -0.2921192, -0.3538505, 0.2303727, -0.2751287]],
  ["squeezenet1-1", [48, 64], {}, [0.0, 0.03887431, 0.09708488, 0.1020191, 0.02825179, 0.066797, 0.2268478, 0.04152663, 0.1046931, 0.0]],
  ["mobilenet-v2", [64, 49], { width: 0.35 }, [-0.127097, -1.399495, 3.048081, 0.02364051, 0.2844398, -5.413749, -0.1632162, -2.669423, -1.918787, -1.751819]],
]; // biome-ignore format: a table

/** What networks compute, against the library that they come from. */
export const torchvisionLogits = defineExperiment({
  id: "classic-cnns/torchvision-logits",
  title: "The networks compute what torchvision's compute",
  about:
    "Six networks with weights, running statistics and an image that are a formula (a hash of their index), small images " +
    "and all kinds of layers: the logits of the ten classes, against PyTorch 1.13 with torchvision 0.14.",
  usesBackend: true,
  async *run(_options, _inputs, { signal }): AsyncGenerator<StudyEvent, { logits: number[][] }> {
    const { closedFormLogits } = await import("./closed-form-logits.js");
    const found: number[][] = [];
    for (const [i, [net, size, options, logits]] of known.entries()) {
      signal.throwIfAborted();
      found.push(await closedFormLogits(net, { ...options, inputSize: size, classes: logits.length }));
      yield { kind: "progress", done: i + 1, total: known.length, text: net };
    }
    return { logits: found };
  },
  checks: ({ logits: found }) =>
    known.map(([net, size, , logits], i) => {
      const largest = Math.max(...logits.map(Math.abs));
      // Single precision through tens of layers: a part of the largest logit. Known to seven digits.
      const tolerance = Number((1e-4 * largest).toPrecision(3));
      return check(`${net}, ${size.join(" × ")} pixels`, logits, found[i]!, tolerance);
    }),
  figures: () => [],
});
