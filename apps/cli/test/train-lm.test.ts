import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generateText } from "@gradlab/datasets";
import { readSafetensors } from "@gradlab/safetensors";
import { expect, test } from "vitest";
import { gradlab, temporaryFolder } from "./run-gradlab.js";

const wasm = ["--backend", "wasm"];

/** 1,000 tokens in 9 steps an epoch: a second. */
const tiny = [
  "train-lm", "--tokens", "1000", "--batch", "10", "--steps", "10", "--embedding", "4", "--hidden", "8", "--lr", "0.02",
]; // biome-ignore format: a command line

async function noteOf(file: string) {
  const { metadata } = readSafetensors(await readFile(file));
  const { step, extra } = JSON.parse(metadata.get("gradlab.training")!);
  return { step, ...extra["language-model"] };
}

test("a training writes its record, its log and its checkpoints; sample and perplexity take them", async () => {
  const folder = await temporaryFolder();
  const [run, log, figure] = ["run", "log.jsonl", "curves.svg"].map((name) => join(folder, name)) as [string, string, string]; // biome-ignore format: one line
  const { code, stdout, stderr } = await gradlab([
    ...tiny, ...wasm, "--epochs", "2", "--json", "--checkpoint", run, "--log", log, "--out", figure,
  ]); // biome-ignore format: a command line
  expect(stderr).toMatch(/epoch 2 of 2 · loss .* · validation perplexity/);
  expect(code).toBe(0);
  const result = JSON.parse(stdout);
  expect(result).toMatchObject({
    command: "train-lm",
    backend: { actual: "wasm" },
    model: { kind: "rnn-lm", cell: "lstm", embedding: 4, hidden: 8, layers: 1 },
    data: { source: "sentences", level: "words" },
    optimizer: { name: "adam", learningRate: 0.02 },
    stopped: "epochs",
    checkpoint: join(run, "last.safetensors"),
  });
  expect(result.data.optimum).toBeGreaterThan(4);
  // The last look at the watched text in training is the one that is reported; every token but the first is counted.
  expect(result.epochs[1].validPerplexity).toBe(result.valid.perplexity);
  expect(result.valid.tokens).toBe(result.data.valid - 1);
  expect(result.valid.perplexity).toBeLessThan(result.data.types);
  expect(result.valid.perplexity).toBeGreaterThan(result.data.optimum);
  const lines = (await readFile(log, "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines.filter(({ kind }) => kind === "epoch").length).toBe(2);
  expect(lines.filter(({ kind }) => kind === "step").length).toBe(result.steps);
  expect(await readFile(figure, "utf8")).toContain("perplexity");

  const said = JSON.parse((await gradlab(["sample", "--model", run, "--prompt", "the old", "--length", "9", "--json", ...wasm])).stdout); // biome-ignore format: a command line
  expect(said.tokens.length).toBe(9);
  expect(said.text.startsWith("the old")).toBe(true);
  const greedy = async (...more: string[]) =>
    JSON.parse(
      (await gradlab(["sample", "--model", run, "--length", "5", "--json", ...wasm, ...more])).stdout,
    ).text;
  // Temperature 0 and a single beam are both the likeliest token each time.
  expect(await greedy("--temperature", "0")).toBe(await greedy("--greedy"));
  expect(await greedy("--beams", "1")).toBe(await greedy("--greedy"));

  const file = join(folder, "text.txt");
  await writeFile(file, "the cat sees it\n");
  const judge = async (...source: string[]) =>
    JSON.parse((await gradlab(["perplexity", "--model", run, ...source, "--json", ...wasm])).stdout);
  const judged = await judge("--file", file);
  expect(judged.words.map(({ token }: { token: string }) => token)).toEqual([
    "the",
    "cat",
    "sees",
    "it",
    "<eos>",
  ]);
  const mean =
    judged.words.reduce((sum: number, { surprise }: { surprise: number }) => sum + surprise, 0) / 5;
  expect(judged.perplexity).toBeCloseTo(Math.exp(mean), 10);
  expect((await judge("--text", "the cat sees it\n")).perplexity).toBe(judged.perplexity);

  const near = JSON.parse((await gradlab(["embedding", "--model", run, "--words", "dog, cat,the", "--count", "2", "--json", ...wasm])).stdout); // biome-ignore format: a command line
  expect(near.pairs.map(({ words }: { words: string[] }) => words.join())).toEqual([
    "dog,cat",
    "dog,the",
    "cat,the",
  ]);
  expect(near.neighbours[0].nearest.length).toBe(2);
  expect(near.pairs[0].cosine).toBeGreaterThanOrEqual(near.neighbours[0].nearest[0].cosine);
  const zebra = await gradlab(["embedding", "--model", run, "--words", "zebra", ...wasm]);
  expect([zebra.code, zebra.stderr]).toEqual([2, expect.stringContaining("--words")]);

  const svg = join(folder, "flow.svg");
  const flow = JSON.parse((await gradlab(["gradient-flow", "--model", run, "--steps", "12", "--json", "--out", svg, ...wasm])).stdout); // biome-ignore format: a command line
  expect(flow.flows.map(({ name, norms }: { name: string; norms: number[] }) => [name, norms.length])).toEqual([["layer 1", 11]]); // biome-ignore format: one line
  for (const { norms, bounds } of flow.flows) {
    for (const [i, norm] of norms.entries()) expect(norm).toBeLessThanOrEqual(bounds[i]);
  }
  expect(await readFile(svg, "utf8")).toContain("bound of layer 1");
}, 60_000);

test("a training that is interrupted and resumed ends in the bytes of one that was not", async () => {
  const folder = await temporaryFolder();
  const [whole, parts] = [join(folder, "whole"), join(folder, "parts")];
  const options = [...tiny, ...wasm, "--epochs", "2", "--dropout", "0.2"];
  await gradlab([...options, "--checkpoint", whole]);
  const stop = new AbortController();
  const first = await gradlab([...options, "--checkpoint", parts], {
    signal: stop.signal,
    onLog: (text) => text.includes("epoch 1 of 2") && stop.abort(),
  });
  expect(first.code).toBe(130);
  expect(first.stderr).toContain("--resume goes on");
  const resumed = await gradlab([...options, "--checkpoint", parts, "--resume"]);
  expect(resumed.code).toBe(0);
  const bytes = (run: string) => readFile(join(run, "last.safetensors"));
  expect((await bytes(parts)).equals(await bytes(whole))).toBe(true);
  const other = await gradlab([...options, "--checkpoint", parts, "--resume", "--hidden", "9"]);
  expect([other.code, other.stderr]).toEqual([
    2,
    expect.stringContaining(`--hidden: expected 8 as in ${join(parts, "last.safetensors")}, got 9`),
  ]);
}, 60_000);

test("rates that fall, averages, its own words to read, noise, samples and TensorBoard: all of it resumed to the bit", async () => {
  const folder = await temporaryFolder();
  const path = (name: string) => join(folder, name);
  const options = [
    ...tiny, ...wasm, "--optimizer", "sgd", "--lr", "1", "--epochs", "4", "--decay", "epochs", "--decay-after", "2",
    "--asgd", "1", "--feeding", "linear", "--drop-connect", "0.1", "--drop-words", "0.1",
    "--sample-every", "9", "--noise-every", "4", "--tensor-board",
  ]; // biome-ignore format: a command line
  const whole = await gradlab([
    ...options,
    "--checkpoint",
    path("whole"),
    "--log",
    path("log.jsonl"),
    "--json",
  ]);
  expect(whole.code).toBe(0);
  const rates = JSON.parse(whole.stdout).epochs.map(
    ({ learningRate }: { learningRate: number }) => learningRate,
  );
  expect(rates).toEqual([1, 1, 0.5, 0.25]);
  const kinds = (await readFile(path("log.jsonl"), "utf8")).trim().split("\n").map((line) => JSON.parse(line).kind); // biome-ignore format: one line
  const count = (kind: string) => kinds.filter((one) => one === kind).length;
  const steps = JSON.parse(whole.stdout).steps;
  expect(["step", "noise", "sample", "epoch"].map(count)).toEqual([steps, Math.floor(steps / 4), Math.floor(steps / 9), 4]); // biome-ignore format: one line
  const events = await readFile(join(path("whole"), "events.out.tfevents.0.gradlab"));
  expect(events.includes("validation perplexity") && events.includes("noise/layers.0.recurrent")).toBe(true);
  const stop = new AbortController();
  const parts = [...options, "--checkpoint", path("parts")];
  await gradlab(parts, {
    signal: stop.signal,
    onLog: (text) => text.includes("epoch 3 of 4") && stop.abort(),
  });
  expect((await gradlab([...parts, "--resume"])).code).toBe(0);
  const bytes = (run: string) => readFile(join(path(run), "last.safetensors"));
  expect((await bytes("parts")).equals(await bytes("whole"))).toBe(true);
  // Steps that are far too large: the watched text gets worse, the rate falls, and the weights are averaged.
  const rough = await gradlab([...tiny, ...wasm, "--epochs", "6", "--optimizer", "sgd", "--lr", "60", "--decay", "plateau", "--asgd", "1", "--json"]); // biome-ignore format: a command line
  expect(rough.code).toBe(0);
  expect(rough.stderr).toContain("the weights are averaged from now on");
  const { epochs } = JSON.parse(rough.stdout);
  const worse = epochs.findIndex(({ validPerplexity }: { validPerplexity: number }, i: number) => i > 0 && validPerplexity > epochs[i - 1].validPerplexity); // biome-ignore format: one line
  expect(epochs.map(({ learningRate }: { learningRate: number }) => learningRate).slice(worse, worse + 2)).toEqual([60, 30]); // biome-ignore format: one line
  const part = await gradlab([...tiny, ...wasm, "--epochs", "1", "--sampled", "12", "--json", "--out", path("part.svg")]); // biome-ignore format: a command line
  expect(JSON.parse(part.stdout).epochs[0]).toMatchObject({
    perplexity: null,
    validPerplexity: expect.any(Number),
  });
  const refused = await gradlab([...parts, "--resume", "--decay", "cosine"]);
  expect([refused.code, refused.stderr]).toEqual([
    2,
    expect.stringContaining("--decay: expected epochs as in"),
  ]);
}, 60_000);

test("own files: characters, unknown words, texts that are too short, and files that are no checkpoint", async () => {
  const folder = await temporaryFolder();
  const path = (name: string) => join(folder, name);
  await writeFile(path("train.txt"), generateText({ tokens: 400 }));
  await writeFile(path("other.txt"), "the zebra sleeps\n");
  await writeFile(path("short.txt"), "a b\n");
  await writeFile(path("empty.txt"), "");
  const small = [
    "--batch",
    "4",
    "--steps",
    "5",
    "--embedding",
    "4",
    "--hidden",
    "4",
    "--epochs",
    "1",
    ...wasm,
  ];
  const run = (corpus: string, ...more: string[]) =>
    gradlab(["train-lm", "--corpus", path(corpus), ...small, ...more]);
  const failure = async (corpus: string, ...more: string[]) => {
    const { code, stderr } = await run(corpus, ...more);
    return [code, stderr];
  };
  expect(await failure("train.txt", "--valid", path("other.txt"))).toEqual([
    1,
    expect.stringContaining('of a dictionary without <unk>, got "zebra"; a --min-count of 2'),
  ]);
  expect(await failure("empty.txt")).toEqual([
    1,
    expect.stringContaining("expected at least one word, got none"),
  ]);
  expect(await failure("short.txt")).toEqual([
    2,
    expect.stringContaining(
      "--batch, --steps: ids: expected at least 24 tokens for 4 columns of 5 and their targets, got 3",
    ),
  ]);
  expect((await run("train.txt", "--valid", path("other.txt"), "--min-count", "2")).code).toBe(0);
  const characters = await run("train.txt", "--level", "characters", "--cell", "gru", "--checkpoint", path("c"), "--json"); // biome-ignore format: a command line
  expect(JSON.parse(characters.stdout)).toMatchObject({
    model: { cell: "gru" },
    data: { optimum: null, valid: 0 },
  });
  const unknown = await gradlab(["perplexity", "--model", path("c"), "--text", "the Z", ...wasm]);
  expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining("--text: expected one of")]);
  const none = await gradlab(["sample", "--model", path("train.txt"), ...wasm]);
  expect([none.code, none.stderr]).toEqual([1, expect.stringContaining(path("train.txt"))]);
  const whole = await readFile(join(path("c"), "last.safetensors"));
  await writeFile(path("cut.safetensors"), whole.subarray(0, whole.length - 10));
  const cut = await gradlab(["sample", "--model", path("cut.safetensors"), ...wasm]);
  expect([cut.code, cut.stderr]).toEqual([1, expect.stringContaining(path("cut.safetensors"))]);
  expect((await noteOf(join(path("c"), "last.safetensors"))).kind).toBe("rnn-lm");
}, 60_000);
