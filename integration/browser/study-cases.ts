import { type InputFiles, type StudyContext, studies } from "@gradlab/studies";

/** A study with small settings. */
export interface StudyCase {
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** Bytes of files by option and path; null for one that a study before has kept. */
  readonly files?: Readonly<Record<string, Readonly<Record<string, Uint8Array | null>>>>;
  /** Engines differ in the last bit of `exp`, `log` and `pow`, which a training makes larger. */
  readonly trains?: true;
}

const training = { optimizer: "adam", init: "he", augment: "flip-crop", validation: 0.25, resume: false };

const text = (content: string) => new TextEncoder().encode(content);

const base64 = (content: string) => Uint8Array.from(atob(content), (character) => character.charCodeAt(0));

/** A compressed file of MATLAB: `P` (2 x 6) and `T` (1 x 6), of a test of datasets. */
const matlab = base64(
  "TUFUTEFCIDUuMCBNQVQtZmlsZSwgZm9yIHRoZSB0ZXN0cyBvZiBncmFkbGFiICAgICAgICAgICAgICAgICAgICAgICAgICAg" +
    "ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAAAAAAAAAAAAABSU0PAAAAgwAAAHic42NgYJgA" +
    "xGxAzAGlQYAVymeCijECYQCQ5gTiBCB26c55/nvly/0ny/bNl9L/uj/CcsuJsn3n9z+sElnn/vCW/WQJljA+3U/2mjH9h75q" +
    "7LGXBHE3Pdwv3/o6cIfcy/3a7WI3z31/DpX/Ze+27fPfKxUX7d/V2JvG7fq8HwB1MzUcDwAAAFcAAAB4nONjYGBIAGI2IOaA" +
    "0iDACuUzQsUYgTAESHMCsQEQc11fXGDL9dxeWv+uClvjVvtNc98vP+bN6fCuxt40btdTe5YwPt1Nc1/bc6yRiUqxZnMAAFFs" +
    "FMM=",
);

/** With the checkpoint that the training before has kept. */
const classified: StudyCase = {
  name: "classify",
  options: { top: 3, seed: 0 },
  files: { weights: { "last.safetensors": null }, image: { "waves.png": text("") } },
  trains: true,
};

export const studyCases: readonly StudyCase[] = [
  {
    name: "receptive-field",
    options: {
      spec: "conv1 5/1 p2, pool1 2/2, a 3/1 p1, sum = pool1 + a",
      origin: "one",
      measure: true,
      input: [14, 12],
    },
  },
  {
    name: "receptive-field",
    options: { origin: "index", measure: false, pixel: [3, 4] },
    files: {
      model: {
        "graph.json": text(
          JSON.stringify({
            input: { shape: [12, 12], channels: 1 },
            layers: [{ name: "conv1", op: "conv", kernel: 3, padding: "same", filters: 2 }],
          }),
        ),
      },
    },
  },
  {
    name: "lms",
    options: { algorithm: "lms", sweep: [0.01, 1], epochs: 3, lambda: 1, leak: 0.01, order: 2, seed: 5 },
  },
  {
    name: "lms",
    options: { algorithm: "rls", epochs: 2, lambda: 0.99, leak: 0.01, order: 2, seed: 0 },
    files: { dataFile: { "rows.csv": text("a,b\n1,2.5\n2,4\n3,7.25\n4,8\n") } },
  },
  {
    name: "lms",
    options: { algorithm: "lms", variable: "P,T", epochs: 4, lambda: 1, leak: 0.01, order: 2, seed: 0 },
    files: { dataFile: { "rows.mat": matlab } },
  },
  {
    name: "summary",
    options: {
      spec: "conv1 5 p2 f3, bn, tanh, pool1 2/2, flatten, dense",
      input: [12, 10],
      channels: 2,
      classes: 4,
      policy: "macs",
    },
  },
  { name: "summary", options: { net: "lenet", width: [2, 3, 8, 6], policy: "everything" } },
  {
    name: "train-cnn",
    options: {
      net: "lenet-relu",
      width: [2, 3, 8, 6],
      count: 40,
      epochs: 2,
      batch: 20,
      ...training,
      seed: 3,
    },
    files: { checkpoint: {} },
    trains: true,
  },
  classified,
  {
    name: "attack",
    options: { attack: "pgd", targeted: true, eps: 0.01, restarts: 0, steps: 4, count: 2, batch: 2, seed: 2 },
    files: { weights: { "last.safetensors": null } },
    trains: true,
  },
  {
    name: "robustness",
    options: { attack: "quick", norm: "l2", eps: [0.2, 0.6], count: 2, batch: 2, resume: false, seed: 1 },
    files: { weights: { "last.safetensors": null }, checkpoint: {} },
    trains: true,
  },
  {
    name: "train-cnn",
    options: {
      spec: "conv1 5/2 f3 nobias, bn, tanh, flatten, dropout 0.2, dense",
      count: 40,
      epochs: 1,
      batch: 20,
      ...training,
      optimizer: "adamw",
      weightDecay: 0.1,
      seed: 3,
    },
    files: { checkpoint: {} },
    trains: true,
  },
  classified,
  {
    name: "attention-check",
    options: { tokens: 4, width: 6, heads: 3, position: "sinusoidal", causal: true, seed: 2 },
    trains: true,
  },
  {
    name: "train-gpt",
    options: {
      ...{
        task: "sort",
        length: 3,
        symbols: 4,
        context: 8,
        width: 8,
        layers: 1,
        heads: 2,
        position: "rotary",
      },
      ...{ dropout: 0.1, steps: 4, batch: 5, lr: 0.003, resume: false, seed: 1 },
    },
    files: { checkpoint: {} },
    trains: true,
  },
  {
    name: "train-lm",
    options: {
      tokens: 400,
      level: "words",
      minCount: 1,
      cell: "lstm",
      embedding: 4,
      hidden: 6,
      layers: 2,
      tied: false,
      forgetBias: 1,
      batch: 4,
      steps: 10,
      epochs: 2,
      optimizer: "adam",
      lr: 0.02,
      clip: 0.5,
      dropout: 0.1,
      dropWords: 0.1,
      dropConnect: 0.1,
      feeding: "teacher",
      decay: "cosine",
      decayBy: 0.5,
      decayAfter: 1,
      tensorBoard: false,
      resume: false,
      seed: 3,
    },
    files: { checkpoint: {} },
    trains: true,
  },
  // Greedy: what is drawn may differ where a probability does in its last bit.
  {
    name: "sample",
    options: { prompt: "the", length: 5, greedy: true, stop: false, seed: 0 },
    files: { model: { "last.safetensors": null } },
    trains: true,
  },
  {
    name: "perplexity",
    options: { text: "the old dog sleeps\n", each: false },
    files: { model: { "last.safetensors": null } },
    trains: true,
  },
  {
    name: "embedding",
    options: { words: "dog,dogs", count: 3, by: "cosine" },
    files: { model: { "last.safetensors": null } },
    trains: true,
  },
  {
    name: "gradient-flow",
    options: { hidden: 5, scheme: "orthogonal", gain: 1.2, forgetBias: 1, steps: 8, seed: 2 },
    trains: true,
  },
  {
    name: "train-gpt",
    options: {
      ...{ task: "copy", length: 8, symbols: 10, bytePairs: 262, context: 6, width: 8, layers: 1, heads: 2 },
      ...{ position: "alibi", dropout: 0, steps: 12, batch: 5, lr: 0.03, resume: false, seed: 1 },
    },
    files: { text: { "text.txt": text("läuft der Käfer, läuft er\n".repeat(12)) }, checkpoint: {} },
    trains: true,
  },
  {
    name: "sample",
    options: { prompt: "läuft", length: 5, greedy: true, stop: false, seed: 0 },
    files: { model: { "last.safetensors": null } },
    trains: true,
  },
  { name: "gates", options: { inputs: 3 } },
  { name: "gates", options: { inputs: 2, gate: "xor" } },
  { name: "backprop-check", options: { cases: 5, tolerance: 1e-8, seed: 1 } },
  { name: "doctor", options: { benchmark: false } },
];

