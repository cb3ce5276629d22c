import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  corpusOf,
  decodeIds,
  encodeText,
  generateText,
  grammarFacts,
  grammarSurprises,
  parseDictionary,
  readCorpus,
  sentenceGrammar,
  textColumns,
  tokenId,
} from "../src/index.js";

test("words are numbered by first appearance, and every line ends, the last one too", () => {
  const { dictionary, ids } = corpusOf("a b\r\n\n  b\tc");
  expect(dictionary).toEqual({ level: "words", tokens: ["a", "b", "<eos>", "c"] });
  expect([...ids]).toEqual([0, 1, 2, 2, 1, 3, 2]);
  expect(decodeIds(dictionary, ids)).toBe("a b\n\nb c\n");
});

test("characters are code points", () => {
  const { dictionary, ids } = corpusOf("a😀a\n", { level: "characters" });
  expect(dictionary.tokens).toEqual(["a", "😀", "\n"]);
  expect(decodeIds(dictionary, ids)).toBe("a😀a\n");
});

test("rare words become <unk>, where it stands already and where it does not; the end of a line is never rare", () => {
  const rare = corpusOf("x y y", { minCount: 2 });
  expect(rare.dictionary.tokens).toEqual(["<unk>", "y", "<eos>"]);
  expect([...rare.ids]).toEqual([0, 1, 1, 2]);
  const known = corpusOf("y <unk> x y", { minCount: 2 });
  expect(known.dictionary.tokens).toEqual(["y", "<unk>", "<eos>"]);
  expect([...known.ids]).toEqual([0, 1, 1, 0, 2]);
  expect(corpusOf("y", { unknown: true }).dictionary.tokens).toEqual(["y", "<eos>", "<unk>"]);
});

test("by frequency, equally frequent words stay in the order of their first appearance", () => {
  const { dictionary } = corpusOf("a b c c b d c", { order: "frequency" });
  expect(dictionary.tokens).toEqual(["c", "b", "a", "d", "<eos>"]);
});

test("a second text is numbered by the dictionary of the first; an unknown word is <unk>, or an error that names it", () => {
  const { dictionary } = corpusOf("a b c a b", { minCount: 2 });
  expect([...corpusOf("b zebra", { dictionary }).ids]).toEqual([1, 2, 3]);
  expect([...encodeText(dictionary, "b zebra")]).toEqual([1, 2]);
  const plain = corpusOf("a b").dictionary;
  const message = (call: string, argument: string) =>
    `${call}: ${argument}: expected one of 3 words of a dictionary without <unk>, got "zebra"`;
  expect(() => corpusOf("a zebra", { dictionary: plain })).toThrow(message("corpusOf", "text"));
  expect(() => encodeText(plain, "zebra")).toThrow(message("encodeText", "text"));
  expect(() => tokenId(plain, "zebra")).toThrow(message("tokenId", "token"));
});

test("a file in pieces, cut anywhere, is the file in one", async () => {
  const text = "ein Käfer läuft\nüber 😀 Straßen \n und zurück";
  const bytes = new TextEncoder().encode(text);
  for (const level of ["words", "characters"] as const) {
    const whole = corpusOf(text, { level, minCount: 1 });
    expect(await readCorpus(bytes, { level })).toEqual(whole);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 5 }), async (cuts) => {
        const places = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        const pieces = places.slice(1).map((end, i) => bytes.subarray(places[i], end));
        expect(await readCorpus(pieces, { level })).toEqual(whole);
      }),
    );
  }
});

test("empty texts, other encodings and broken dictionaries are refused", async () => {
  expect(() => corpusOf("  ")).toThrow("corpusOf: text: expected at least one word, got none");
  await expect(readCorpus([], { level: "characters" })).rejects.toThrow(
    "readCorpus: text: expected at least one character, got none",
  );
  await expect(readCorpus(Uint8Array.of(0x61, 0xff))).rejects.toThrow("readCorpus: bytes: expected UTF-8");
  expect(() => corpusOf("a", { minCount: 0 })).toThrow("corpusOf: minCount: expected an integer at least 1");
  expect(() => parseDictionary({ level: "words", tokens: ["a", "a"] })).toThrow(
    'parseDictionary: json: tokens: expected each token once, got "a"',
  );
  expect(() => parseDictionary({ level: "bytes", tokens: [] })).toThrow("parseDictionary: json: level");
  expect(() => parseDictionary(null)).toThrow("parseDictionary: json: expected {level, tokens}, got null");
  const saved = corpusOf("a b").dictionary;
  expect(parseDictionary(JSON.parse(JSON.stringify(saved)))).toEqual(saved);
  expect(() => decodeIds(saved, [3])).toThrow("decodeIds: ids[0]: expected an id in [0, 3), got 3");
});

test("columns lie side by side, targets are one token later, and an epoch begins at the top", () => {
  const ids = Int32Array.from({ length: 23 }, (_, i) => i);
  const { stepsPerEpoch, batch } = textColumns(ids, { columns: 2, length: 3 });
  expect(stepsPerEpoch).toBe(3); // 11 rows, of which the last 10 are targets
  expect([...batch(1).inputs]).toEqual([3, 4, 5, 14, 15, 16]);
  expect([...batch(1).targets]).toEqual([4, 5, 6, 15, 16, 17]);
  expect(batch(4)).toEqual({ ...batch(1), step: 4, epoch: 1 });
  expect([batch(2), batch(3)].map(({ isFirst }) => isFirst)).toEqual([false, true]);
  expect(() => textColumns(ids, { columns: 4, length: 5 })).toThrow(
    "textColumns: ids: expected at least 24 tokens for 4 columns of 5 and their targets, got 23",
  );
});

