import type { AttackSummary, Preflight, SampleResult } from "@gradlab/attacks";
import { imageSource, imageTable } from "@gradlab/figures";
import type { Tensor4D } from "@tensorflow/tfjs-core";
import type { InputsOf, Picture } from "../../declaration/option.js";
import {
  defineStudy,
  type Figure,
  type StudyContext,
  type StudyEvent,
  type Table,
} from "../../declaration/study.js";
import { StudyError } from "../../declaration/study-error.js";
import { lines, percent, short } from "../../declaration/wording.js";
import { type AttackOptions, attackOptions, expectNetworkFile, usualEpsilon } from "./attack-options.js";
import type { AttackedNetwork } from "./attacked-network.js";

export interface AttackRecord {
  readonly network: string;
  readonly data: string;
  readonly attack: string;
  readonly norm: "linf" | "l2" | "l1" | "l0";
  /** Null where the attack looks for the nearest image at any distance. */
  readonly epsilon: number | null;
  readonly targeted: boolean;
  /** Names of the classes. */
  readonly classes: readonly string[];
  readonly summary: AttackSummary;
  readonly preflight: Preflight | null;
  readonly samples: readonly (SampleResult & { readonly name: string })[];
  readonly beside: {
    /** Of every sample: as it was, as it is now, and the difference, amplified. */
    readonly pictures: readonly AttackedPicture[];
  };
}

export interface AttackedPicture {
  readonly clean: Picture;
  readonly adversarial: Picture;
  readonly difference: Picture;
  /** By how much the difference is amplified. */
  readonly factor: number;
  /** What the network makes of both, a share for each class. */
  readonly probabilities: { readonly clean: readonly number[]; readonly adversarial: readonly number[] };
}

export const attack = defineStudy({
  name: "attack",
  help: "change images as little as it takes for a network to see something else",
  options: attackOptions,
  about: `Pixels are numbers from 0 to 1 for --eps, whatever the network takes. Every image
that is found is looked at again, alone, before it counts; and rounded to 8 bits, as
a file has it.
--out is a folder: result.json, contact-sheet.svg and .png, and for each image
that was found the image and the amplified difference as PNG.`,
  examples: [
    "attack --weights run --attack pgd --eps 0.1 --out adversarial",
    "attack --weights run --data fashion-mnist --targeted --target coat --json",
    "attack --model model.json photo.jpg --attack pixel-optimization --targeted --target 15",
  ],
  drawn: "originals, adversarial images and differences side by side",
  tensors: "where tensors live: the best that passes its self-test, or this one",
  check({ targeted, target }, given) {
    expectNetworkFile(given);
    if (target !== undefined && !targeted) {
      throw new StudyError("usage", "{target}: expected {targeted} beside it, got it alone");
    }
  },
  run: runStudy,
  tables,
  figures,
});

async function* runStudy(
  chosen: AttackOptions,
  inputs: InputsOf<typeof attackOptions>,
  { openBackend, signal }: StudyContext,
): AsyncGenerator<StudyEvent, AttackRecord> {
  await openBackend();
  const { openAttacked } = await import("./open-attacked.js");
  const { attackedImages } = await import("./attacked-images.js");
  const { makeAttack } = await import("./make-attack.js");
  const { attackSteps } = await import("@gradlab/attacks");
  const network = await openAttacked(inputs, chosen);
  try {
    const images = await attackedImages(network, {
      image: inputs.image,
      data: inputs.data,
      labels: inputs.labels,
      count: chosen.count,
      seed: chosen.seed,
    });
    const { x, labels, classNames } = images;
    try {
      const made = makeAttack(chosen);
      if (made.targeting === "targeted" && !chosen.targeted) {
        throw new StudyError("usage", `{attack} ${chosen.attack}: expected {targeted} beside it, got none`);
      }
      if (made.targeting === "untargeted" && chosen.targeted) {
        throw new StudyError(
          "usage",
          `{targeted}: expected another {attack} than ${chosen.attack}, which has no targets`,
        );
      }
      const usual = usualEpsilon[made.norm as keyof typeof usualEpsilon];
      const epsilon = chosen.eps ?? (made.goal === "within" ? usual : undefined);
      const targets = chosen.targeted ? targetsOf(chosen.target, labels, classNames) : undefined;
      const steps = attackSteps(network.classifier, made, x, labels, {
        ...(epsilon !== undefined && { epsilon }),
        ...(targets && { targets }),
        seed: chosen.seed,
        batchSize: chosen.batch,
        signal,
      });
      let next = await steps.next();
      for (let done = 0; !next.done; next = await steps.next()) {
        const { value } = next;
        for (; done < value.done; done++) {
          const text = `${made.name} · ${value.found} of ${done + 1} found`;
          yield { kind: "progress", done: done + 1, total: value.total, text };
        }
      }
      const result = next.value;
      try {
        for (const { message } of result.preflight?.warnings ?? []) yield { kind: "warning", text: message };
        if (result.interrupted) {
          const done = result.samples.filter(({ finished }) => finished).length;
          throw new StudyError("interrupted", `interrupted after ${done} of ${labels.length} images`);
        }
        const { samples, summary, preflight, norm } = result;
        return {
          network: network.name,
          data: images.source,
          attack: result.attack,
          norm,
          epsilon: epsilon ?? null,
          targeted: targets !== undefined,
          classes: classNames,
          summary,
          preflight,
          samples: samples.map((sample, i) => ({ name: images.names[i]!, ...sample })),
          beside: { pictures: await picturesOf(x, result.adversarial as Tensor4D, network, chosen.batch) },
        };
      } finally {
        result.adversarial.dispose();
      }
    } finally {
      x.dispose();
    }
  } finally {
    network.dispose();
  }
}

