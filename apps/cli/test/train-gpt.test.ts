import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
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

test("options that do not go together are wrong usage", async () => {
  for (const [argv, message] of [
    [["--heads", "3"], "--heads: expected a divisor of --width 64, got 3"],
    [["--resume"], "--resume: expected --checkpoint DIR beside it, got none"],
    [["--position", "rotary", "--heads", "64"], "--width: expected an even number for each head"],
  ] as const) {
    const { code, stderr } = await gradlab(["train-gpt", ...argv]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  }
});
