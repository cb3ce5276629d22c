import { rangeMismatch, typeMismatch } from "../expect-argument.js";

/** What a text is cut into: words between white space, with an end of every line, or characters (code points). */
export type TextLevel = "words" | "characters";

/**
 * The tokens that a text may be made of; the place of a token is its id. Plain data: `JSON.stringify` saves it,
 * `parseDictionary` reads it back.
 */
export interface Dictionary {
  readonly level: TextLevel;
  readonly tokens: readonly string[];
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

/**
 * The id of a token, that of `<unk>` where the dictionary lacks it.
 *
 * @throws {RangeError} when it lacks both.
 */
export function tokenId(dictionary: Dictionary, token: string): number {
  return idIn("tokenId: token", dictionary, token);
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
  const { level, tokens } = json as Partial<Dictionary>;
  if (level !== "words" && level !== "characters") {
    throw rangeMismatch(`${where}: level`, '"words" or "characters"', level);
  }
  if (!Array.isArray(tokens) || !tokens.every((token) => typeof token === "string")) {
    throw typeMismatch(`${where}: tokens`, "a list of texts", tokens);
  }
  if (tokens.length === 0) throw rangeMismatch(`${where}: tokens`, "at least one token", tokens);
  if (new Set(tokens).size !== tokens.length) {
    const twice = tokens.find((token, i) => tokens.indexOf(token) < i);
    throw rangeMismatch(`${where}: tokens`, "each token once", twice);
  }
  return { level, tokens: [...tokens] };
}
