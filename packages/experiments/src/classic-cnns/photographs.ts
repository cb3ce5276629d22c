import { resizeImage } from "@gradlab/datasets";
import { imageSource, imageTable } from "@gradlab/figures";
import {
  type ClassifyRecord,
  check,
  classify,
  type InputFiles,
  type Picture,
  type StudyEvent,
} from "@gradlab/studies";
import { defineExperiment, type ExperimentContext, type ExperimentInputs } from "../experiment.js";
import { within } from "../within.js";

/** What is on each photograph, and the classes of ImageNet that are of that kind, by their first names. */
const animals: readonly [name: string, classes: readonly string[]][] = [
  ["lion", ["lion"]],
  ["lizard", ["banded gecko", "common iguana", "American chameleon", "whiptail", "agama", "frilled lizard", "alligator lizard", "Gila monster", "green lizard", "African chameleon", "Komodo dragon"]],
  ["scorpion", ["scorpion"]],
  ["snake", ["thunder snake", "ringneck snake", "hognose snake", "green snake", "king snake", "garter snake", "water snake", "vine snake", "night snake", "boa constrictor", "rock python", "Indian cobra", "green mamba", "sea snake", "horned viper", "diamondback", "sidewinder"]],
  ["tiger", ["tiger"]],
]; // biome-ignore format: a table

const networks = [
  { name: "MobileNet", folder: "mobilenet-v1-025-224", labels: "imagenet.txt", range: [-1, 1] },
  { name: "Darknet", folder: "darknet-tiny", labels: "imagenet-darknet-order.txt", range: [0, 1] },
] as const;

/** MobileNet once more, in the other format, with another order of its classes. */
const asGraph = { folder: "mobilenet-v1-025-graph", labels: "imagenet-1001.txt", range: [-1, 1] } as const;

/** What is done to the pixels; the range is that of the network unless another stands there. */
const variants = [
  { name: "as trained" },
  { name: "blue first", bgr: true },
  { name: "stretched", fit: "stretch" },
  { name: "0 to 1", range: [0, 1], of: "MobileNet" },
  { name: "−1 to 1", range: [-1, 1], of: "Darknet" },
  { name: "0 to 255", range: [0, 255] },
] as const satisfies readonly Variant[];

interface Variant {
  readonly name: string;
  readonly bgr?: boolean;
  readonly fit?: "crop" | "stretch";
  readonly range?: readonly [number, number];
  /** The network for which it is a mistake; for both unless given. */
  readonly of?: string;
}

type Network = Pick<(typeof networks)[number] | typeof asGraph, "folder" | "labels" | "range">;

/** What a network makes of a photograph. */
interface Seen {
  /** The first class, by its first name. */
  readonly label: string;
  readonly probability: number;
  readonly isRight: boolean;
  /** Of all classes of the animal. */
  readonly ofAnimal: number;
}

interface Photographs {
  /** By variant and network, in the order of the photographs. */
  readonly seen: readonly (readonly (readonly Seen[] | null)[])[];
  readonly graph: readonly Seen[];
  /** By photograph and variant. */
  readonly pictures: readonly (readonly Picture[])[];
}

/** Pixels along a side of what the figure shows. */
const shownSize = 96;

/** The probabilities of the first class, as tfjs gives them on cpu, printed to a tenth of a per cent. */
const top = {
  MobileNet: [0.21, 0.563, 0.338, 0.392, 0.99],
  Darknet: [0.787, 0.457, 0.925, 0.49, 0.995],
} as const;

/** How many of five are recognised by each network; null where there is no such mistake. */
const recognised = [[4, 5], [4, 3], [3, 5], [4, null], [null, 0], [0, 0]]; // biome-ignore format: a matrix

const paths = [
  ...animals.map(([name]) => `images/${name}.jpg`),
  ...[...networks, asGraph].flatMap(({ folder, labels }) => [
    `models/${folder}/model.json`,
    `models/labels/${labels}`,
  ]),
];

