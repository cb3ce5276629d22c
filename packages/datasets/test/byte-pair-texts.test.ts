import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  bytePairDictionary,
  bytePairs,
  corpusOf,
  decodeIds,
  encodeText,
  generateText,
  parseDictionary,
  readCorpus,
  tokenId,
  tokenText,
} from "../src/index.js";

const level = "byte-pairs";

/** What another library has learned from texts, and how it cuts others. */
const golden = JSON.parse(readFileSync(new URL("golden/byte-pairs.json", import.meta.url), "utf8")) as {
  readonly learned: readonly {
    readonly text: string;
    readonly vocabulary: number;
    readonly vocab: Readonly<Record<string, number>>;
    readonly merges: readonly string[];
    readonly cut: readonly { readonly text: string; readonly ids: readonly number[] }[];
  }[];
};

test("byte pairs that are learned, and how they cut texts, are those of another library", () => {
  for (const { text, vocabulary, vocab, merges, cut } of golden.learned) {
    const { dictionary } = corpusOf(text, { level, vocabulary });
    expect(dictionary.merges).toEqual(merges);
    expect(Object.fromEntries(dictionary.tokens.map((token, id) => [token, id]))).toEqual(vocab);
    for (const one of cut) expect([...encodeText(dictionary, one.text)], one.text).toEqual(one.ids);
    // By its files too.
    expect(bytePairDictionary(vocab, `#version: 0.2\n${merges.join("\n")}\n`)).toEqual(dictionary);
  }
});

test("the most frequent pair comes first, of equally frequent ones that of the lower ids, and none that comes once", () => {
  // ab four times, bc three times; then abc is ab and c, and x y twice.
  const { dictionary, ids } = corpusOf("abc abc abc ab xy xy q", { level, vocabulary: 300 });
  expect(dictionary.merges).toEqual(["a b", "Ġ ab", "x y", "Ġ xy", "Ġab c"]);
  expect(dictionary.tokens).toHaveLength(256 + 5);
  expect(Array.from(ids, (id) => dictionary.tokens[id])).toEqual([
    ...["ab", "c", "Ġabc", "Ġabc", "Ġab", "Ġxy", "Ġxy", "Ġ", "q"],
  ]);
});

test("a corpus is its text: of any piece sizes, by its own dictionary, by that of another text and by encodeText", async () => {
  const text = fc.string({
    unit: fc.constantFrom(
      "a",
      "b",
      "ab",
      "it's",
      " ",
      "  ",
      "\n",
      "\t",
      "12",
      "!",
      "é",
      "😀",
      "'",
      "s",
      "\u0085",
      "\uFEFF",
    ),
    minLength: 1,
    maxLength: 40,
  });
  const other = corpusOf(generateText({ tokens: 500 }), { level, vocabulary: 290 }).dictionary;
  await fc.assert(
    fc.asyncProperty(text, fc.array(fc.nat(60), { maxLength: 4 }), async (text, cuts) => {
      const whole = corpusOf(text, { level, vocabulary: 262 });
      expect(decodeIds(whole.dictionary, whole.ids)).toBe(text);
      expect([...encodeText(whole.dictionary, text)]).toEqual([...whole.ids]);
      const known = corpusOf(text, { dictionary: other });
      expect([...known.ids]).toEqual([...encodeText(other, text)]);
      if (text.startsWith("\uFEFF")) return; // a file may begin with one, which is not of its text
      const bytes = new TextEncoder().encode(text);
      const places = [0, ...cuts.map((at) => Math.min(at, bytes.length)).sort((a, b) => a - b), bytes.length];
      const pieces = places.slice(1).map((end, i) => bytes.subarray(places[i], end));
      expect(await readCorpus(pieces, { level, vocabulary: 262 })).toEqual(whole);
      expect(await readCorpus(pieces, { dictionary: other })).toEqual(known);
    }),
  );
});

test("white space is that of Unicode: a next line is, a byte order mark is not", () => {
  const joined = bytePairs({ ...golden.learned[0]!.vocab, Ġï: 9000, "!Â": 9001 }, "Ġ ï\n! Â");
  expect(joined.encode(" \uFEFF")[0]).toBe(9000); // one word: a space and what follows
  expect(joined.encode("!\u0085")).not.toContain(9001); // two words
  expect(joined.encode("!\u0080")).toContain(9001);
});

test("a dictionary is plain data, and one that does not fit together is refused", () => {
  const { dictionary } = corpusOf("low lower lowest", { level, vocabulary: 260 });
  expect(dictionary.tokens.slice(256)).toEqual(["lo", "low", "Ġlow", "Ġlowe"]);
  expect(parseDictionary(JSON.parse(JSON.stringify(dictionary)))).toEqual(dictionary);
  expect(() => parseDictionary({ level, tokens: dictionary.tokens })).toThrow(
    "parseDictionary: json: merges: expected a list of texts, got undefined",
  );
  expect(() => parseDictionary({ ...dictionary, merges: ["lo x"] })).toThrow(
    'merges: line 1: expected a pair that makes a token of the vocabulary, got "lo x"',
  );
  expect(() => parseDictionary({ ...dictionary, tokens: dictionary.tokens.slice(1) })).toThrow(
    "vocab: expected an id of byte 33, !, got undefined",
  );
  const vocab = Object.fromEntries(dictionary.tokens.map((token, id) => [token, id]));
  expect(() => bytePairDictionary({ ...vocab, "<|endoftext|>": 300 }, "")).toThrow(
    'bytePairDictionary: vocab["<|endoftext|>"]: expected ids below 261, the number of tokens, got 300',
  );
  expect(() => bytePairDictionary("[]", "")).toThrow("bytePairDictionary: vocab: expected a record of ids");
  for (const option of [{ minCount: 2 }, { unknown: true }, { order: "frequency" as const }]) {
    expect(() => corpusOf("a", { level, ...option })).toThrow("expected none with byte-pairs, got");
  }
  expect(() => corpusOf("a", { vocabulary: 300 })).toThrow(
    "corpusOf: vocabulary: expected none with words, got 300",
  );
  expect(() => corpusOf("a", { level, vocabulary: 255 })).toThrow(
    "corpusOf: vocabulary: expected an integer at least 256, got 255",
  );
  expect(() => corpusOf("", { level })).toThrow("corpusOf: text: expected at least one character, got none");
});

test("tokens are shown as one reads them, and found by their text", () => {
  const { dictionary } = corpusOf("low lower lowest 😀", { level, vocabulary: 260 });
  const id = tokenId(dictionary, " low");
  expect(dictionary.tokens[id]).toBe("Ġlow");
  expect(tokenText(dictionary, id)).toBe(" low");
  expect(tokenText(dictionary, tokenId(dictionary, "\n"))).toBe("\n");
  const [first] = encodeText(dictionary, "😀");
  expect(tokenText(dictionary, first!)).toBe("<0xF0>");
  expect(() => tokenId(dictionary, "lowest")).toThrow(
    'tokenId: token: expected the text of one token, got "lowest"',
  );
  expect(() => tokenText(dictionary, 999)).toThrow("tokenText: id: expected an id in [0, 260), got 999");
  const words = corpusOf("a b").dictionary;
  expect([tokenText(words, 2), tokenId(words, "b")]).toEqual(["<eos>", 1]);
});
