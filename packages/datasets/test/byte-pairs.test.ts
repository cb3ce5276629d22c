import fc from "fast-check";
import { expect, test } from "vitest";
import { bytePairs } from "../src/index.js";

/** The sign of a byte in the files, worked out in another way: seen bytes are Latin-1, the others follow from U+0100. */
const hidden = [...Array(33).keys(), ...Array.from({ length: 34 }, (_, i) => 127 + i), 173];
const sign = (byte: number) => String.fromCharCode(hidden.includes(byte) ? 256 + hidden.indexOf(byte) : byte);

/** A vocabulary of all bytes, what these pairs make, and a special token. */
function files(pairs: readonly string[]) {
  const tokens = [...Array(256).keys()].map(sign);
  tokens.push(...pairs.map((pair) => pair.replace(" ", "")), "<|endoftext|>");
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  return { vocab, merges: `#version: 0.2\n${pairs.join("\n")}\n`, idOf: (token: string) => vocab[token]! };
}

const pairs = ["h e", "l l", "he ll", "hell o", "Ġ w", "Ġw o", "l d", "e l", "Ã ¤"];
const { vocab, merges, idOf } = files(pairs);
const coder = bytePairs(JSON.stringify(vocab), merges);
const tokens = (text: string) =>
  Array.from(coder.encode(text), (id) => Object.keys(vocab).find((token) => vocab[token] === id));

test("pairs are joined in the order of the file, and only within words", () => {
  expect(tokens("hello world")).toEqual(["hello", "Ġwo", "r", "ld"]);
  // "h e" comes before "e l", so that the e goes to the h.
  expect(tokens("hel")).toEqual(["he", "l"]);
  expect(tokens("el")).toEqual(["el"]);
  expect(tokens("llll")).toEqual(["ll", "ll"]);
  expect(tokens("lll")).toEqual(["ll", "l"]);
  expect(tokens("he ll")).toEqual(["he", "Ġ", "ll"]);
  expect(tokens("ä")).toEqual(["Ã¤"]); // two bytes of one character
  expect(tokens("it's 12 o'clock!")).toEqual([..."it's", "Ġ", "1", "2", "Ġ", ..."o'clock!"]);
});

test("words are cut as in GPT-2: contractions, a space before a word, the last of several spaces", () => {
  const cut = (text: string, ...more: string[]) => {
    const { vocab, merges } = files(more);
    return bytePairs(vocab, merges).encode(text).length;
  };
  // A pair across a cut is never joined, one within is.
  expect(cut("a b", "a Ġ")).toBe(3);
  expect(cut("a b", "Ġ b")).toBe(2);
  expect(cut("a  b", "Ġ Ġ")).toBe(4);
  expect(cut("a  b", "Ġ b")).toBe(3);
  expect(cut("a   b", "Ġ Ġ")).toBe(4);
  expect(cut("a  ", "Ġ Ġ")).toBe(2);
  expect(cut("a1", "a 1")).toBe(2);
  expect(cut("a!", "a !")).toBe(2);
  expect(cut("we'll", "' l", "'l l")).toBe(3);
  expect(cut("\n\nx", "Ċ Ċ")).toBe(3);
});

test("any text comes back as it was, any bytes from their ids", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 60 }), (text) => {
      expect(coder.decode(coder.encode(text))).toBe(text);
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      const ids = Array.from(bytes, (byte) => idOf(sign(byte)));
      expect(coder.bytesOf(ids)).toEqual(bytes);
    }),
  );
  const all = Array.from({ length: 256 }, (_, i) => String.fromCharCode(i)).join("");
  expect(coder.decode(coder.encode(all))).toBe(all);
  expect(coder.decode(coder.encode("\uFEFFhello"))).toBe("\uFEFFhello");
  expect(coder.decode([idOf("Ã")])).toBe("\uFFFD"); // half a character
});

test("ids are those of no shorter joining: each is made of its pair, or is a byte", () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom("hello", " world", "l", "held", "hell", "w"), { maxLength: 12 }),
      (words) => {
        const text = words.join("");
        const parts = tokens(text) as string[];
        expect(parts.join("")).toBe(text.replaceAll(" ", "Ġ"));
        // No two neighbours of one word could still be joined.
        for (let i = 0; i + 1 < parts.length; i++) {
          if (parts[i + 1]!.startsWith("Ġ")) continue;
          expect(pairs).not.toContain(`${parts[i]} ${parts[i + 1]}`);
        }
      },
    ),
  );
});

test("long words are joined pair by pair in the order of the file, as the definition says", () => {
  const word = fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 1, maxLength: 60 });
  const drawn = fc.array(fc.tuple(word, word), { maxLength: 12 });
  fc.assert(
    fc.property(drawn, word, (drawn, word) => {
      // Pairs of short pieces, so that many overlap.
      const pairs = [...new Set(drawn.map(([a, b]) => `${a.slice(0, 2)} ${b.slice(0, 2)}`))];
      const { vocab, merges } = files(
        pairs.filter((pair, i, all) => {
          const token = pair.replace(" ", "");
          return all.findIndex((other) => other.replace(" ", "") === token) === i;
        }),
      );
      let parts = [...word];
      for (;;) {
        const at = merges.split("\n").slice(1);
        const best = at.find((pair) => pair && parts.some((part, i) => `${part} ${parts[i + 1]}` === pair));
        if (best === undefined) break;
        const next: string[] = [];
        for (let i = 0; i < parts.length; i++) {
          if (`${parts[i]} ${parts[i + 1]}` === best) next.push(parts[i]! + parts[++i]!);
          else next.push(parts[i]!);
        }
        parts = next;
      }
      const ids = bytePairs(vocab, merges).encode(word);
      expect([...ids]).toEqual(parts.map((part) => vocab[part]));
    }),
  );
});

test("a special token is text unless it is asked for", () => {
  const text = "hello<|endoftext|>hello";
  expect(Array.from(coder.encode(text, { special: true }))).toEqual(
    ["hello", "<|endoftext|>", "hello"].map(idOf),
  );
  expect(coder.encode(text).length).toBeGreaterThan(10);
  for (const special of [true, false]) expect(coder.decode(coder.encode(text, { special }))).toBe(text);
  expect(coder.vocabulary).toBe(256 + pairs.length + 1);
});

test("files that are not as they should be are refused", () => {
  const without = { ...vocab };
  delete without[sign(10)];
  const cases: [() => unknown, string][] = [
    [() => bytePairs("{", ""), 'bytePairs: vocab: expected JSON, got "{"'],
    [() => bytePairs([] as never, ""), "bytePairs: vocab: expected a record of ids by token"],
    [() => bytePairs(without, ""), "bytePairs: vocab: expected an id of byte 10, Ċ"],
    [() => bytePairs({ ...vocab, x2: 3 }, ""), 'bytePairs: vocab["x2"]: expected an id other than that of'],
    [
      () => bytePairs({ ...vocab, x2: -1 }, ""),
      'bytePairs: vocab["x2"]: expected an integer of at least 0, got -1',
    ],
    [
      () => bytePairs(vocab, "h e l"),
      'bytePairs: merges: line 1: expected two tokens and a space between them, got "h e l"',
    ],
    [
      () => bytePairs(vocab, "#version\nq q"),
      'bytePairs: merges: line 2: expected a pair that makes a token of the vocabulary, got "q q"',
    ],
    [() => coder.decode([9999]), "bytePairs: ids[0]: expected an id of the vocabulary, got 9999"],
  ];
  for (const [work, message] of cases) expect(work).toThrow(message);
});
