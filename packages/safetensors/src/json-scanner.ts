import { describe } from "./describe.js";
import { SafetensorsError } from "./safetensors-error.js";

/** What a value is, for the messages; a function where a file can hold millions, most of which never fail. */
export type Subject = string | (() => string);

/**
 * Reads the JSON that a safetensors header is allowed to be, one expected value at a time.
 *
 * Unlike `JSON.parse`, it refuses a key that comes twice (`"a"` and `"\u0061"` are one key), numbers that are not
 * written as integers or leave the safe range, and lone surrogates; and it descends only as far as its caller asks,
 * so that no nesting can exhaust the stack. Keys are handed to a callback and never become properties.
 */
export class JsonScanner {
  readonly #caller: string;
  readonly #document: string;
  readonly #text: string;
  #at = 0;

  /** @param document What the text is, for the messages: "the header". */
  constructor(caller: string, document: string, text: string) {
    this.#caller = caller;
    this.#document = document;
    this.#text = text;
  }

  /** Throws with what was expected of `subject` and, unless told, what stands at the current place. */
  fail(subject: Subject, expected: string, got = this.#excerpt()): never {
    const what = typeof subject === "string" ? subject : subject();
    throw new SafetensorsError(`${this.#caller}: ${what}: expected ${expected}, got ${got}`);
  }

  /** `{"key": value, …}`: calls `visit(key)`, which must read the value, for each member. */
  object(subject: Subject, visit: (key: string) => void): void {
    if (this.#peek() !== "{") this.fail(subject, "an object");
    this.#at++;
    if (this.#peek() === "}") {
      this.#at++;
      return;
    }
    const seen = new Set<string>();
    do {
      const key = this.string(subject, "a key in quotes");
      if (seen.has(key)) this.fail(subject, "every key once", `${describe(key)} twice`);
      seen.add(key);
      if (this.#peek() !== ":") this.fail(subject, "a colon after the key");
      this.#at++;
      visit(key);
    } while (this.#hasNext(subject, "}"));
  }

  /** `[value, …]`: calls `visit()`, which must read one value, for each element. */
  array(subject: Subject, visit: () => void): void {
    if (this.#peek() !== "[") this.fail(subject, "an array");
    this.#at++;
    if (this.#peek() === "]") {
      this.#at++;
      return;
    }
    do visit();
    while (this.#hasNext(subject, "]"));
  }

  string(subject: Subject, expected = "a string"): string {
    if (this.#peek() !== '"') this.fail(subject, expected);
    const start = this.#at;
    let escaped = false;
    let end = start + 1;
    for (; ; end++) {
      const code = this.#text.charCodeAt(end);
      if (code === QUOTE) break;
      if (code === BACKSLASH) {
        escaped = true;
        end++;
      } else if (!(code >= SPACE)) {
        this.#at = end; // a control character, or NaN behind the end
        this.fail(subject, "a closing quote");
      }
    }
    this.#at = end + 1;
    if (!escaped) return this.#text.slice(start + 1, end);
    const value = parseOrUndefined(this.#text.slice(start, end + 1));
    if (typeof value !== "string" || !isWellFormed(value)) {
      this.#at = start;
      this.fail(subject, "a string with valid escapes");
    }
    return value;
  }

  /** A whole number from 0 to 2^53 - 1, in digits alone. */
  integer(subject: Subject): number {
    this.#peek();
    let end = this.#at;
    while (end - this.#at <= 16 && isDigit(this.#text.charCodeAt(end))) end++;
    const token = this.#text.slice(this.#at, end);
    const next = this.#text.charAt(end);
    const isInteger =
      token !== "" && (token === "0" || token[0] !== "0") && (next === "" || ENDS.includes(next));
    if (!isInteger || !Number.isSafeInteger(Number(token)))
      this.fail(subject, "an integer from 0 to 2^53 - 1");
    this.#at = end;
    return Number(token);
  }

  /** Any JSON value, at most 64 levels deep; the members of nested objects are not checked for duplicates. */
  value(subject: Subject): unknown {
    this.#peek();
    const start = this.#at;
    let depth = 0;
    do {
      const next = this.#peek();
      if (next === '"') {
        this.string(subject);
        continue;
      }
      if (next === "{" || next === "[") depth++;
      if (next === "}" || next === "]") depth--;
      if (next === "" || depth > 64) this.fail(subject, "a JSON value of at most 64 levels");
      this.#at++;
      if (depth === 0 && !"{}[]".includes(next)) this.#skipLiteral();
    } while (depth > 0);
    const value = parseOrUndefined(this.#text.slice(start, this.#at));
    if (value === undefined) {
      this.#at = start;
      this.fail(subject, "a JSON value");
    }
    return value;
  }

  /** Nothing but white space may follow. */
  end(): void {
    if (this.#peek() !== "") this.fail(this.#document, "nothing but spaces after the closing brace");
  }

  /** Consumes a comma (true: another value follows) or `close` (false). */
  #hasNext(subject: Subject, close: string): boolean {
    const next = this.#peek();
    if (next !== "," && next !== close) this.fail(subject, `"," or "${close}"`);
    this.#at++;
    return next === ",";
  }

  /** Skips JSON's white space; the next character, or "" at the end. */
  #peek(): string {
    while (isWhiteSpace(this.#text.charCodeAt(this.#at))) this.#at++;
    return this.#text.charAt(this.#at);
  }

  #skipLiteral(): void {
    while (this.#at < this.#text.length && !ENDS.includes(this.#text.charAt(this.#at))) this.#at++;
  }

  /** The token at the current place, short enough for a message. */
  #excerpt(): string {
    const rest = this.#text.slice(this.#at, this.#at + 40);
    if (rest === "") return `the end of ${this.#document}`;
    const token = /^(?:"(?:[^"\\]|\\.)*"|[^"{[,:\]}\s][^,\]}\s]*)/u.exec(rest)?.[0];
    const shown = token ?? (rest[0] === '"' ? `${rest}…` : rest.slice(0, 1));
    return shown.replace(/\p{Cc}/gu, (control) => JSON.stringify(control).slice(1, -1));
  }
}

const QUOTE = 34;
const BACKSLASH = 92;
const SPACE = 32;
const ENDS = " \t\n\r,]}";

const isWhiteSpace = (code: number) => code === SPACE || code === 10 || code === 13 || code === 9;
const isDigit = (code: number) => code >= 48 && code <= 57;

/** False for a string with a surrogate that has no partner: UTF-8 cannot hold it. */
export const isWellFormed = (text: string) => !/\p{Surrogate}/u.test(text);

function parseOrUndefined(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