/** Pretrained networks look at photographs that are prepared as they should be, and as they should not. */
export const photographs = defineExperiment({
  id: "classic-cnns/photographs",
  title: "Five photographs, and how not to prepare them",
  about:
    "MobileNet v1 0.25 and Darknet tiny, trained on the thousand classes of ImageNet by others, look at five photographs of the data " +
    "folder. Right is a class of the animal that is on it: any snake for the snake. They take 224 × 224 pixels from the " +
    "middle, red first, from −1 to 1 (MobileNet) or 0 to 1 (Darknet). Then with mistakes that nobody is told of: blue first; the whole " +
    "photograph out of shape; the range of the other network; bytes from 0 to 255. Known are the probabilities of the first class, " +
    "and how many are right after each mistake. Five photographs say what can happen, not how often. An emulated GPU looks at them without mistakes alone.",
  usesBackend: true,
  missing({ data }: ExperimentInputs) {
    if (data === undefined) return "there is no data folder with photographs and pretrained networks";
    const names = new Set(data.names);
    const lacking = paths.filter((path) => !names.has(path));
    if (lacking.length === 0) return null;
    const others = lacking.length > 1 ? ` and ${lacking.length - 1} other files` : "";
    return `${data.label} lacks ${lacking[0]}${others}`;
  },
  async *run(_options, { data }, context): AsyncGenerator<StudyEvent, Photographs> {
    const files = data!;
    const backend = await context.openBackend();
    const asked = backend.software ? variants.slice(0, 1) : variants;
    const look = (network: Network, variant: Variant) => lookAt(files, network, variant, context);
    const seen: (Seen[] | null)[][] = [];
    for (const [done, variant] of asked.entries()) {
      const row: (Seen[] | null)[] = [];
      for (const network of networks) {
        context.signal.throwIfAborted();
        const { of = network.name }: Variant = variant;
        row.push(of === network.name ? await look(network, variant) : null);
      }
      seen.push(row);
      yield { kind: "progress", done: done + 1, total: asked.length, text: variant.name };
    }
    const graph = await look(asGraph, variants[0]);
    const pictures: Picture[][] = [];
    for (const [name] of animals) {
      const file = `images/${name}.jpg`;
      const cut = await files.decode(file, { size: [shownSize, shownSize] });
      const stretched = resizeImage(await files.decode(file), [shownSize, shownSize]);
      pictures.push(
        asked.map((variant: Variant) => asTaken(variant.fit === "stretch" ? stretched : cut, variant)),
      );
    }
    return { seen, graph, pictures };
  },
  checks({ seen, graph }) {
    // Printed to a tenth of a per cent; decoders of JPEG and filters differ as much again.
    const tolerance = 1e-3;
    const [mobilenet, darknet] = seen[0]!;
    const apart = graph.map(({ probability }, i) => probability - mobilenet![i]!.probability);
    return [
      check("MobileNet: probabilities of the first class", top.MobileNet, mobilenet!.map(({ probability }) => probability), tolerance),
      check("Darknet: probabilities of the first class", top.Darknet, darknet!.map(({ probability }) => probability), tolerance),
      check("MobileNet as a graph model: how far its probabilities are from those", [0, 0, 0, 0, 0], apart, 1e-4),
      ...seen.map((row, i) =>
        check(`${variants[i]!.name}: photographs that MobileNet and Darknet get right`, recognised[i]!, row.map((one) => one?.filter(({ isRight }) => isRight).length ?? null)),
      ),
    ]; // biome-ignore format: a table
  },
  figures({ seen, pictures }, { document }) {
    return [
      {
        svg: imageTable(
          animals.map(([name]) => name),
          seen.map((ofNetworks, row) => ({
            label: variants[row]!.name,
            images: pictures.map((own) => imageSource(own[row]!)),
            notes: animals.map((_, column) =>
              networks.flatMap((network, i) => {
                const one = ofNetworks[i]?.[column];
                return one === undefined ? [] : [noteOf(network.name, one)];
              }),
            ),
          })),
          { document, width: 760 },
        ),
        caption: `Above what it is, below what MobileNet (M) and Darknet (D) take it for, in per cent; pictures are what a network must take its numbers for. All classes of the true animal together get, mean of the five: ${meansOf(seen)}.`,
      },
    ];
  },
});

/** What `gradlab classify` says of the photographs, prepared in a way. */
async function lookAt(
  data: InputFiles,
  { folder, labels, range: own }: Network,
  { fit = "crop", bgr = false, range = own }: Variant,
  context: ExperimentContext,
): Promise<Seen[]> {
  const classes = 1001;
  const options = { preprocess: "unit", fit, bgr, range, invert: false, top: classes, seed: 0 };
  const files = {
    model: { ...within(data, `models/${folder}`), names: ["model.json"] },
    labels: { ...data, names: [`models/labels/${labels}`] },
    image: { ...data, names: animals.map(([name]) => `images/${name}.jpg`) },
  };
  const diagnose = () => Promise.reject(new Error("photographs: expected nobody to ask for all backends"));
  const events = classify.run(options, files, { ...context, diagnose });
  let next = await events.next();
  while (!next.done) next = await events.next();
  return (next.value as ClassifyRecord).images.map(({ predictions }, i) => {
    const isOf = (label: string | undefined) => animals[i]![1].includes(firstName(label));
    const [first] = predictions;
    return {
      label: firstName(first!.label),
      probability: first!.probability,
      isRight: isOf(first!.label),
      ofAnimal: predictions.reduce((sum, { label, probability }) => sum + (isOf(label) ? probability : 0), 0),
    };
  });
}

/** `tiger` of `tiger, Panthera tigris`. */
const firstName = (label = "") => label.split(",")[0]!;

/** A picture as a network sees it that takes numbers for those of its own range. */
function asTaken({ width, height, data }: Picture, { bgr, range, of }: Variant): Picture {
  // Bytes are shown as Darknet takes them.
  const [black, white] = networks.find(({ name }) => name === (of ?? "Darknet"))!.range;
  const [low, high] = range ?? [black, white];
  return {
    width,
    height,
    data: data.map((_, at) => {
      const value = data[bgr ? at - (at % 3) + 2 - (at % 3) : at]! / 255;
      const seen = (low + (high - low) * value - black) / (white - black);
      return Math.round(255 * Math.min(1, Math.max(0, seen)));
    }),
  };
}

const whole = (share: number) => `${Math.round(100 * share)}`;

const noteOf = (network: string, { label, probability, isRight }: Seen) =>
  `${network[0]} ${isRight ? "✓" : "✗"} ${label} ${whole(probability)}`;

/** How much of the probability the true animals get. */
function meansOf(seen: Photographs["seen"]): string {
  const mean = (row: readonly Seen[]) => row.reduce((sum, { ofAnimal }) => sum + ofAnimal, 0) / row.length;
  return seen
    .map((ofNetworks, i) => {
      const shares = ofNetworks.flatMap((row, n) =>
        row === null ? [] : [`${networks[n]!.name[0]} ${whole(mean(row))}`],
      );
      return `${variants[i]!.name} ${shares.join(", ")}`;
    })
    .join("; ");
}
