import { selectBackend } from "@gradlab/backend-select";
import { pngFile, svgText } from "@gradlab/figures";
import {
  type AttackRecord,
  exampleOptions,
  type InputFiles,
  type Picture,
  type Study,
  type StudyContext,
  studies,
} from "@gradlab/studies";
import { JSDOM } from "jsdom";
import { accessibleSvg } from "../src/accessible-svg.js";
import { firstOptions } from "../src/first-options.js";
import type { FirstResult } from "../src/first-result.js";
import { builtNetworks, keptNetwork, neededFiles } from "../src/needed-files.js";

/** What is made when the lab is built. */
export interface FirstResults {
  readonly results: readonly FirstResult[];
  /** Networks and pictures by their names. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** The names of pictures that a network can be shown. */
  readonly examples: readonly string[];
}

/** What every page shows first: the study with its first settings, run where the lab is built. */
export async function firstResults(): Promise<FirstResults> {
  const results: FirstResult[] = [];
  const files = new Map<string, Uint8Array>();
  let examples = new Map<string, Picture>();
  for (const study of studies) {
    const needed = neededFiles[study.name];
    const network = needed && builtNetworks[needed.from];
    const inputs: Record<string, InputFiles> = {};
    if (network !== undefined) inputs[needed!.option] = inputFile(network, files.get(network)!);
    if (study.name === "classify") {
      examples = await examplePictures(inputs);
      for (const [name, picture] of examples) files.set(name, pngFile(picture));
      const [[name, picture]] = [...examples] as [[string, Picture]];
      inputs.image = { ...inputFile(name, files.get(name)!), decode: async () => picture };
    }
    results.push(
      await firstResult(study, inputs, (name, bytes) => {
        const built = builtNetworks[study.name];
        if (built !== undefined && name === keptNetwork) files.set(built, bytes);
      }),
    );
  }
  return { results, files, examples: [...examples.keys()] };
}

async function firstResult(
  study: Study,
  inputs: Readonly<Record<string, InputFiles>>,
  keep: (name: string, bytes: Uint8Array) => void,
): Promise<FirstResult> {
  const { name, help } = study;
  const options = firstOptions(study);
  // Without an example there is nothing to show before the visitor's own files; of the builder's machine nobody asks.
  const isEmpty = exampleOptions(study) === null && Object.keys(inputs).length === 0;
  if (isEmpty || name === "doctor") return { name, help, options, shown: null };
  const record = await recordOf(study, options, inputs, keep);
  const { document } = new JSDOM("").window;
  return {
    name,
    help,
    options,
    shown: {
      tables: study.tables(record, "wasm"),
      figures:
        study.drawn === null
          ? []
          : (study.figures?.(record, { document }) ?? []).map(({ caption, svg }) => ({
              caption,
              svg: svgText(accessibleSvg(svg, caption)),
            })),
    },
  };
}

async function recordOf(
  study: Study,
  options: Readonly<Record<string, unknown>>,
  inputs: Readonly<Record<string, InputFiles>>,
  keep: (name: string, bytes: Uint8Array) => void,
): Promise<object> {
  const folders =
    study.name in builtNetworks ? { checkpoint: { ...inputFile("", new Uint8Array()), names: [] } } : {};
  const events = study.run(options, { ...folders, ...inputs }, context);
  for (let next = await events.next(); ; next = await events.next()) {
    if (next.done) return next.value;
    if (next.value.kind === "file") keep(next.value.name, next.value.bytes);
  }
}

/** The first picture of each class that an attack on generated images has before it and the network sees rightly. */
async function examplePictures(inputs: Readonly<Record<string, InputFiles>>): Promise<Map<string, Picture>> {
  const study = studies.find(({ name }) => name === "attack")!;
  const options = { ...firstOptions(study), attack: "fgsm", eps: 0, count: 60, seed: 1 };
  const { samples, classes, beside } = (await recordOf(
    study,
    options,
    inputs,
    () => undefined,
  )) as AttackRecord;
  const pictures = new Map<string, Picture>();
  for (const [i, { label, cleanPrediction }] of samples.entries()) {
    if (cleanPrediction !== label) continue;
    const name = `${classes[label]!.replaceAll(" ", "-")}.png`;
    if (!pictures.has(name)) pictures.set(name, beside.pictures[i]!.clean);
  }
  return pictures;
}

const inputFile = (label: string, bytes: Uint8Array): InputFiles => ({
  label,
  names: [label],
  read: async () => bytes,
  start: async (_, length) => bytes.subarray(0, length),
  decode: () => Promise.reject(new Error(`${label}: no picture`)),
});

const { signal } = new AbortController();

const context: StudyContext = {
  signal,
  openBackend: async () => {
    const { backend, device, software } = await selectBackend({ only: "wasm", signal });
    return { name: backend, device, software };
  },
  diagnose: () => Promise.reject(new Error("the machine that builds the lab is not looked at")),
};
