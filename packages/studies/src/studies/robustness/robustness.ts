import type { Diagnosis, Preflight, RobustnessSummary, SampleRobustness } from "@gradlab/attacks";
import { linePanels } from "@gradlab/figures";
import { hexDigest } from "../../declaration/hex-digest.js";
import type { InputFiles, InputsOf } from "../../declaration/option.js";
import {
  defineStudy,
  type Figure,
  type StudyContext,
  type StudyEvent,
  type Table,
} from "../../declaration/study.js";
import { StudyError } from "../../declaration/study-error.js";
import { lines, percent, short } from "../../declaration/wording.js";
import { expectNetworkFile } from "../attack/attack-options.js";
import type { AttackedImages } from "../attack/attacked-images.js";
import type { AttackedNetwork } from "../attack/attacked-network.js";
import { type RobustnessOptions, robustnessOptions, usualRadii } from "./robustness-options.js";

export interface RobustnessRecord {
  readonly network: string;
  readonly data: string;
  readonly norm: "linf" | "l2" | "l1";
  readonly attacks: readonly string[];
  readonly summary: RobustnessSummary;
  /** Signs that gradients do not show how robust the network is. */
  readonly diagnosis: Diagnosis;
  readonly preflight: Preflight;
  readonly samples: readonly SampleRobustness[];
}

export const robustness = defineStudy({
  name: "robustness",
  help: "how much of a network's accuracy attacks leave, by how far they may go",
  options: robustnessOptions,
  about: `Accuracy under the worst of the attacks, of all images and of those that are right
without an attack. A curve cannot rise: an image that has fallen stays so. Then signs of
masked gradients are looked for, by which such a curve would be too good to be true.`,
  examples: [
    "robustness --weights run --out curve.svg",
    "robustness --weights run --data fashion-mnist --count 200 --attack autoattack --eps 0.05,0.1 --checkpoint kept",
    "robustness --weights run --norm l2 --json",
  ],
  drawn: "accuracy over the radius of the attacks",
  tensors: "where tensors live: the best that passes its self-test, or this one",
  check({ resume, eps }, given) {
    expectNetworkFile(given);
    const { checkpoint } = given;
    if (resume && !checkpoint) {
      throw new StudyError("usage", "{resume}: expected {checkpoint} DIR beside it, got none");
    }
    if (eps?.some((radius, i) => i > 0 && radius <= eps[i - 1]!)) {
      throw new StudyError("usage", `{eps}: expected radii that grow, got ${eps.join(",")}`);
    }
  },
  run: runStudy,
  tables,
  figures,
});

/** How many images are through before what is known is kept. */
const part = 25;
const keptName = "robustness.json";

async function* runStudy(
  chosen: RobustnessOptions,
  inputs: InputsOf<typeof robustnessOptions>,
  { openBackend, signal }: StudyContext,
): AsyncGenerator<StudyEvent, RobustnessRecord> {
  await openBackend();
  const { openAttacked } = await import("../attack/open-attacked.js");
  const { attackedImages } = await import("../attack/attacked-images.js");
  const weights = inputs.weights ?? inputs.model!;
  const network = await openAttacked(inputs, chosen);
  try {
    const images = await attackedImages(network, {
      image: undefined,
      data: inputs.data,
      labels: inputs.labels,
      count: chosen.count,
      seed: chosen.seed,
    });
    try {
      const epsilons = chosen.eps ?? usualRadii[chosen.norm];
      const key = {
        weights: await hexDigest(await weights.read(weights.names[0]!)),
        data: images.source,
        count: images.labels.length,
        attack: chosen.attack,
        norm: chosen.norm,
        epsilons,
        seed: chosen.seed,
      };
      const known = chosen.resume ? await readKept(inputs.checkpoint!, key) : [];
      const samples = yield* evaluateParts(network, images, known, { chosen, epsilons, key, signal });
      return yield* toRecord(network, images, samples, { chosen, epsilons, signal });
    } finally {
      images.x.dispose();
    }
  } finally {
    network.dispose();
  }
}

async function* evaluateParts(
  network: AttackedNetwork,
  images: AttackedImages,
  known: readonly SampleRobustness[],
  {
    chosen,
    epsilons,
    key,
    signal,
  }: {
    readonly chosen: RobustnessOptions;
    readonly epsilons: readonly number[];
    readonly key: object;
    readonly signal: AbortSignal;
  },
): AsyncGenerator<StudyEvent, SampleRobustness[]> {
  const { evaluateRobustness } = await import("@gradlab/attacks");
  const { slice } = await import("@tensorflow/tfjs-core");
  const total = images.labels.length;
  const samples = [...known];
  if (known.length > 0) yield { kind: "note", text: `goes on after ${known.length} of ${total} images` };
  while (samples.length < total) {
    const from = samples.length;
    const size = Math.min(part, total - from);
    const x = slice(images.x, [from], [size]);
    try {
      const steps = evaluateRobustness(
        network.classifier,
        await attacksOf(chosen),
        x,
        images.labels.slice(from, from + size),
        {
          epsilons,
          seed: chosen.seed,
          batchSize: chosen.batch,
          preflight: false,
          ids: Array.from({ length: size }, (_, i) => from + i),
          signal,
        },
      );
      let next = await steps.next();
      for (; !next.done; next = await steps.next());
      if (next.value.interrupted) {
        throw new StudyError(
          "interrupted",
          `interrupted after ${from} of ${total} images${from > 0 ? "; {checkpoint} has them ({resume} goes on)" : ""}`,
        );
      }
      samples.push(...next.value.samples);
    } finally {
      x.dispose();
    }
    const standing = samples.filter(({ distance }) => distance === null).length;
    const bytes = new TextEncoder().encode(`${JSON.stringify({ key, samples })}\n`);
    yield { kind: "file", name: keptName, bytes };
    const text = `${samples.length} of ${total} images · ${standing} without an adversarial one`;
    yield { kind: "note", text };
  }
  return samples;
}