/** The class that every image shall arrive at; of an image of that class the one after it. */
function targetsOf(
  target: string | undefined,
  labels: readonly number[],
  classNames: readonly string[],
): number[] {
  const after = (label: number) => (label + 1) % classNames.length;
  if (target === undefined) return labels.map(after);
  // Of "robin, American robin, Turdus migratorius" each will do, and all of it.
  const isNamed = (name: string) =>
    [name, ...name.split(",")].some((one) => one.trim().toLowerCase() === target.trim().toLowerCase());
  const named = classNames.findIndex(isNamed);
  const aim = named !== -1 ? named : /^\d+$/.test(target) ? Number(target) : -1;
  if (aim < 0 || aim >= classNames.length) {
    throw new StudyError(
      "usage",
      `{target}: expected a class (${classNames
        .slice(0, 3)
        .map((name) => name.split(",")[0])
        .join(", ")}, …) or a number below ${classNames.length}, got ${JSON.stringify(target)}`,
    );
  }
  return labels.map((label) => (label === aim ? after(label) : aim));
}

async function picturesOf(
  clean: Tensor4D,
  adversarial: Tensor4D,
  { classifier, input }: AttackedNetwork,
  batch: number,
): Promise<AttackedPicture[]> {
  const { amplified, pictureOf } = await import("./attack-pictures.js");
  const { probabilitiesOf } = await import("./probabilities.js");
  const cleanShares = await probabilitiesOf(classifier, clean, batch);
  const adversarialShares = await probabilitiesOf(classifier, adversarial, batch);
  const [before, after] = [
    Float32Array.from(await clean.data()),
    Float32Array.from(await adversarial.data()),
  ];
  const length = input[0] * input[1] * input[2];
  return Array.from({ length: before.length / length }, (_, i) => {
    const [x, y] = [before, after].map((all) => all.slice(i * length, (i + 1) * length)) as [
      Float32Array,
      Float32Array,
    ];
    const { values, factor } = amplified(y, x);
    return {
      clean: pictureOf(x, input),
      adversarial: pictureOf(y, input),
      difference: pictureOf(values, input),
      factor,
      probabilities: { clean: cleanShares[i]!, adversarial: adversarialShares[i]! },
    };
  });
}

/** The first of its names, or its number. */
const nameOf = (classes: readonly string[], k: number) => classes[k]?.split(",")[0] ?? `${k}`;

const right = "right" as const;

function tables(record: AttackRecord): Table[] {
  const { summary, samples, norm, classes, epsilon } = record;
  const within = epsilon === null ? "at any distance" : `within ${short(epsilon)}`;
  const rows = samples.map((sample) => {
    const { name, label, target, prediction, success, distances, margin, queries, certificate } = sample;
    return [
      name,
      nameOf(classes, label),
      ...(record.targeted ? [nameOf(classes, target!)] : []),
      success ? nameOf(classes, prediction) : "–",
      success ? short(distances[norm]) : "–",
      short(margin),
      `${queries}`,
      certificate === null ? "–" : certificate.eightBits ? "yes" : "no",
    ];
  });
  const columns = [
    { title: "image" },
    { title: "label" },
    ...(record.targeted ? [{ title: "target" }] : []),
    { title: "seen as" },
    { title: norm, align: right },
    { title: "margin", align: right },
    { title: "queries", align: right },
    { title: "in 8 bits" },
  ];
  const { correct, standing, cleanAccuracy, robustAccuracy, successOfAll, successOfCorrect } = summary;
  return [
    lines(`${record.attack} of ${record.network} in ${norm}, ${within}`),
    { columns, rows, notes: [] },
    lines(
      undefined,
      `${percent(cleanAccuracy)} of ${summary.samples} images are right as they are (${correct}), ${percent(robustAccuracy)} after the attack (${standing})`,
      `found: ${percent(successOfAll)} of all images${successOfCorrect === null ? "" : `, ${percent(successOfCorrect)} of those that were right`}`,
    ),
  ];
}

/** How many images a contact sheet shows. */
const sheet = 12;

function figures(record: AttackRecord, { document }: { readonly document: Document }): Figure[] {
  const { samples, classes, beside } = record;
  const name = (k: number) => nameOf(classes, k);
  // What was found is worth more than what was not, and than what was wrong before.
  const worth = ({ success, by }: (typeof samples)[number]) => Number(success) + Number(by !== null);
  const order = [...samples.keys()].sort((a, b) => worth(samples[b]!) - worth(samples[a]!));
  const shown = order.slice(0, sheet);
  const rows = shown.map((i) => {
    const { label, prediction, success } = samples[i]!;
    const { clean, adversarial, difference } = beside.pictures[i]!;
    return {
      label: success ? `${name(label)} → ${name(prediction)}` : `${name(label)}, not found`,
      images: [clean, adversarial, difference].map(imageSource),
    };
  });
  return [
    {
      name: "contact-sheet",
      caption:
        "Images as they were, as the attack has changed them, and the difference, amplified until its largest number is black or white.",
      svg: imageTable(["original", "adversarial", "difference"], rows, { document, width: 560 }),
    },
  ];
}