test("the entropy rate of a grammar is the mean surprise of the text that is drawn from it", () => {
  const { perplexity, entropyRate, tokens } = grammarFacts(sentenceGrammar);
  const { dictionary, ids } = corpusOf(generateText({ tokens: 200_000 }));
  expect([...dictionary.tokens].sort()).toEqual(tokens);
  const words = Array.from(ids, (id) => dictionary.tokens[id]!);
  const surprises = grammarSurprises(sentenceGrammar, words);
  const mean = surprises.reduce((sum, one) => sum + one, 0) / surprises.length;
  const deviation = Math.sqrt(surprises.reduce((sum, one) => sum + (one - mean) ** 2, 0) / surprises.length);
  // Five standard errors of the mean, a sentence (some 6 tokens) counted as one draw.
  expect(Math.abs(mean - entropyRate)).toBeLessThan((5 * deviation) / Math.sqrt(surprises.length / 6));
  expect(perplexity).toBeCloseTo(Math.exp(entropyRate), 12);
});

test("the entropy rates of a coin, of two coins in turn and of a source that repeats itself are those of the formula", () => {
  const flip = (next: string, weight: number) => [
    { token: "h", next, weight },
    { token: "t", next, weight: 1 - weight },
  ];
  const h = (p: number) => -p * Math.log(p) - (1 - p) * Math.log(1 - p);
  expect(grammarFacts({ start: "a", states: { a: flip("a", 0.3) } }).entropyRate).toBeCloseTo(h(0.3), 14);
  const two = grammarFacts({ start: "a", states: { a: flip("b", 0.3), b: flip("a", 0.5) } });
  expect(two.entropyRate).toBeCloseTo((h(0.3) + h(0.5)) / 2, 14);
  expect(two.occupancy).toEqual({ a: 0.5, b: 0.5 });
  // Leaves the first state with probability 0.2, comes back with certainty: it is there 5/6 of the time.
  const sticky = grammarFacts({
    start: "a",
    states: {
      a: [
        { token: "s", next: "a", weight: 0.8 },
        { token: "l", next: "b", weight: 0.2 },
      ],
      b: [{ token: "r", next: "a" }],
    },
  });
  expect(sticky.occupancy.a).toBeCloseTo(5 / 6, 14);
  expect(sticky.entropyRate).toBeCloseTo((5 / 6) * h(0.2), 14);
});

test("a text is of its seed and index, and a grammar that leads nowhere is refused", () => {
  expect(generateText({ tokens: 50 })).toBe(generateText({ tokens: 50, seed: 0, index: 0 }));
  expect(generateText({ tokens: 50 })).not.toBe(generateText({ tokens: 50, index: 1 }));
  expect(generateText({ tokens: 50 }).endsWith("\n")).toBe(true);
  const [the, wrong, after] = grammarSurprises(sentenceGrammar, ["the", "dogs", "sleep"]);
  expect([the, wrong, after]).toEqual([-Math.log(0.4), Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
  expect(() => grammarFacts({ start: "a", states: { a: [{ token: "x", next: "b" }] } })).toThrow(
    'grammarFacts: grammar: states.a: expected one of the states a, got "b"',
  );
  const trap = { a: [{ token: "x", next: "b" }], b: [{ token: "y", next: "b" }] };
  expect(() => grammarFacts({ start: "a", states: trap })).toThrow("states.b: expected a way back to a");
  const twice = { a: ["x", "x"].map((token) => ({ token, next: "a" })) };
  expect(() => grammarFacts({ start: "a", states: twice })).toThrow("states.a: expected every token once");
});

const ptb = join(process.env.GRADLAB_DATA ?? "", "ptb");

test.runIf(process.env.GRADLAB_DATA !== undefined && existsSync(ptb))(
  "the Penn Treebank has the words and columns that are known of it",
  async () => {
    const read = (part: string, dictionary?: ReturnType<typeof parseDictionary>) =>
      readCorpus(readFileSync(join(ptb, `ptb.${part}.txt`)), dictionary && { dictionary });
    const train = await read("train");
    expect([train.ids.length, train.dictionary.tokens.length]).toEqual([929_589, 10_000]);
    expect(tokenId(train.dictionary, "<unk>")).toBe(26);
    const { stepsPerEpoch, batch } = textColumns(train.ids, { columns: 20, length: 30 });
    expect(stepsPerEpoch).toBe(1549);
    const { inputs } = batch(0);
    const column = (i: number) => [...inputs.subarray(i * 30, i * 30 + 3)];
    expect([column(0), column(1), column(2)]).toEqual([[0, 1, 2], [93, 718, 590], [27, 930, 42]]); // biome-ignore format: three columns
    const rows = Math.floor(train.ids.length / 20);
    expect([...train.ids.subarray(20 * rows - 3, 20 * rows)]).toEqual([9999, 119, 1143]);
    const valid = await read("valid");
    expect([valid.ids.length, valid.dictionary.tokens.length]).toEqual([73_760, 6022]);
    const test = await read("test", valid.dictionary);
    expect(test.ids.length).toBe(82_430);
  },
);