async function* toRecord(
  network: AttackedNetwork,
  images: AttackedImages,
  samples: readonly SampleRobustness[],
  {
    chosen,
    epsilons,
    signal,
  }: {
    readonly chosen: RobustnessOptions;
    readonly epsilons: readonly number[];
    readonly signal: AbortSignal;
  },
): AsyncGenerator<StudyEvent, RobustnessRecord> {
  const { diagnose, summarizeRobustness } = await import("@gradlab/attacks");
  const { slice } = await import("@tensorflow/tfjs-core");
  const looked = Math.min(20, images.labels.length);
  const few = slice(images.x, [0], [looked]);
  try {
    const diagnosis = await diagnose(network.classifier, few, images.labels.slice(0, looked), {
      norm: chosen.norm,
      epsilon: epsilons[Math.floor(epsilons.length / 2)]!,
      seed: chosen.seed,
      batchSize: chosen.batch,
      signal,
    });
    signal.throwIfAborted();
    for (const { evidence, advice } of diagnosis.findings) {
      yield { kind: "warning", text: `${evidence}: ${advice}` };
    }
    return {
      network: network.name,
      data: images.source,
      norm: chosen.norm,
      attacks: (await attacksOf(chosen)).map(({ name }) => name),
      summary: summarizeRobustness(samples, epsilons),
      diagnosis,
      preflight: diagnosis.preflight,
      samples,
    };
  } finally {
    few.dispose();
  }
}

async function attacksOf({ attack, norm }: Pick<RobustnessOptions, "attack" | "norm">) {
  const { apgd, autoAttack, fab } = await import("@gradlab/attacks");
  return attack === "autoattack"
    ? [autoAttack({ norm })]
    : [fab({ norm, steps: 15, targets: 3 }), apgd({ norm, steps: 40 })];
}

async function readKept(folder: InputFiles, key: object): Promise<SampleRobustness[]> {
  const kept = JSON.parse(new TextDecoder().decode(await folder.read(keptName))) as {
    readonly key: Record<string, unknown>;
    readonly samples: SampleRobustness[];
  };
  for (const [name, value] of Object.entries(key)) {
    if (JSON.stringify(kept.key[name]) === JSON.stringify(value)) continue;
    // The images that are known stay known when there are more of them.
    if (name === "count" && kept.samples.length <= (value as number)) continue;
    throw new StudyError(
      "usage",
      `{resume}: expected the same ${name} as in ${folder.label}/${keptName}, ${JSON.stringify(kept.key[name])}, got ${JSON.stringify(value)}`,
    );
  }
  return kept.samples;
}

const right = "right" as const;

function tables({ network, norm, attacks, summary, diagnosis }: RobustnessRecord): Table[] {
  const { curve, cleanAccuracy, samples, correct, medianDistance } = summary;
  const rows = [
    ["0", `${correct}`, percent(cleanAccuracy), correct === 0 ? "–" : percent(1)],
    ...curve.map(({ epsilon, standing, robustAccuracy, ofCorrect }) => [
      short(epsilon),
      `${standing}`,
      percent(robustAccuracy),
      ofCorrect === null ? "–" : percent(ofCorrect),
    ]),
  ];
  const columns = [
    { title: `ε in ${norm}`, align: right },
    { title: "standing", align: right },
    { title: "of all", align: right },
    { title: "of the right ones", align: right },
  ];
  const median = medianDistance === null ? "not known" : short(medianDistance);
  return [
    lines(`${network} under ${attacks.join(" and ")}, ${samples} images`),
    { columns, rows, notes: [`half of the right images fall within ${median}`] },
    lines(
      "masked gradients",
      ...(diagnosis.findings.length === 0
        ? ["no sign of them"]
        : diagnosis.findings.map(({ evidence, advice }) => `${evidence}: ${advice}`)),
    ),
  ];
}

function figures(
  { summary, norm }: RobustnessRecord,
  { document }: { readonly document: Document },
): Figure[] {
  const points = (first: number, of: (point: RobustnessSummary["curve"][number]) => number | null) => [
    [0, first] as const,
    ...summary.curve.map((point) => [point.epsilon, of(point) ?? 0] as const),
  ];
  return [
    {
      name: "curve",
      caption:
        "The share of images that are classified right whatever an attack does to them within ε, of all images and of those that are right without an attack. Both are at most that: a stronger attack may find more.",
      svg: linePanels(
        [
          {
            title: "accuracy",
            series: [
              {
                name: "of all images",
                points: points(summary.cleanAccuracy, (point) => point.robustAccuracy),
              },
              { name: "of the right ones", points: points(1, (point) => point.ofCorrect) },
            ],
            domain: [0, 1],
          },
        ],
        { document, xLabel: `ε in ${norm}` },
      ),
    },
  ];
}
