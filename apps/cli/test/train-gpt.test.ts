import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { corpusOf } from "@gradlab/datasets";
import { expect, test } from "vitest";
import { gradlab, temporaryFolder } from "./run-gradlab.js";

const wasm = ["--backend", "wasm", "--json", "--quiet"];

const tiny = [
  ...["train-gpt", "--length", "3", "--symbols", "4", "--width", "16", "--layers", "1", "--heads", "2"],
  ...["--batch", "16", "--lr", "0.01", "--dropout", "0.1", "--backend", "wasm"],
];

test("a tiny GPT learns to reverse three symbols, and says what it writes", async () => {
  const folder = await temporaryFolder();
  const [checkpoint, log] = [join(folder, "run"), join(folder, "log.jsonl")];
  const argv = [...tiny.filter((word) => word !== "--dropout" && word !== "0.1"), "--task", "reverse"];
  const { code, stdout } = await gradlab([
    ...[...argv, "--steps", "300", "--json", "--quiet"],
    ...["--checkpoint", checkpoint, "--log", log],
  ]);
  expect(code).toBe(0);
  const result = JSON.parse(stdout);
  expect(result).toMatchObject({
    command: "train-gpt",
    config: { vocabulary: 5, context: 6, width: 16, layers: 1, heads: 2, position: "learned" },
    data: { source: "reverse", kind: "task", characters: null },
    steps: 300,
    checkpoint: join(checkpoint, "last.safetensors"),
  });
  expect(result.history.map(({ step }: { step: number }) => step)).toEqual([50, 100, 150, 200, 250, 300]);
  expect(result.history.at(-1).exact).toBeGreaterThan(0.95);
  expect(result.history.at(-1).testLoss).toBeLessThan(result.history[0].testLoss);
  expect(result.examples).toHaveLength(3);
  for (const { read, known } of result.examples) {
    expect(read).toMatch(/^\d \d \d \|$/);
    expect(known).toBe([...read.slice(0, 5)].reverse().join(""));
  }
  const lines = (await readFile(log, "utf8")).trim().split("\n");
  expect(lines).toHaveLength(300);
}, 60_000);

test("a training that is resumed ends in the bytes of one that was not interrupted; other options are refused", async () => {
  const folder = await temporaryFolder();
  const [whole, halves] = [join(folder, "whole"), join(folder, "halves")];
  const run = (to: string, ...more: string[]) =>
    gradlab([...tiny, "--steps", "60", "--quiet", "--checkpoint", to, ...more]);
  expect((await run(whole)).code).toBe(0);
  const stop = new AbortController();
  const interrupted = await gradlab([...tiny, "--steps", "60", "--checkpoint", halves], {
    signal: stop.signal,
    onLog: (text) => {
      if (text.includes("step 50 of 60")) stop.abort(new Error("interrupted"));
    },
  });
  expect(interrupted.code).toBe(130);
  expect(interrupted.stderr).toMatch(
    /interrupted after step \d+; .*last\.safetensors holds it \(--resume goes on\)/,
  );
  expect((await run(halves, "--resume", "--width", "32")).stderr).toContain("--width: expected 16 as in");
  expect((await run(halves, "--resume", "--task", "sort")).stderr).toContain(
    "--task: expected the one as in",
  );
  expect((await run(halves, "--resume")).code).toBe(0);
  const bytes = (of: string) => readFile(join(of, "last.safetensors"));
  expect((await bytes(halves)).equals(await bytes(whole))).toBe(true);
}, 60_000);

test("a text is learned by its characters; one that is too short is refused", async () => {
  const folder = await temporaryFolder();
  const file = join(folder, "text.txt");
  await writeFile(file, "abc ".repeat(200));
  const argv = [...tiny, "--text", file, "--context", "8", "--steps", "60", "--json", "--quiet"];
  const { code, stdout } = await gradlab(argv);
  expect(code).toBe(0);
  const { data, history, examples } = JSON.parse(stdout);
  expect(data).toMatchObject({ kind: "text", characters: "abc " });
  expect(history.at(-1).exact).toBe(null);
  expect(history.at(-1).testLoss).toBeLessThan(0.3); // log 4 = 1.39 of a model that knows nothing
  expect("abc abc abc abc ".includes(examples[0].read)).toBe(true);
  // And as a language model: longer than its context, and by how much it is surprised.
  const run = join(folder, "run");
  expect((await gradlab([...argv.slice(0, -2), "--quiet", "--checkpoint", run])).code).toBe(0);
  const said = await gradlab([
    "sample",
    "--model",
    run,
    "--prompt",
    "bc a",
    "--greedy",
    "--length",
    "30",
    ...wasm,
  ]);
  expect(said.code).toBe(0);
  expect(JSON.parse(said.stdout)).toMatchObject({ model: "GPT of 1 blocks of width 16, 4 tokens" });
  expect("abc ".repeat(20)).toContain(JSON.parse(said.stdout).text.trim());
  const other = join(folder, "other.txt");
  await writeFile(other, "abc ".repeat(30));
  const judged = await gradlab(["perplexity", "--model", run, "--file", other, ...wasm]);
  expect([judged.code, judged.stderr]).toEqual([0, ""]);
  expect(JSON.parse(judged.stdout).perplexity).toBeLessThan(1.5);
  await writeFile(file, "abc ".repeat(10));
  const short = await gradlab(argv);
  expect([short.code, short.stderr]).toEqual([
    1,
    expect.stringContaining("expected at least 90 characters, got 40"),
  ]);
});

