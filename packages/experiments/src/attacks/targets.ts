import { imageSource, imageTable } from "@gradlab/figures";
import { check, type Picture, type StudyEvent } from "@gradlab/studies";
import { classifiedImages } from "../classified-images.js";
import { defineExperiment } from "../experiment.js";

/** How much is learned and attacked; less on backends that take seconds for a step. */
const sizes = {
  usual: { images: 1000, epochs: { real: 25, generated: 6 }, originals: 3, targets: 3 },
  slow: { images: 200, epochs: { real: 4, generated: 6 }, originals: 1, targets: 2 },
} as const;

/** What is done to images afterwards. */
const changes = ["as it is", "8 bits", "JPEG 95", "JPEG 75", "resized"] as const;

/** A network sees what one wants it to see; and what of that survives being stored as a picture. */
export const targets = defineExperiment({
  id: "attacks/targets",
  title: "A network sees what one wants it to see",
  about:
    "A small lenet-relu is trained here, on clothes from the data folder or on generated shapes. Then images that it " +
    "classifies right are driven to several other classes each by Adam on their pixels (α ‖x‖₁ + cross-entropy of the " +
    "target, as Szegedy et al., 2014, with another optimizer), and looked at again: alone, rounded to 8 bits, through the " +
    "losses of a JPEG file of quality 95 and 75, and made smaller and large again. The answer to what is lost there is " +
    "expectation over transformations (Athalye et al., 2018): the same attack on a mean over noise as JPEG makes it.",
  usesBackend: true,
  async *run({ seed }, inputs, { signal, openBackend }): AsyncGenerator<StudyEvent, TargetsRecord> {
    const backend = await openBackend();
    const size = sizes[backend.name === "cpu" || backend.software === true ? "slow" : "usual"];
    const data = yield* classifiedImages(size.images, inputs, seed);
    const { attackTargets } = await import("./attack-targets.js");
    const epochs = size.epochs[data.isGenerated ? "generated" : "real"];
    const { pairs, accuracy } = await attackTargets(data, { ...size, epochs, seed, signal });
    const survivors = (of: "plain" | "expected") =>
      changes.map((_, i) => pairs.filter((pair) => pair[of].survives[i]).length);
    return {
      isGenerated: data.isGenerated,
      labels: data.labels,
      accuracy,
      pairs,
      survivors: { plain: survivors("plain"), expected: survivors("expected") },
    };
  },
  checks({ pairs, survivors }) {
    const all = pairs.length;
    const reached = (of: "plain" | "expected") => pairs.filter((pair) => pair[of].reached).length;
    const certified = pairs.filter(({ plain }) => plain.certified).length;
    const [, bits, fine, coarse] = survivors.expected as [number, number, number, number];
    return [
      check("targets that were reached", all, reached("plain")),
      check("images in their bounds, and at their target in a batch of their own", all, certified),
      check("targets that were reached on the mean over JPEG's noise", all, reached("expected")),
      check("of these, that survive 8 bits and JPEG 95", [all, all], [bits, fine]),
      // One in nine may fall to the noise that was not drawn.
      check("of these, that survive JPEG 75", all, coarse, Math.ceil(all / 9)),
      check("that survive JPEG 75 without it: no more", 0, Math.max(0, survivors.plain[3]! - coarse)),
    ];
  },
  figures: ({ pairs, labels, isGenerated, accuracy, survivors }, { document }) => {
    const originals = [...new Set(pairs.map(({ original }) => original))];
    const columns = Math.max(
      ...originals.map((one) => pairs.filter(({ original }) => original === one).length),
    );
    const rows = originals.map((one) => {
      const own = pairs.filter(({ original }) => original === one);
      const images = own.flatMap(({ plain, difference }) => [
        imageSource(plain.picture),
        imageSource(difference),
      ]);
      return { label: labels[own[0]!.label]!, images: [imageSource(own[0]!.clean), ...images] };
    });
    const told = changes
      .map((change, i) => `${change} ${survivors.plain[i]} and ${survivors.expected[i]}`)
      .join(", ");
    const kind = isGenerated ? "generated shapes" : "clothes";
    return [
      {
        svg: imageTable(
          [
            "original",
            ...Array.from({ length: columns }, (_, i) => [`target ${i + 1}`, "difference"]).flat(),
          ],
          rows,
          { document, width: 720 },
        ),
        caption: `${kind[0]!.toUpperCase()}${kind.slice(1)}, what they were changed to, and the difference, amplified until its largest number is black or white. Targets: ${pairs.map(({ label, target }) => `${labels[label]} → ${labels[target]}`).join(", ")}. The network is right on ${(100 * accuracy).toFixed(1)} % of other images.`,
      },
      {
        svg: imageTable(
          ["original", "plain attack", "mean over JPEG's noise"],
          pairs.slice(0, 3).map(({ clean, label, target, plain, expected }) => ({
            label: `${labels[label]} → ${labels[target]}`,
            images: [clean, plain.picture, expected.picture].map(imageSource),
          })),
          { document, width: 560 },
        ),
        caption: `How many of ${pairs.length} images are still seen as their targets, from the plain attack and from the one on a mean over JPEG's noise: ${told}.`,
      },
    ];
  },
});

export interface TargetsRecord {
  readonly isGenerated: boolean;
  readonly labels: readonly string[];
  /** Of the network, on images that it has not been trained on. */
  readonly accuracy: number;
  readonly pairs: readonly AttackedPair[];
  /** How many images are still seen as their target after each of the changes. */
  readonly survivors: { readonly plain: readonly number[]; readonly expected: readonly number[] };
}

export interface AttackedPair {
  /** The number of the image among those for the test. */
  readonly original: number;
  readonly label: number;
  readonly target: number;
  readonly clean: Picture;
  readonly difference: Picture;
  readonly plain: Driven;
  /** By the mean over JPEG's noise. */
  readonly expected: Driven;
}

export interface Driven {
  readonly reached: boolean;
  readonly certified: boolean;
  readonly distance: number;
  readonly picture: Picture;
  /** After each of the changes. */
  readonly survives: readonly boolean[];
}
