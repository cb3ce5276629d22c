import { wordsOf } from "../byte-pairs.js";
import { rangeMismatch, typeMismatch } from "../expect-argument.js";
import { expectInteger, expectOneOf } from "../expect-values.js";
import {
  coderOf,
  type Dictionary,
  dictionaryIn,
  endOfLine,
  idIn,
  idsOf,
  type TextLevel,
  textLevels,
  unknownToken,
} from "./dictionary.js";
import { learnBytePairs } from "./learn-byte-pairs.js";

/** A text as ids, and the dictionary that they are of. */
export interface Corpus {
  readonly dictionary: Dictionary;
  readonly ids: Int32Array;
}

export interface CorpusOptions {
  /** `"words"` unless given. */
  readonly level?: TextLevel;
  /** Tokens that come less often become `<unk>`; 1, none of them, unless given. */
  readonly minCount?: number;
  /** Whether there is an `<unk>` in any case; only with a `minCount` above 1 unless given. */
  readonly unknown?: boolean;
  /** How tokens are numbered: by first appearance, the default, or the frequent ones first. */
  readonly order?: "appearance" | "frequency";
  /**
   * Of byte pairs alone, which have none of the three options above: how many tokens are learned from the text, its 256
   * bytes among them; 512 unless given. There are fewer where no pair comes twice.
   */
  readonly vocabulary?: number;
  /** Number the tokens by this dictionary instead: then no other option is of use. */
  readonly dictionary?: Dictionary;
}

/**
 * Cuts a text into tokens and numbers them.
 *
 * Words are what stands between white space; every line ends with `<eos>`, an empty one too, and the last one also
 * where its line feed is missing. Characters are code points, line feeds among them. Byte pairs are learned from the
 * text, or those of the dictionary: every text can be written in them.
 *
 * @throws {TypeError | RangeError} when the text is empty, a token is not in the dictionary that was given and there is
 *   no `<unk>` in it, or an option is not as stated.
 */
export function corpusOf(text: string, options: CorpusOptions = {}): Corpus {
  if (typeof text !== "string") throw typeMismatch("corpusOf: text", "a text", text);
  const reader = new CorpusReader("corpusOf", options);
  reader.add(text);
  return reader.end();
}

/**
 * The same from the bytes of a file (UTF-8), whole or in pieces as a stream gives them: no more of the text than one
 * piece is held, beside 4 bytes a token and the dictionary; of byte pairs also the different words.
 *
 * @throws {TypeError | RangeError} as `corpusOf`, and when the bytes are no UTF-8.
 */
export async function readCorpus(
  bytes: Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  options: CorpusOptions = {},
): Promise<Corpus> {
  const reader = new CorpusReader("readCorpus", options);
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const decode = (piece?: Uint8Array) => {
    try {
      return piece === undefined ? decoder.decode() : decoder.decode(piece, { stream: true });
    } catch {
      throw new RangeError("readCorpus: bytes: expected UTF-8, got other bytes");
    }
  };
  // A whole file is cut too: a text of all of it could be longer than texts may be.
  for await (const piece of bytes instanceof Uint8Array ? pieces(bytes) : bytes) reader.add(decode(piece));
  reader.add(decode());
  return reader.end();
}

const PIECE = 1 << 24;

function* pieces(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PIECE) yield bytes.subarray(at, at + PIECE);
}

/**
 * The ids of a text by a dictionary. Unlike a corpus, a text of words that does not end in a line feed has no `<eos>` at
 * its end, and it may be empty.
 *
 * @throws {TypeError | RangeError} when a token is not in the dictionary, and there is no `<unk>` in it.
 */
export function encodeText(dictionary: Dictionary, text: string): Int32Array {
  if (typeof text !== "string") throw typeMismatch("encodeText: text", "a text", text);
  if (dictionary.level === "byte-pairs") return coderOf(dictionary).encode(text);
  return Int32Array.from(tokensOf(dictionary.level, text), (token) =>
    idIn("encodeText: text", dictionary, token),
  );
}

/**
 * The text of ids: words joined by blanks, lines ended by line feeds; the characters in a row; or the bytes in a row, with
 * U+FFFD for those that are no UTF-8.
 *
 * @throws {RangeError} when an id is not one of the dictionary.
 */
export function decodeIds(dictionary: Dictionary, ids: ArrayLike<number>): string {
  const { level, tokens } = dictionary;
  let text = "";
  for (let i = 0; i < ids.length; i++) {
    const token = tokens[ids[i]!];
    if (token === undefined) {
      throw rangeMismatch(`decodeIds: ids[${i}]`, `an id in [0, ${tokens.length})`, ids[i]);
    }
    if (level === "byte-pairs") continue;
    if (level === "characters") text += token;
    else if (token === endOfLine) text += "\n";
    else text += text === "" || text.endsWith("\n") ? token : ` ${token}`;
  }
  return level === "byte-pairs" ? coderOf(dictionary).decode(ids) : text;
}

/** What a text is cut into first; of byte pairs the words that are cut further. */
function* tokensOf(level: TextLevel, text: string): Generator<string> {
  if (level === "characters") yield* text;
  else if (level === "byte-pairs") yield* wordsOf(text);
  else for (const [token] of text.matchAll(/\n|[^\s]+/g)) yield token === "\n" ? endOfLine : token;
}

/**
 * The last place from `start` on after a word and before white space, where no word of byte pairs goes across; 0 where
 * there is none.
 */
function lastEnd(text: string, start: number): number {
  const isSpace = (at: number) => /\p{White_Space}/u.test(text[at]!);
  for (let at = text.length - 1; at >= Math.max(1, start); at--) {
    if (isSpace(at) && !isSpace(at - 1)) return at;
  }
  return 0;
}