test("a text is learned by byte pairs, and its checkpoint knows them: it goes on with texts, judges and compares", async () => {
  const folder = await temporaryFolder();
  const [file, run] = [join(folder, "text.txt"), join(folder, "run")];
  await writeFile(file, "the käfer läuft, the käfer ruht\n".repeat(40));
  const argv = [
    ...[...tiny.filter((word) => word !== "--dropout" && word !== "0.1"), "--text", file],
    ...["--context", "8", "--steps", "100", "--quiet", "--checkpoint", run],
  ];
  const learned = await gradlab([...argv, "--byte-pairs", "270", "--json"]);
  expect([learned.code, learned.stderr]).toEqual([0, ""]);
  const { config, data, history } = JSON.parse(learned.stdout);
  expect(config.vocabulary).toBe(270);
  expect(data).toMatchObject({ kind: "text", characters: null, bytePairs: 270 });
  expect(data.charactersPerToken).toBeGreaterThan(2);
  expect(history.at(-1).testLoss).toBeLessThan(0.5); // log 270 = 5.6 of a model that knows nothing
  const ask = async (...words: string[]) => {
    const { code, stdout, stderr } = await gradlab([...words, "--model", run, ...wasm]);
    expect([code, stderr]).toEqual([0, ""]);
    return JSON.parse(stdout);
  };
  const said = await ask("sample", "--prompt", "the käfer läuft,", "--greedy", "--length", "12");
  expect(said.text).toContain("the käfer läuft, the käfer ruht");
  expect(said.tokens.map(({ token }: { token: string }) => token)).toContain(" the");
  const judged = await ask("perplexity", "--text", "the käfer läuft, the zebra");
  expect(judged.words[0].token).toBe("the");
  const of = (text: string) => judged.words.find(({ token }: { token: string }) => token === text).surprise;
  expect(of("z")).toBeGreaterThan(of(" the") + 2);
  const { neighbours } = await ask("embedding", "--words", " the, käfer", "--count", "3");
  expect(neighbours.map(({ word }: { word: string }) => word)).toEqual([" the", " käfer"]);

  const parts = await gradlab(["embedding", "--model", run, "--words", "zebra", ...wasm]);
  expect([parts.code, parts.stderr]).toEqual([
    2,
    expect.stringContaining(
      '--words: expected words that are one token, with the space before them, got \\"zebra\\"',
    ),
  ]);

  // Other pairs are another training; the same ones go on.
  const other = await gradlab([...argv, "--byte-pairs", "268", "--resume"]);
  expect([other.code, other.stderr]).toEqual([
    2,
    expect.stringContaining("--byte-pairs: expected 270 as in"),
  ]);
  expect((await gradlab([...argv, "--byte-pairs", "270", "--resume"])).code).toBe(0);

  // The pairs of files, as GPT-2's: those of the checkpoint.
  const header = (await readFile(join(run, "last.safetensors"))).toString("latin1");
  expect(header).toContain("byte-pairs");
  const { dictionary } = corpusOf(await readFile(file, "utf8"), { level: "byte-pairs", vocabulary: 270 });
  const [vocab, merges] = [join(folder, "vocab.json"), join(folder, "merges.txt")];
  await writeFile(
    vocab,
    JSON.stringify(Object.fromEntries(dictionary.tokens.map((token, id) => [token, id]))),
  );
  await writeFile(merges, `#version: 0.2\n${dictionary.merges!.join("\n")}\n`);
  const byFiles = [...argv, "--vocab", vocab, "--merges", merges];
  expect((await gradlab([...byFiles, "--resume"])).code).toBe(0); // the same pairs are the same training
  await writeFile(merges, `#version: 0.2\n${dictionary.merges!.slice(1).join("\n")}\n`);
  const fewer = await gradlab([...byFiles, "--resume"]);
  expect([fewer.code, fewer.stderr]).toEqual([2, expect.stringContaining("--text: expected the one as in")]);
  await writeFile(merges, "a b c");
  const broken = await gradlab(byFiles);
  expect([broken.code, broken.stderr]).toEqual([
    1,
    expect.stringContaining("merges.txt: merges: line 1: expected two tokens and a space between them"),
  ]);
}, 60_000);

test("options that do not go together are wrong usage", async () => {
  for (const [argv, message] of [
    [["--heads", "3"], "--heads: expected a divisor of --width 64, got 3"],
    [["--resume"], "--resume: expected --checkpoint DIR beside it, got none"],
    [["--position", "rotary", "--heads", "64"], "--width: expected an even number for each head"],
    [["--byte-pairs", "300"], "--byte-pairs: expected --text FILE beside it, got none"],
    [["--vocab", "a", "--merges", "b"], "--vocab: expected --text FILE beside it, got none"],
    [["--text", "c", "--merges", "b"], "--merges: expected --vocab FILE beside it, got none"],
    [
      ["--text", "c", "--vocab", "a", "--merges", "b", "--byte-pairs", "300"],
      "--byte-pairs: expected none beside --vocab, which has its own",
    ],
  ] as const) {
    const { code, stderr } = await gradlab(["train-gpt", ...argv]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  }
});
