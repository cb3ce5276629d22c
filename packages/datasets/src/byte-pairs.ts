import { rangeMismatch, typeMismatch } from "./expect-argument.js";

/** Text as ids of byte pairs, and back. */
export interface BytePairs {
  /** How many ids there are: the largest, plus 1. */
  readonly vocabulary: number;
  /** Special tokens stand for themselves only where `special` is true; else they are text like any other. */
  readonly encode: (text: string, options?: { readonly special?: boolean }) => Int32Array;
  /** What is no UTF-8, such as half a character, becomes U+FFFD. */
  readonly decode: (ids: ArrayLike<number>) => string;
  /** The bytes themselves: those of any ids, one after the other. */
  readonly bytesOf: (ids: ArrayLike<number>) => Uint8Array;
}

/*
 * What is cut apart before pairs are joined: contractions, letters, digits, other signs, each with a space before it,
 * and runs of space.
 */
const pieces =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** A text cut into words that are encoded each for itself. */
export const wordsOf = (text: string): readonly string[] => text.match(pieces) ?? [];

/** The sign that stands for each byte in the files: itself where it can be seen, else one of those from U+0100 on. */
export const signs: readonly string[] = /* @__PURE__ */ signsOfBytes();

function signsOfBytes(): string[] {
  const isSeen = (byte: number) =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  let others = 0;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isSeen(byte) ? byte : 256 + others++));
}

/**
 * Byte-level byte-pair encoding as in GPT-2: text is cut into words, a word into its UTF-8 bytes, and of all pairs of
 * neighbours the one that stands first in `merges` is joined, again and again. Every text can be encoded, since each byte
 * has an id, and comes back as it was.
 *
 * @param vocab The text of `vocab.json`, or what it holds: ids by token.
 * @param merges The text of `merges.txt`: a pair in a line, in the order of joining; a first line `#version` is left out.
 * @throws {TypeError | RangeError} when a file is not as stated, a byte has no id, or what a pair makes has none.
 * @see Sennrich, Haddow, Birch 2016, §3.2, https://arxiv.org/abs/1508.07909; Radford et al. 2019, §2.2, Language models
 *   are unsupervised multitask learners
 */
export function bytePairs(vocab: string | Readonly<Record<string, number>>, merges: string): BytePairs {
  const { ids, ranks } = bytePairFiles("bytePairs", vocab, merges);
  const tokens = new Map([...ids].map(([token, id]) => [id, token]));
  const byteOf = new Map(signs.map((sign, byte) => [sign, byte]));
  const isPlain = (token: string) => [...token].every((sign) => byteOf.has(sign));
  const reached = new Set([...signs, ...[...ranks.keys()].map((pair) => pair.replace(" ", ""))]);
  // Tokens that no bytes make: <|endoftext|>.
  const special = [...ids.keys()].filter((token) => !reached.has(token)).sort((a, b) => b.length - a.length);
  const known = new Map<string, readonly number[]>();
  const encoder = new TextEncoder();
  const joins = joinsOf(ids, ranks);
  const byteIds = signs.map((sign) => ids.get(sign)!);

  const wordIds = (word: string): readonly number[] => {
    const before = known.get(word);
    if (before !== undefined) return before;
    const found = joined(
      Array.from(encoder.encode(word), (byte) => byteIds[byte]!),
      joins,
    );
    if (known.size < mostKnown) known.set(word, found);
    return found;
  };
  const textIds = (text: string): number[] => wordsOf(text).flatMap(wordIds);
  const bytesOf = (given: ArrayLike<number>): Uint8Array => {
    const bytes: number[] = [];
    for (let i = 0; i < given.length; i++) {
      const token = tokens.get(given[i]!);
      if (token === undefined)
        throw rangeMismatch(`bytePairs: ids[${i}]`, "an id of the vocabulary", given[i]);
      if (isPlain(token)) for (const sign of token) bytes.push(byteOf.get(sign)!);
      else bytes.push(...encoder.encode(token));
    }
    return Uint8Array.from(bytes);
  };
  return {
    vocabulary: Math.max(...ids.values()) + 1,
    encode: (text, options = {}) => {
      if (typeof text !== "string") throw typeMismatch("bytePairs: text", "a string", text);
      if (options.special !== true || special.length === 0) return Int32Array.from(textIds(text));
      const names = special.map((token) => token.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&")).join("|");
      const parts = text.split(new RegExp(`(${names})`));
      return Int32Array.from(parts.flatMap((part, i) => (i % 2 === 1 ? [ids.get(part)!] : textIds(part))));
    },
    bytesOf,
    decode: (given) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytesOf(given)),
  };
}

/** Words that are remembered: enough for those of a language, and no more for those of an attacker. */
const mostKnown = 50_000;