/** Numbers tokens as they come. */
class CorpusReader {
  private readonly caller: string;
  private readonly options: Required<Omit<CorpusOptions, "dictionary">>;
  private readonly dictionary: Dictionary | null;
  private readonly known = new Map<string, number>();
  private ids = new Int32Array(1024);
  private length = 0;
  /** The beginning of a word that the next piece may go on with. */
  private rest = "";
  private isLineOpen = false;

  constructor(caller: string, options: CorpusOptions) {
    this.caller = caller;
    const { level = "words", minCount = 1, unknown = minCount > 1, order = "appearance" } = options;
    const { vocabulary = 512 } = options;
    expectOneOf(`${caller}: level`, level, textLevels);
    const others = ["minCount", "unknown", "order"] as const;
    for (const name of level === "byte-pairs" ? others : (["vocabulary"] as const)) {
      if (options[name] === undefined) continue;
      throw rangeMismatch(`${caller}: ${name}`, `none with ${level}`, options[name]);
    }
    expectInteger(`${caller}: vocabulary`, vocabulary, 256);
    expectInteger(`${caller}: minCount`, minCount, 1);
    expectOneOf(`${caller}: order`, order, ["appearance", "frequency"]);
    const { dictionary } = options;
    this.dictionary = dictionary === undefined ? null : dictionaryIn(`${caller}: dictionary`, dictionary);
    this.options = { level: this.dictionary?.level ?? level, minCount, unknown, order, vocabulary };
    if (this.dictionary !== null && this.options.level !== "byte-pairs")
      this.known = new Map(idsOf(this.dictionary));
  }

  add(piece: string): void {
    const { level } = this.options;
    if (level === "characters") {
      for (const character of piece) this.push(character);
      return;
    }
    const text = this.rest + piece;
    // The last word may go on in the next piece.
    const cut =
      level === "words" ? text.length - /[^\s]*$/.exec(text)![0].length : lastEnd(text, this.rest.length);
    this.rest = text.slice(cut);
    for (const token of tokensOf(level, text.slice(0, cut))) this.push(token);
  }

  end(): Corpus {
    for (const token of tokensOf(this.options.level, this.rest)) this.push(token);
    if (this.isLineOpen) this.push(endOfLine);
    if (this.length === 0) {
      throw new RangeError(`${this.caller}: text: expected at least one ${this.unit}, got none`);
    }
    const ids = this.ids.slice(0, this.length);
    if (this.options.level === "byte-pairs") return this.cutFurther(ids);
    // The dictionary that was given itself, so that two corpora of it can be told to be of one.
    return this.dictionary === null ? this.numbered(ids) : { dictionary: this.dictionary, ids };
  }

  private get unit(): string {
    return this.options.level === "words" ? "word" : "character";
  }

  private push(token: string): void {
    let id = this.known.get(token);
    if (id === undefined) {
      if (this.dictionary !== null && this.options.level !== "byte-pairs")
        id = idIn(`${this.caller}: text`, this.dictionary, token);
      else {
        id = this.known.size;
        this.known.set(token, id);
      }
    }
    if (this.length === this.ids.length) {
      const more = new Int32Array(2 * this.length);
      more.set(this.ids);
      this.ids = more;
    }
    this.ids[this.length++] = id;
    this.isLineOpen = this.options.level === "words" && token !== endOfLine;
  }

  /** The words that byte pairs stay within, each cut once. */
  private cutFurther(words: Int32Array): Corpus {
    const counts = new Uint32Array(this.known.size);
    for (const word of words) counts[word]!++;
    const found = [...this.known.keys()];
    const dictionary =
      this.dictionary ??
      learnBytePairs(new Map(found.map((word, i) => [word, counts[i]!])), this.options.vocabulary);
    const coder = coderOf(dictionary);
    const parts = found.map((word) => coder.encode(word));
    const ids = new Int32Array(parts.reduce((sum, part, i) => sum + part.length * counts[i]!, 0));
    let at = 0;
    for (const word of words) {
      ids.set(parts[word]!, at);
      at += parts[word]!.length;
    }
    return { dictionary, ids };
  }

  /** Rare tokens made one, and numbered as the options say. */
  private numbered(ids: Int32Array): Corpus {
    const { level, minCount, unknown, order } = this.options;
    const tokens = [...this.known.keys()];
    const counts = new Uint32Array(tokens.length + 1);
    for (const id of ids) counts[id]!++;
    const rare = this.known.get(unknownToken) ?? tokens.length;
    const kept = Int32Array.from(counts, (count, id) =>
      count >= minCount || tokens[id] === endOfLine ? id : rare,
    );
    const first = new Map<number, number>();
    const frequency = new Map<number, number>();
    for (const id of ids) {
      const one = kept[id]!;
      if (!first.has(one)) first.set(one, first.size);
      frequency.set(one, (frequency.get(one) ?? 0) + 1);
    }
    if (unknown && !first.has(rare)) first.set(rare, first.size);
    const sorted = [...first.keys()];
    if (order === "frequency") {
      // The sort is stable: equally frequent ones stay in the order of their first appearance.
      sorted.sort((a, b) => (frequency.get(b) ?? 0) - (frequency.get(a) ?? 0));
    }
    const places = new Map(sorted.map((id, place) => [id, place]));
    return {
      dictionary: { level, tokens: sorted.map((id) => tokens[id] ?? unknownToken) },
      ids: ids.map((id) => places.get(kept[id]!)!),
    };
  }
}
