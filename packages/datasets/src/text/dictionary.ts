import { type BytePairs, bytePairs } from "../byte-pairs.js";
import { rangeMismatch, typeMismatch } from "../expect-argument.js";

/**
 * What a text is cut into: words between white space, with an end of every line; characters (code points); or byte pairs,
 * as `bytePairs` has them.
 */
export type TextLevel = (typeof textLevels)[number];

export const textLevels = ["words", "characters", "byte-pairs"] as const;

/**
 * The tokens that a text may be made of; the place of a token is its id. Plain data: `JSON.stringify` saves it,
 * `parseDictionary` reads it back.
 */
export interface Dictionary {
  readonly level: TextLevel;
  /** Of byte pairs as in `vocab.json`: a sign for each byte. */
  readonly tokens: readonly string[];
  /** Of byte pairs alone: two tokens and a space between them, in the order of joining. */
  readonly merges?: readonly string[];
}

/** The token at the end of every line of words. */
export const endOfLine = "<eos>";

/** The token in the place of every token that the dictionary does not have. */
export const unknownToken = "<unk>";

const places = /* @__PURE__ */ new WeakMap<Dictionary, ReadonlyMap<string, number>>();

/** The ids of a dictionary by its tokens. */
export function idsOf(dictionary: Dictionary): ReadonlyMap<string, number> {
  const known = places.get(dictionary);
  if (known !== undefined) return known;
  const ids = new Map(dictionary.tokens.map((token, id) => [token, id]));
  places.set(dictionary, ids);
  return ids;
}

const coders = /* @__PURE__ */ new WeakMap<Dictionary, BytePairs>();

/** What cuts texts into the byte pairs of a dictionary. */
export function coderOf(dictionary: Dictionary): BytePairs {
  const known = coders.get(dictionary);
  if (known !== undefined) return known;
  const { tokens, merges = [] } = dictionary;
  const coder = bytePairs(Object.fromEntries(tokens.map((token, id) => [token, id])), merges.join("\n"));
  coders.set(dictionary, coder);
  return coder;
}

/**
 * The id of a token, that of `<unk>` where the dictionary lacks it. Of byte pairs, the id of a text that is one token.
 *
 * @throws {RangeError} when it lacks both, or such a text is several tokens.
 */
export function tokenId(dictionary: Dictionary, token: string): number {
  const where = "tokenId: token";
  if (dictionary.level !== "byte-pairs") return idIn(where, dictionary, token);
  const ids = coderOf(dictionary).encode(token, { special: true });
  if (ids.length !== 1) throw rangeMismatch(where, "the text of one token", token);
  return ids[0]!;
}

/**
 * A token as one reads it: of words and characters as it stands in the dictionary; of byte pairs its text, and
 * `<0xE2>` for each byte where it has no whole characters.
 *
 * @throws {RangeError} when the id is not one of the dictionary.
 */
export function tokenText(dictionary: Dictionary, id: number): string {
  const token = dictionary.tokens[id];
  if (token === undefined) {
    throw rangeMismatch("tokenText: id", `an id in [0, ${dictionary.tokens.length})`, id);
  }
  if (dictionary.level !== "byte-pairs") return token;
  const bytes = coderOf(dictionary).bytesOf([id]);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return Array.from(bytes, (byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`).join("");
  }
}

export function idIn(where: string, dictionary: Dictionary, token: string): number {
  const ids = idsOf(dictionary);
  const id = ids.get(token) ?? ids.get(unknownToken);
  if (id === undefined) {
    const kind = dictionary.level === "words" ? "words" : "characters";
    throw rangeMismatch(where, `one of ${ids.size} ${kind} of a dictionary without ${unknownToken}`, token);
  }
  return id;
}

/**
 * A dictionary from what `JSON.parse` gave.
 *
 * @throws {TypeError | RangeError} when it is none, or has a token twice.
 */
export function parseDictionary(json: unknown): Dictionary {
  return dictionaryIn("parseDictionary: json", json);
}

export function dictionaryIn(where: string, json: unknown): Dictionary {
  if (typeof json !== "object" || json === null) throw typeMismatch(where, "{level, tokens}", json);
  const { level, tokens, merges } = json as Partial<Dictionary>;
  if (!textLevels.includes(level as TextLevel)) {
    throw rangeMismatch(`${where}: level`, '"words", "characters" or "byte-pairs"', level);
  }
  if (!Array.isArray(tokens) || !tokens.every((token) => typeof token === "string")) {
    throw typeMismatch(`${where}: tokens`, "a list of texts", tokens);
  }
  if (tokens.length === 0) throw rangeMismatch(`${where}: tokens`, "at least one token", tokens);
  if (new Set(tokens).size !== tokens.length) {
    const twice = tokens.find((token, i) => tokens.indexOf(token) < i);
    throw rangeMismatch(`${where}: tokens`, "each token once", twice);
  }
  if (level !== "byte-pairs") return { level: level!, tokens: [...tokens] };
  if (!Array.isArray(merges) || !merges.every((pair) => typeof pair === "string")) {
    throw typeMismatch(`${where}: merges`, "a list of texts", merges);
  }
  const dictionary = { level, tokens: [...tokens], merges: [...merges] } as const;
  coderOf(dictionary); // refuses what does not fit together
  return dictionary;
}