/** What a pair of ids becomes, and its place among all pairs. */
interface Join {
  readonly rank: number;
  readonly id: number;
}

/** The joins of pairs, by their left id and then by their right one. */
type Joins = ReadonlyMap<number, ReadonlyMap<number, Join>>;

function joinsOf(ids: ReadonlyMap<string, number>, ranks: ReadonlyMap<string, number>): Joins {
  const joins = new Map<number, Map<number, Join>>();
  for (const [pair, rank] of ranks) {
    const [left, right] = pair.split(" ").map((token) => ids.get(token));
    // What is no token never comes up to be joined.
    if (left === undefined || right === undefined) continue;
    const after = joins.get(left) ?? new Map<number, Join>();
    joins.set(left, after.set(right, { rank, id: ids.get(pair.replace(" ", ""))! }));
  }
  return joins;
}

/** Joins neighbours, the pair of lowest rank first, everywhere it stands. */
function joined(bytes: readonly number[], joins: Joins): readonly number[] {
  const joinOf = (left: number, right: number | undefined) =>
    right === undefined ? undefined : joins.get(left)?.get(right);
  let ids = bytes;
  // Of each id with the next one; looked up again only beside what has been joined.
  let found = ids.map((id, i) => joinOf(id, ids[i + 1]));
  for (;;) {
    let best: Join | undefined;
    for (const join of found) if (join !== undefined && join.rank < (best?.rank ?? Infinity)) best = join;
    if (best === undefined) return ids;
    const [next, nextFound]: [number[], (Join | undefined)[]] = [[], []];
    let isNew = false;
    for (let i = 0; i < ids.length; i++) {
      const isBest = found[i] === best;
      const id = isBest ? best.id : ids[i]!;
      if (next.length > 0 && (isNew || isBest)) nextFound[next.length - 1] = joinOf(next.at(-1)!, id);
      next.push(id);
      nextFound.push(isBest ? undefined : found[i]);
      isNew = isBest;
      if (isBest) i++;
    }
    [ids, found] = [next, nextFound];
  }
}

/** What stands in the two files, checked: ids by token, and the place of each pair. */
export function bytePairFiles(
  where: string,
  vocab: string | Readonly<Record<string, number>>,
  merges: string,
): { readonly ids: ReadonlyMap<string, number>; readonly ranks: ReadonlyMap<string, number> } {
  const ids = idsOf(where, vocab);
  return { ids, ranks: ranksOf(where, merges, ids) };
}

function idsOf(where: string, vocab: string | Readonly<Record<string, number>>): Map<string, number> {
  let record: unknown = vocab;
  if (typeof vocab === "string") {
    try {
      record = JSON.parse(vocab);
    } catch {
      throw rangeMismatch(`${where}: vocab`, "JSON", vocab.slice(0, 40));
    }
  }
  if (typeof record !== "object" || record === null || Array.isArray(record)) {
    throw typeMismatch(`${where}: vocab`, "a record of ids by token", record);
  }
  const ids = new Map<string, number>();
  const taken = new Map<number, string>();
  for (const [token, id] of Object.entries(record)) {
    if (!Number.isSafeInteger(id) || (id as number) < 0) {
      throw rangeMismatch(`${where}: vocab[${JSON.stringify(token)}]`, "an integer of at least 0", id);
    }
    const other = taken.get(id as number);
    if (other !== undefined) {
      throw rangeMismatch(
        `${where}: vocab[${JSON.stringify(token)}]`,
        `an id other than that of ${other}`,
        id,
      );
    }
    ids.set(token, id as number);
    taken.set(id as number, token);
  }
  for (const [byte, sign] of signs.entries()) {
    if (!ids.has(sign)) throw rangeMismatch(`${where}: vocab`, `an id of byte ${byte}, ${sign}`, undefined);
  }
  return ids;
}

function ranksOf(where: string, merges: string, ids: ReadonlyMap<string, number>): Map<string, number> {
  if (typeof merges !== "string") throw typeMismatch(`${where}: merges`, "text", merges);
  const ranks = new Map<string, number>();
  for (const [i, line] of merges.split(/\r?\n/).entries()) {
    if (line === "" || (i === 0 && line.startsWith("#version"))) continue;
    const [left, right, ...more] = line.split(" ");
    if (!left || !right || more.length > 0) {
      throw rangeMismatch(`${where}: merges: line ${i + 1}`, "two tokens and a space between them", line);
    }
    if (!ids.has(left + right)) {
      throw rangeMismatch(
        `${where}: merges: line ${i + 1}`,
        "a pair that makes a token of the vocabulary",
        line,
      );
    }
    if (!ranks.has(line)) ranks.set(line, ranks.size);
  }
  return ranks;
}