/** A picture that needs no decoder: waves. */
const waves: InputFiles["decode"] = async () => {
  const data = Uint8Array.from({ length: 3 * 28 * 28 }, (_, i) => {
    const [y, x] = [Math.floor(i / 84), Math.floor(i / 3) % 28];
    return (9 * y + 3 * x * y) % 256;
  });
  return { width: 28, height: 28, data };
};

/** Runs all cases where it stands, with files out of memory; returns their records as plain data. */
export async function runStudyCases(): Promise<unknown[]> {
  const context = await cpuContext();
  const kept = new Map<string, Uint8Array>();
  const records: unknown[] = [];
  for (const one of studyCases) records.push(await runStudyCase(one, context, kept));
  return records;
}

async function runStudyCase(
  { name, options, files = {} }: StudyCase,
  context: StudyContext,
  kept: Map<string, Uint8Array>,
): Promise<unknown> {
  const study = studies.find((one) => one.name === name)!;
  const inputs = Object.fromEntries(
    Object.entries(files).map(([option, contents]): [string, InputFiles] => {
      const names = Object.keys(contents);
      const read = async (path: string) => {
        const bytes = contents[path] ?? kept.get(path);
        if (bytes === undefined) throw new Error(`${path}: no such file`);
        return bytes;
      };
      const start = async (path: string, length: number) => (await read(path)).subarray(0, length);
      return [option, { label: names[0] ?? option, names, read, start, decode: waves }];
    }),
  );
  const events = study.run(options, inputs, context);
  let next = await events.next();
  for (; !next.done; next = await events.next()) {
    if (next.value.kind === "file") kept.set(next.value.name, next.value.bytes);
  }
  return plain(next.value);
}

/** As JSON has it, typed arrays as lists, so that both sides can be compared. */
function plain(value: unknown): unknown {
  if (value === 0) return 0; // no −0
  if (ArrayBuffer.isView(value)) return Array.from(value as Float64Array);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, plain(entry)]));
}

/** What studies are lent: the cpu backend, which every place has. */
async function cpuContext(): Promise<StudyContext> {
  const { doctor, selectBackend } = await import("@gradlab/backend-select");
  const { signal } = new AbortController();
  return {
    signal,
    openBackend: async () => {
      const { backend, device, software } = await selectBackend({
        only: "cpu",
        requireGradients: true,
        signal,
      });
      return { name: backend, device, software };
    },
    diagnose: (options) => doctor({ ...options, only: "cpu", requireGradients: true, signal }),
  };
}
