import { imageSource, imageTable } from "@gradlab/figures";
import { check, openAttacked, type Picture, type StudyEvent } from "@gradlab/studies";
import { defineExperiment } from "../experiment.js";
import { missingFiles } from "../missing-files.js";
import { within } from "../within.js";
import type { DrivenPhotograph, PhotographPair, PhotographsRecord } from "./photographs-record.js";

const photographNames = ["lion", "lizard", "scorpion", "snake", "tiger"] as const;
const imageOf = (name: string) => `images/${name}.jpg`;
const folder = "models/mobilenet-v1-025-224";
const labelFile = "models/labels/imagenet.txt";
const paths = [...photographNames.map(imageOf), `${folder}/model.json`, labelFile];

/** The numbers of an electric ray, a brambling and a robin. */
const targets = [5, 10, 15] as const;

/** What is done to images afterwards. */
const changes = ["as it is", "8 bits", "JPEG 95", "JPEG 75", "resized"] as const;

/** The steps of Adam for pixels from 0 to 1, and by how much a target has to be ahead for the last of them. */
const pace = { learningRate: 3e-3, confidence: 2 } as const;

/**
 * How many photographs, and to how many targets each is driven on the mean over noise, which costs as many times as much
 * as draws; less on backends that take seconds for a step.
 */
const sizes = {
  usual: { photographs: 5, expected: { targets: 1, draws: 4 } },
  slow: { photographs: 1, expected: { targets: 1, draws: 2 } },
} as const;

/** A pretrained network sees in photographs what one wants it to see; and what of that survives. */
export const attackedPhotographs = defineExperiment({
  id: "attacks/photographs",
  title: "A tiger is a robin",
  about:
    "MobileNet v1 0.25, trained on ImageNet by others, looks at five photographs of the data folder, which are driven to " +
    "the classes 5, 10 and 15 each: Adam (rate 0.003) on their pixels from 0 to 1, α ‖x‖₁ + cross-entropy of the target with α = 10⁻⁵, " +
    "until the target is ahead by 2. Then they are looked at again: alone, rounded to 8 bits, through the losses of a JPEG file of " +
    "quality 95 and 75, and made smaller and large again. Known are 15 of 15 targets, 15 that survive 8 bits and JPEG 95, and " +
    "about 2 that survive JPEG 75. The answer is the same attack on the mean over noise as JPEG makes it, for one target " +
    "of each photograph.",
  usesBackend: true,
  missing: (inputs) => missingFiles(inputs, paths, "photographs and a pretrained network"),
  async *run({ seed }, { data }, { signal, openBackend }): AsyncGenerator<StudyEvent, PhotographsRecord> {
    const backend = await openBackend();
    const size = sizes[backend.name === "cpu" || backend.software === true ? "slow" : "usual"];
    const files = data!;
    const text = new TextDecoder().decode(await files.read(labelFile));
    const labels = text
      .trim()
      .split("\n")
      .map((line) => line.split(",")[0]!);
    const model = { ...within(files, folder), names: ["model.json"] };
    const network = await openAttacked({ model }, { preprocess: "symmetric" });
    try {
      const [height, width] = network.input;
      const photographs: Picture[] = [];
      for (const name of photographNames.slice(0, size.photographs)) {
        photographs.push(await files.decode(imageOf(name), { size: [height, width] }));
      }
      const { drivePhotographs } = await import("./drive-photographs.js");
      const plan = { ...pace, targets, expected: size.expected, seed, signal };
      return { labels, pairs: await drivePhotographs(network.classifier, photographs, plan) };
    } finally {
      network.dispose();
    }
  },
  checks({ pairs }) {
    const all = pairs.length;
    const plain = pairs.map((pair) => pair.plain);
    const mean = pairs.flatMap((pair) => (pair.expected === null ? [] : [pair.expected]));
    const [own, bits, fine, coarse] = survivorsOf(plain) as [number, number, number, number];
    const [, , , coarseOfMean] = survivorsOf(mean) as [number, number, number, number];
    const certified = plain.filter((driven) => driven.reached && driven.certified).length;
    return [
      check("targets that were reached", all, own),
      check("images in their bounds, and at their target in a batch of their own", all, certified),
      check("of these, that survive 8 bits and JPEG 95", [all, all], [bits, fine]),
      check("of these, that survive JPEG 75", 2, coarse, 2),
      check("targets that were reached on the mean over JPEG's noise", mean.length, survivorsOf(mean)[0]!),
      check("of these, that survive JPEG 75", mean.length, coarseOfMean, 1),
    ];
  },
  figures({ pairs, labels }, { document }) {
    const rows = photographNames.flatMap((_, original) => {
      const own = pairs.filter((pair) => pair.original === original);
      if (own.length === 0) return [];
      const [{ clean, label }] = own as [PhotographPair, ...PhotographPair[]];
      return [
        {
          label: "",
          images: [clean, ...own.flatMap(({ plain, difference }) => [plain.picture, difference])].map(
            imageSource,
          ),
          notes: [
            [labels[label]!],
            ...own.flatMap(({ target, plain }) => [
              [labels[target]!],
              [`at most ${Math.round(255 * plain.largest)} of 255`],
            ]),
          ],
        },
      ];
    });
    const answered = pairs.filter((pair) => pair.expected !== null);
    const told = (driven: readonly DrivenPhotograph[]) =>
      changes.map((change, i) => `${change} ${survivorsOf(driven)[i]}`).join(", ");
    return [
      {
        svg: imageTable(
          ["photograph", ...targets.flatMap((target) => [`driven to ${target}`, "difference"])],
          rows,
          { document, width: 760 },
        ),
        caption: `Below each what MobileNet sees. Differences are amplified until their largest number is black or white. Of ${pairs.length}, still seen as their targets: ${told(pairs.map(({ plain }) => plain))}.`,
      },
      {
        svg: imageTable(
          ["photograph", "plain attack", "mean over JPEG's noise"],
          answered.map(({ clean, label, target, plain, expected: mean }) => ({
            label: "",
            images: [clean, plain.picture, mean!.picture].map(imageSource),
            notes: [
              [labels[label]!],
              ...[plain, mean!].map(({ survives }) => [
                `${labels[target]!}${survives[3] ? ", after JPEG 75 too" : ", lost in JPEG 75"}`,
              ]),
            ],
          })),
          { document, width: 560 },
        ),
        caption: `What the mean over JPEG's noise costs and gains. Of ${answered.length}, still seen as their targets: ${told(answered.flatMap((pair) => pair.expected ?? []))}.`,
      },
    ];
  },
});

/** How many are seen as their targets after each of the changes. */
const survivorsOf = (driven: readonly DrivenPhotograph[]) =>
  changes.map((_, i) => driven.filter(({ survives }) => survives[i]).length);
